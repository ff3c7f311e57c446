using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Tenancy.Configuration;

/// <summary>
/// Stops the start on a configuration that cannot be meant; every message names the setting and the fix. Bounds stand as attributes at the
/// settings; here is what an attribute cannot say.
/// </summary>
internal sealed class TenancyOptionsValidator(IHostEnvironment environment, IPlatformNames platforms) : IValidateOptions<TenancyOptions>
{
    private const int MinimumKeyBytes = 32;

    public ValidateOptionsResult Validate(string? name, TenancyOptions options)
    {
        var failures = new List<string>();
        if (platforms.Names.Count == 0)
        {
            failures.Add("No platform is registered: call AddPlatform<T>(\"name\") on the builder that AddTenancy returns.");
        }

        ValidateIdentification(options, failures);
        ValidateUrls(options, failures);
        ValidateTenants(options, failures);
        if (options.Validation.Proxy is { } proxy && !(proxy.IsAbsoluteUri && proxy.Scheme is "http" or "https"))
        {
            failures.Add("Tenancy:Validation:Proxy is not the URL of an HTTP proxy: use one such as http://proxy.example.com:3128.");
        }

        if (options.MaxBodyBytesPerTenant < options.MaxRequestBodySize)
        {
            failures.Add(
                $"Tenancy:MaxBodyBytesPerTenant is {options.MaxBodyBytesPerTenant}: "
                    + $"use at least Tenancy:MaxRequestBodySize, {options.MaxRequestBodySize}."
            );
        }

        if (options.MaxBodyBytesPerNode < options.MaxBodyBytesPerTenant)
        {
            failures.Add(
                $"Tenancy:MaxBodyBytesPerNode is {options.MaxBodyBytesPerNode}: "
                    + $"use at least Tenancy:MaxBodyBytesPerTenant, {options.MaxBodyBytesPerTenant}."
            );
        }

        if (options.Defaults.Platform is { } platform && !platforms.Names.Contains(platform))
        {
            failures.Add($"Tenancy:Defaults:Platform is '{platform}': use one of {string.Join(", ", platforms.Names)}.");
        }

        ValidateAdminKeys(options.Admin, failures);
        foreach (var host in options.Admin.AllowedHosts)
        {
            if (!CanonicalHost.TryRead(host, new char[CanonicalHost.MaxLength], out _))
            {
                failures.Add($"Tenancy:Admin:AllowedHosts has '{host}': use a host, with a port or without, such as admin.internal:8080.");
            }
        }

        if (!DevelopmentValues.AreAllowed(environment, options))
        {
            ValidateOutsideDevelopment(options, failures);
        }

        return failures.Count > 0 ? ValidateOptionsResult.Fail(failures) : ValidateOptionsResult.Success;
    }

    private static void ValidateIdentification(TenancyOptions options, List<string> failures)
    {
        if (options.MultiTenant && options.Identification == TenantIdentification.None && options.DefaultTenant is null)
        {
            failures.Add(
                "Tenancy:Identification is empty and Tenancy:DefaultTenant is not set, so that no request can name a tenant: set one "
                    + "of them."
            );
        }

        if (options.DefaultTenant is { } id && (TenantId.Explain(id) ?? PublicUrlIds.Explain(id, options)) is { } reason)
        {
            failures.Add($"Tenancy:DefaultTenant: {reason}");
        }
    }

    private static void ValidateUrls(TenancyOptions options, List<string> failures)
    {
        if (options.PublicUrl is { } publicUrl)
        {
            if (!TenantUrl.TryParse(publicUrl, out var url, out var reason))
            {
                failures.Add($"Tenancy:PublicUrl is '{publicUrl}': it {reason}.");
            }
            else if (url.Path.Count('/') >= TenantUrl.MaxSegments)
            {
                failures.Add(
                    $"Tenancy:PublicUrl is '{publicUrl}': it must have at most {TenantUrl.MaxSegments - 1} path segments, because "
                        + "/{tenant}/mcp is added to it."
                );
            }
        }

        if (options.BaseDomain is { } baseDomain)
        {
            Span<char> buffer = stackalloc char[CanonicalHost.MaxLength];
            if (!CanonicalHost.TryRead(baseDomain, buffer, out var host) || host.ContainsAny(':', '['))
            {
                failures.Add($"Tenancy:BaseDomain is '{baseDomain}': use a domain name without scheme, port or path, such as example.com.");
            }
        }

        foreach (var origin in options.AllowedOrigins)
        {
            if (!Uri.TryCreate(origin, UriKind.Absolute, out var uri) || uri.GetLeftPart(UriPartial.Authority) != origin.TrimEnd('/'))
            {
                failures.Add($"Tenancy:AllowedOrigins has '{origin}': use scheme, host and port only, such as https://app.example.com.");
            }
        }

        foreach (var header in options.AllowedHeaders)
        {
            if (header.Length == 0 || !header.All(IsTokenCharacter))
            {
                failures.Add($"Tenancy:AllowedHeaders has '{header}': use the name of a header, such as X-Api-Key.");
            }
        }
    }

    // RFC 9110, section 5.6.2.
    private static bool IsTokenCharacter(char character) =>
        char.IsAsciiLetterOrDigit(character) || "!#$%&'*+-.^_`|~".Contains(character, StringComparison.Ordinal);

    private void ValidateTenants(TenancyOptions options, List<string> failures)
    {
        var validator = new TenantConfigValidator(options, platforms.Names);
        var ids = new HashSet<string>(StringComparer.Ordinal);
        var owners = new Dictionary<string, string>(StringComparer.Ordinal);
        for (var i = 0; i < options.Tenants.Count; i++)
        {
            var (tenant, principals) = (options.Tenants[i].Tenant, options.Tenants[i].Principals);
            var setting = $"Tenancy:Tenants:{i}";
            failures.AddRange(validator.Validate(tenant).Select(error => $"{FieldPath.ToSetting(setting, error.Field)} {error.Message}."));
            failures.AddRange(
                PrincipalValidator
                    .Validate(tenant.Id, principals, DevelopmentValues.AreAllowed(environment, options))
                    .Select(error => $"{FieldPath.ToSetting(setting, error.Field)} {error.Message}.")
            );
            if (!ids.Add(tenant.Id))
            {
                failures.Add($"{setting}:id '{tenant.Id}' is used by two tenants: give each its own.");
            }

            foreach (var text in tenant.Urls)
            {
                if (TenantUrl.TryParse(text, out var url, out _) && !owners.TryAdd(url.Key, tenant.Id) && owners[url.Key] != tenant.Id)
                {
                    failures.Add($"{setting}:urls has '{text}', which tenant '{owners[url.Key]}' has too: a URL belongs to one tenant.");
                }
            }
        }
    }

    private void ValidateOutsideDevelopment(TenancyOptions options, List<string> failures)
    {
        var before = failures.Count;
        ValidateHosts(options, failures);
        ValidateKeys(options, failures);
        if (environment.IsProduction())
        {
            if (options.AllowDevelopmentValues)
            {
                failures.Add(
                    "Tenancy:AllowDevelopmentValues is true: Production has no values for development. Remove it, or name the "
                        + "environment otherwise."
                );
            }
        }
        else if (failures.Count > before)
        {
            failures.Add(
                $"The environment is '{environment.EnvironmentName}', and what is for development is refused everywhere but in "
                    + "Development: Tenancy:AllowDevelopmentValues=true accepts it here."
            );
        }
    }

    private static void ValidateHosts(TenancyOptions options, List<string> failures)
    {
        const TenantIdentification NeedsOrigin = TenantIdentification.Path | TenantIdentification.Header | TenantIdentification.Token;
        if ((options.Identification & NeedsOrigin) != 0 && options.PublicUrl is null && options.BaseDomain is null)
        {
            failures.Add(
                "Tenancy:PublicUrl is not set: outside Development it is needed, or Tenancy:BaseDomain, to know at which host tenants "
                    + "may be named by path, header or token."
            );
        }

        if (
            options.BaseDomain is { } domain
            && (domain == "localhost" || domain.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase))
        )
        {
            failures.Add($"Tenancy:BaseDomain is '{domain}', the development value: set the domain whose subdomains are your tenants.");
        }

        if (TenantUrl.TryParse(options.PublicUrl, out var publicUrl, out _) && CanonicalHost.WithoutPort(publicUrl.Host) is "localhost")
        {
            failures.Add(
                $"Tenancy:PublicUrl is '{options.PublicUrl}', the development value: set the URL at which this server is reached."
            );
        }
    }

    // No mistake repeats a key: what stops a start is logged.
    private static void ValidateAdminKeys(AdminOptions admin, List<string> failures)
    {
        foreach (var (setting, key) in KeysOf(admin).Where(one => string.IsNullOrWhiteSpace(one.Key)))
        {
            failures.Add($"{setting} is empty: remove it, or give it a value.");
        }

        foreach (var (setting, entry) in BoundKeysOf(admin))
        {
            var at = entry.IndexOf(AdminOptions.TenantSeparator, StringComparison.Ordinal);
            if (at < 0 || !TenantId.TryParse(entry[..at], out _))
            {
                failures.Add($"{setting} is not of the form acme=KEY: the id of a tenant, '=' and the key that is for this tenant alone.");
            }
        }

        var twice = KeysOf(admin).GroupBy(one => one.Key, StringComparer.Ordinal).Where(same => same.Count() > 1);
        failures.AddRange(
            twice.Select(same => $"{string.Join(" and ", same.Select(one => one.Setting))} have the same key: give each its own.")
        );
    }

    private static void ValidateKeys(TenancyOptions options, List<string> failures)
    {
        foreach (var (setting, key) in KeysOf(options.Admin))
        {
            if (System.Text.Encoding.UTF8.GetByteCount(key) < MinimumKeyBytes)
            {
                failures.Add(
                    $"{setting} is shorter than {MinimumKeyBytes} bytes, as the development key is: outside Development a "
                        + "random one is needed, such as `openssl rand -base64 32` gives."
                );
            }
        }
    }

    private static IEnumerable<(string Setting, string Key)> KeysOf(AdminOptions admin) =>
        [
            .. admin.Keys.Select((key, i) => ($"Tenancy:Admin:Keys:{i}", key)),
            .. admin.ReadKeys.Select((key, i) => ($"Tenancy:Admin:ReadKeys:{i}", key)),
            .. BoundKeysOf(admin)
                .Select(one => (one.Setting, one.Entry[(one.Entry.IndexOf(AdminOptions.TenantSeparator, StringComparison.Ordinal) + 1)..])),
        ];

    private static IEnumerable<(string Setting, string Entry)> BoundKeysOf(AdminOptions admin) =>
        [
            .. admin.TenantKeys.Select((entry, i) => ($"Tenancy:Admin:TenantKeys:{i}", entry)),
            .. admin.TenantReadKeys.Select((entry, i) => ($"Tenancy:Admin:TenantReadKeys:{i}", entry)),
        ];
}

/// <summary>The names of the platforms that tenants may have, and of their tools.</summary>
internal interface IPlatformNames
{
    /// <summary>The names, the default one first.</summary>
    IReadOnlyList<string> Names { get; }

    /// <summary>The names of a platform's tools. They are known when the platforms were built, which is before the first tenant.</summary>
    IReadOnlySet<string> ToolsOf(string platform);
}
