namespace Tenancy.Resolution;

/// <summary>Marks an endpoint that serves one tenant: the tenant is known before it runs, or it does not run.</summary>
/// <param name="suffix">What the endpoint's path adds to the tenant's URL, such as <c>/mcp</c>; null for an endpoint of one's own.</param>
/// <param name="isMcp">Whether refusals are worded as JSON-RPC errors.</param>
/// <param name="root">What the endpoint's path has before the path of the tenant's URL; null for most.</param>
/// <param name="isMetadata">Whether clients look here for OAuth, so that no tenant means that there is none.</param>
internal sealed class TenantEndpointMetadata(string? suffix, bool isMcp, string? root = null, bool isMetadata = false)
{
    public bool IsMetadata { get; } = isMetadata;

    public string? Suffix { get; } = suffix;

    public string? Root { get; } = root;

    public bool IsMcp { get; } = isMcp;
}
