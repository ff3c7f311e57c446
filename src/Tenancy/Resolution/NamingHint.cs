using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Tenancy.Configuration;

namespace Tenancy.Resolution;

/// <summary>Tells developers, and nobody else, how a request names its tenant.</summary>
internal sealed class NamingHint(IOptions<TenancyOptions> options, IHostEnvironment environment)
{
    /// <summary>Adds the ways that there are to a refusal, in Development only.</summary>
    public Refusal AddTo(Refusal refusal)
    {
        var ways = string.Join(", ", Ways());
        return environment.IsDevelopment() && ways.Length > 0
            ? refusal with
            {
                Detail = $"{refusal.Detail} In this server (Tenancy:Identification), any of these names the tenant '{Example}': {ways}.",
            }
            : refusal;
    }

    private string Example => options.Value.Tenants is [{ } first, ..] ? first.Tenant.Id : "acme";

    private IEnumerable<string> Ways()
    {
        var ways = options.Value.Identification;
        if (ways.HasFlag(TenantIdentification.Path))
        {
            yield return $"the path /{Example}/mcp";
        }

        if (ways.HasFlag(TenantIdentification.Header))
        {
            yield return $"the header {TenantResolver.HeaderName}: {Example}";
        }

        if (ways.HasFlag(TenantIdentification.Host))
        {
            yield return options.Value.BaseDomain is { } domain
                ? $"the host {Example}.{domain}, where your client can resolve it"
                : "the host of a URL of the tenant's own";
        }

        if (ways.HasFlag(TenantIdentification.Token))
        {
            yield return $"a bearer token that begins with '{Example}.'";
        }
    }
}
