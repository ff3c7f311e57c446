using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.Extensions.Options;
using Tenancy.Configuration;

namespace Tenancy.Resolution;

/// <summary>Stops the start where forwarded headers would be believed of more than the proxies that somebody named.</summary>
internal sealed class ProxiesValidator(IOptions<ForwardedHeadersOptions> frameworks) : IValidateOptions<TenancyOptions>
{
    public ValidateOptionsResult Validate(string? name, TenancyOptions options)
    {
        var failures = options
            .Proxies.Where(proxy => ProxyNetworks.Unmap(proxy).PrefixLength == 0)
            .Select(proxy =>
                $"Tenancy:Proxies has '{proxy}', which is every address, so that every caller could say who it is: name the proxy's "
                + "address, or its network."
            )
            .ToList();
        if (options.Proxies.Count > 0 && frameworks.Value.ForwardedHeaders != ForwardedHeaders.None)
        {
            failures.Add(
                "Tenancy:Proxies is set, and so is ASP.NET Core's own reading of forwarded headers, which would read them twice: remove "
                    + "the variable ASPNETCORE_FORWARDEDHEADERS_ENABLED, and what the application says in ForwardedHeadersOptions."
            );
        }

        return failures.Count > 0 ? ValidateOptionsResult.Fail(failures) : ValidateOptionsResult.Success;
    }
}
