using System.Reflection;

namespace Tenancy.State;

/// <summary>The scripts of the store, one per operation; each says in its head what it takes and what it gives.</summary>
internal static class StoreScript
{
    public static string TenantCreate { get; } = Load("tenant-create");

    public static string TenantUpdate { get; } = Load("tenant-update");

    public static string TenantCheck { get; } = Load("tenant-check");

    public static string TenantRemove { get; } = Load("tenant-remove");

    public static string PrincipalCreate { get; } = Load("principal-create");

    public static string PrincipalRotate { get; } = Load("principal-rotate");

    public static string PrincipalDelete { get; } = Load("principal-delete");

    public static string ClientCreate { get; } = Load("client-create");

    public static string ClientUse { get; } = Load("client-use");

    public static string ClientRefresh { get; } = Load("client-refresh");

    public static string ClientDelete { get; } = Load("client-delete");

    public static string ClientList { get; } = Load("client-list");

    public static string SessionReserve { get; } = Load("session-reserve");

    public static string SessionRelease { get; } = Load("session-release");

    public static string SessionCreate { get; } = Load("session-create");

    public static string SessionDescribe { get; } = Load("session-describe");

    public static string SessionTouch { get; } = Load("session-touch");

    public static string SessionDelete { get; } = Load("session-delete");

    public static string SessionList { get; } = Load("session-list");

    public static string RateLimit { get; } = Load("rate-limit");

    public static string IdempotencyClaim { get; } = Load("idempotency-claim");

    public static string IdempotencyComplete { get; } = Load("idempotency-complete");

    public static string IdempotencyRelease { get; } = Load("idempotency-release");

    public static string DocumentCreate { get; } = Load("document-create");

    public static string DocumentReplace { get; } = Load("document-replace");

    public static string DocumentDelete { get; } = Load("document-delete");

    private static string Load(string name)
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(name + ".lua")
            ?? throw new InvalidOperationException($"The script {name}.lua is not embedded in this assembly.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
