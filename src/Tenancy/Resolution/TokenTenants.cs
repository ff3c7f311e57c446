using System.Collections.Concurrent;
using Microsoft.Extensions.Options;
using Tenancy.Configuration;
using Tenancy.Registry;

namespace Tenancy.Resolution;

/// <summary>
/// The tenants by issuer and audience, for a URL that serves all of them. This only chooses by which tenant's rules the token is then
/// checked.
/// </summary>
internal sealed class TokenTenants(IOptions<TenancyOptions> options) : ITenantChangeListener
{
    private readonly TenancyOptions _options = options.Value;
    private readonly ConcurrentDictionary<(string Issuer, string Audience), string> _ids = new();

    public void OnTenantChanged(TenantChange change)
    {
        ArgumentNullException.ThrowIfNull(change);
        var after = Names(change.After).ToHashSet();
        foreach (var name in after)
        {
            _ids[name] = change.TenantId.Value;
        }

        foreach (var name in Names(change.Before))
        {
            if (!after.Contains(name))
            {
                _ids.TryRemove(KeyValuePair.Create(name, change.TenantId.Value));
            }
        }
    }

    /// <summary>The tenants that a token names; more than one where its audiences are those of several.</summary>
    public IEnumerable<string> Find(SignedToken token)
    {
        if (SignedToken.Text(token.Claims, "iss") is not { } issuer || token.Audiences is not { } audiences)
        {
            yield break;
        }

        foreach (var audience in audiences)
        {
            if (_ids.TryGetValue((issuer, audience), out var id))
            {
                yield return id;
            }
        }
    }

    private IEnumerable<(string Issuer, string Audience)> Names(TenantModel? tenant) =>
        tenant?.Config.Authentication is { Kind: TenantAuthenticationKind.Jwks, Issuer: { } issuer }
            ? TenantAudiences.Of(tenant.Config, _options).Select(audience => (issuer, audience))
            : [];
}
