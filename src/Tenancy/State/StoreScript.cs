using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Security.Cryptography;
using System.Text;

namespace Tenancy.State;

/// <summary>A script of the store. There is one per operation; each says in its head what it takes and what it gives.</summary>
internal sealed class StoreScript
{
    [SuppressMessage("Security", "CA5350", Justification = "EVALSHA names scripts by their SHA-1.")]
    private StoreScript(string text) => (Text, Hash) = (text, SHA1.HashData(Encoding.UTF8.GetBytes(text)));

    public string Text { get; }

    /// <summary>Gets what a server that has the script knows it by.</summary>
    public byte[] Hash { get; }

    public static StoreScript TenantCreate { get; } = LoadLogged("tenant-create");

    public static StoreScript TenantUpdate { get; } = LoadLogged("tenant-update");

    public static StoreScript TenantCheck { get; } = LoadLogged("tenant-check");

    public static StoreScript TenantRemove { get; } = LoadLogged("tenant-remove");

    public static StoreScript TenantGeneration { get; } = Load("tenant-generation");

    public static StoreScript TenantBegin { get; } = Load("tenant-begin");

    public static StoreScript TenantSettle { get; } = Load("tenant-settle");

    public static StoreScript TenantEnd { get; } = Load("tenant-end");

    public static StoreScript TenantCatchUp { get; } = LoadLogged("tenant-catch-up");

    public static StoreScript TenantChanges { get; } = Load("tenant-changes");

    public static StoreScript RecheckClaim { get; } = Load("recheck-claim");

    public static StoreScript NodeBeat { get; } = Load("node-beat");

    public static StoreScript NodeList { get; } = Load("node-list");

    public static StoreScript PurgeClaim { get; } = Load("purge-claim");

    public static StoreScript Purge { get; } = Load("purge");

    public static StoreScript TenantPurged { get; } = Load("tenant-purged");

    public static StoreScript PrincipalCreate { get; } = Load("principal-create");

    public static StoreScript PrincipalRotate { get; } = Load("principal-rotate");

    public static StoreScript PrincipalDelete { get; } = Load("principal-delete");

    public static StoreScript ClientCreate { get; } = Load("client-create");

    public static StoreScript ClientUse { get; } = Load("client-use");

    public static StoreScript ClientRefresh { get; } = Load("client-refresh");

    public static StoreScript ClientDelete { get; } = Load("client-delete");

    public static StoreScript ClientList { get; } = Load("client-list");

    public static StoreScript SessionReserve { get; } = Load("session-reserve");

    public static StoreScript SessionRelease { get; } = Load("session-release");

    public static StoreScript SessionCreate { get; } = Load("session-create");

    public static StoreScript SessionDescribe { get; } = Load("session-describe");

    public static StoreScript SessionTouch { get; } = Load("session-touch");

    public static StoreScript SessionDelete { get; } = Load("session-delete");

    public static StoreScript SessionList { get; } = Load("session-list");

    public static StoreScript RateLimit { get; } = Load("rate-limit");

    public static StoreScript IdempotencyClaim { get; } = Load("idempotency-claim");

    public static StoreScript IdempotencyRelease { get; } = Load("idempotency-release");

    public static StoreScript Commit { get; } = Load("commit");

    public static StoreScript DocumentList { get; } = Load("document-list");

    public static StoreScript DocumentFind { get; } = Load("document-find");

    public static StoreScript DocumentIndex { get; } = Load("document-index");

    private static StoreScript Load(string name) => new(Read(name));

    /// <summary>Loads a script that changes a tenant, and logs that.</summary>
    private static StoreScript LoadLogged(string name) => new(Read("log-change") + Read(name));

    private static string Read(string name)
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(name + ".lua")
            ?? throw new InvalidOperationException($"The script {name}.lua is not embedded in this assembly.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
