using Microsoft.Extensions.Options;
using Tenancy.Authentication;
using Tenancy.Configuration;
using Tenancy.Registry;

namespace Tenancy.Mcp;

/// <summary>What a caller may do at a tenant, by what it has shown of itself.</summary>
internal sealed class CallerRights(IOptions<TenancyOptions> options)
{
    private readonly HashSet<string> _anonymousTools = new(options.Value.AnonymousTools, StringComparer.Ordinal);

    /// <summary>Whether a caller has shown enough to call a tool.</summary>
    public bool MayCall(TenantModel tenant, CallerIdentity caller, string? tool) =>
        !caller.IsAnonymous || IsOpen(tenant) || (tool is not null && IsAnonymous(tool));

    /// <summary>Whether a tool may be called without credentials.</summary>
    public bool IsAnonymous(string tool) => _anonymousTools.Contains(tool);

    /// <summary>Whether a tenant asks for no proof, so that anonymous callers have all rights.</summary>
    public static bool IsOpen(TenantModel tenant) => tenant.Config.Authentication is { Kind: TenantAuthenticationKind.None };

    /// <summary>Whether a caller has shown nothing, at a tenant that asks for proof.</summary>
    public static bool IsStranger(TenantModel tenant, CallerIdentity caller) => caller.IsAnonymous && !IsOpen(tenant);

    /// <summary>
    /// What one caller may have of a tenant's limit: half, rounded up, so that nobody can take all of it; all of it where all callers are
    /// the same.
    /// </summary>
    public static long ShareOf(TenantModel tenant, long limit) => IsOpen(tenant) ? limit : (limit / 2) + (limit % 2);
}
