using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Security.Cryptography;
using System.Text;

namespace Tenancy.State;

/// <summary>A script of the store. There is one per operation; each says in its head what it takes and what it gives.</summary>
internal sealed class StoreScript
{
    [SuppressMessage("Security", "CA5350", Justification = "EVALSHA names scripts by their SHA-1.")]
    private StoreScript(string name, string text) => (Name, Text, Hash) = (name, text, SHA1.HashData(Encoding.UTF8.GetBytes(text)));

    /// <summary>Gets the name of its file.</summary>
    public string Name { get; }

    public string Text { get; }

    /// <summary>Gets what a server that has the script knows it by.</summary>
    public byte[] Hash { get; }

    public static StoreScript TenantCreate { get; } = LoadChange("tenant-create");

    public static StoreScript TenantUpdate { get; } = LoadChange("tenant-update");

    public static StoreScript TenantCheck { get; } = new("tenant-check", Read("log-change") + Read("log-event") + Read("tenant-check"));

    public static StoreScript TenantRemove { get; } = LoadChange("tenant-remove");

    public static StoreScript TenantGeneration { get; } = Load("tenant-generation");

    public static StoreScript TenantBegin { get; } = Load("tenant-begin");

    public static StoreScript TenantSettle { get; } = Load("tenant-settle");

    public static StoreScript TenantEnd { get; } = Load("tenant-end");

    public static StoreScript TenantCatchUp { get; } = LoadLogged("tenant-catch-up");

    public static StoreScript TenantChanges { get; } = Load("tenant-changes");

    public static StoreScript RecheckClaim { get; } = Load("recheck-claim");

    public static StoreScript RecheckRelease { get; } = Load("recheck-release");

    public static StoreScript NodeBeat { get; } = Load("node-beat");

    public static StoreScript NodeList { get; } = Load("node-list");

    public static StoreScript AdminClaim { get; } = Load("admin-claim");

    public static StoreScript AdminComplete { get; } = Load("admin-complete");

    public static StoreScript PurgeClaim { get; } = Load("purge-claim");

    public static StoreScript Purge { get; } = Load("purge");

    public static StoreScript TenantPurged { get; } = Load("tenant-purged");

    public static StoreScript PrincipalCreate { get; } = LoadQueued("principal-create");

    public static StoreScript PrincipalRotate { get; } = LoadQueued("principal-rotate");

    public static StoreScript PrincipalDelete { get; } = LoadQueued("principal-delete");

    public static StoreScript ClientCreate { get; } = LoadQueued("client-create");

    public static StoreScript ClientClaim { get; } = Load("client-claim");

    public static StoreScript ClientUse { get; } = Load("client-use");

    public static StoreScript ClientRefresh { get; } = LoadQueued("client-refresh");

    public static StoreScript ClientDelete { get; } = LoadQueued("client-delete");

    public static StoreScript ClientList { get; } = Load("client-list");

    public static StoreScript SessionReserve { get; } = Load("session-reserve");

    public static StoreScript SessionRelease { get; } = Load("session-release");

    public static StoreScript SessionCreate { get; } = Load("session-create");

    public static StoreScript SessionDescribe { get; } = Load("session-describe");

    public static StoreScript SessionTouch { get; } = Load("session-touch");

    public static StoreScript SessionCalls { get; } = Load("session-calls");

    public static StoreScript SessionDelete { get; } = LoadQueued("session-delete");

    public static StoreScript SessionList { get; } = Load("session-list");

    public static StoreScript RateLimit { get; } = Load("rate-limit");

    public static StoreScript IdempotencyClaim { get; } = Load("idempotency-claim");

    public static StoreScript IdempotencyRelease { get; } = Load("idempotency-release");

    public static StoreScript Commit { get; } = Load("commit");

    public static StoreScript DocumentVersion { get; } = Load("document-version");

    public static StoreScript DocumentList { get; } = Load("document-list");

    public static StoreScript DocumentFind { get; } = Load("document-find");

    public static StoreScript DocumentIndex { get; } = Load("document-index");

    public static StoreScript AuditKeep { get; } = new("audit-keep", Read("log-event") + Read("keep-entry") + Read("audit-keep"));

    public static StoreScript UsageAdd { get; } = Load("usage-add");

    public static StoreScript UsageKeep { get; } = Load("usage-keep");

    public static StoreScript TrafficKeep { get; } = Load("traffic-keep");

    public static StoreScript AuditList { get; } = Load("audit-list");

    public static StoreScript EventList { get; } = Load("event-list");

    public static StoreScript MigrateKeys { get; } = Load("migrate-keys");

    private static StoreScript Load(string name) => new(name, Read(name));

    /// <summary>Loads a script that changes a tenant, and logs that.</summary>
    private static StoreScript LoadLogged(string name) => new(name, Read("log-change") + Read(name));

    /// <summary>The same, with what it claims, and keeps its entry of the audit.</summary>
    private static StoreScript LoadChange(string name) =>
        new(name, Read("log-change") + Read("log-event") + Read("keep-entry") + Read("claim-routes") + Read(name));

    /// <summary>Loads a script whose entry of the audit waits in the tenant's own slot.</summary>
    private static StoreScript LoadQueued(string name) => new(name, Read("queue-entry") + Read(name));

    private static string Read(string name)
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(name + ".lua")
            ?? throw new InvalidOperationException($"The script {name}.lua is not embedded in this assembly.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
