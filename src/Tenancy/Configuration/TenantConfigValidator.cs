namespace Tenancy.Configuration;

/// <summary>
/// Checks what can be checked of a tenant's configuration without knowing any other tenant. Finds every mistake, not the first. Bounds
/// stand as attributes at the fields; here is what an attribute cannot say.
/// </summary>
/// <param name="options">The settings.</param>
/// <param name="platforms">The names of the platforms, the default one first.</param>
/// <param name="toolsOf">The names of a platform's tools; null as long as the platforms are not built.</param>
internal sealed class TenantConfigValidator(
    TenancyOptions options,
    IReadOnlyCollection<string> platforms,
    Func<string, IReadOnlySet<string>>? toolsOf = null
)
{
    private readonly string? _baseDomain = options.CanonicalBaseDomain;
    private readonly TenantUrl? _publicUrl = TenantUrl.TryParse(options.PublicUrl, out var url, out _) ? url : null;
    private readonly TenantAuthenticationValidator _authentication = new(options);

    public IReadOnlyList<TenantConfigError> Validate(TenantConfig tenant)
    {
        var authentication = tenant.Authentication ?? options.Defaults.Authentication;
        var errors = RecordFields.Validate(tenant with { Authentication = authentication }, TenancyJson.Default.TenantConfig).ToList();
        if ((TenantId.Explain(tenant.Id) ?? PublicUrlIds.Explain(tenant.Id, options)) is { } reason)
        {
            errors.Add(new("id", reason));
        }

        ValidateUrls(tenant, errors);
        _authentication.Validate(tenant, authentication, errors);
        if (tenant.Platform is { } platform && !platforms.Contains(platform))
        {
            errors.Add(new("platform", $"'{platform}' is no platform of this server; it has {string.Join(", ", platforms)}"));
        }
        else if (toolsOf is not null && tenant.Limits?.Tools is { Count: > 0 } tools)
        {
            var platformOfTools = tenant.Platform ?? options.Defaults.Platform ?? platforms.First();
            errors.AddRange(FindUnknown(tools.Keys, platformOfTools, toolsOf(platformOfTools)));
        }

        if (tenant.Settings is { ValueKind: not System.Text.Json.JsonValueKind.Object })
        {
            errors.Add(new("settings", "must be a JSON object"));
        }

        errors.AddRange(tenant.Secrets?.Validate() ?? []);

        return errors;
    }

    // A limit of a tool that is not there, such as a misspelt one, would limit nothing.
    internal static IEnumerable<TenantConfigError> FindUnknown(IEnumerable<string> tools, string platform, IReadOnlySet<string> known) =>
        tools
            .Where(name => !known.Contains(name))
            .Order(StringComparer.Ordinal)
            .Select(name => new TenantConfigError(
                FieldPath.Join("limits.tools", name),
                $"the platform '{platform}' has no such tool; check its spelling, or take it out{Spelling.Suggest(name, known)}"
            ));

    private void ValidateUrls(TenantConfig tenant, List<TenantConfigError> errors)
    {
        var keys = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < tenant.Urls.Count; i++)
        {
            var field = $"urls[{i}]";
            if (!TenantUrl.TryParse(tenant.Urls[i], out var url, out var reason))
            {
                errors.Add(new(field, $"'{tenant.Urls[i]}' {reason}"));
            }
            else if (!keys.Add(url.Key))
            {
                errors.Add(new(field, $"'{url}' is listed twice"));
            }
            else if (url.Path.Length > 0 && !options.Identification.HasFlag(TenantIdentification.Path))
            {
                errors.Add(new(field, $"'{url}' has a path, but Tenancy:Identification has no 'path'"));
            }
            else if (url.Path.Length == 0 && !options.Identification.HasFlag(TenantIdentification.Host))
            {
                errors.Add(new(field, $"'{url}' names the tenant by its host, but Tenancy:Identification has no 'host'"));
            }
            else if (ImpliedOwners(url).FirstOrDefault(owner => owner != tenant.Id) is { } owner)
            {
                errors.Add(new(field, $"'{url}' belongs to the tenant id '{owner}', whether or not it exists yet"));
            }
            else if (IsServersOwn(url))
            {
                errors.Add(
                    new(
                        field,
                        $"'{url}' is this server's own, where every tenant can be named by path, header or token: use another host, or "
                            + "add a path"
                    )
                );
            }
        }
    }

    /// <summary>
    /// The ids that a URL, or what is above it, would be found by without being registered: <c>{id}.BaseDomain</c> and <c>/{id}</c>.
    /// </summary>
    private IEnumerable<string> ImpliedOwners(TenantUrl url)
    {
        var host = CanonicalHost.WithoutPort(url.Host).ToString();
        if (
            _baseDomain is not null
            && host.EndsWith("." + _baseDomain, StringComparison.Ordinal)
            && TenantId.TryParse(host[..^(_baseDomain.Length + 1)], out var byHost)
        )
        {
            yield return byHost.Value;
        }

        if (url.Path.Length > 1 && TenantId.TryParse(url.Path[1..], out var byPath))
        {
            yield return byPath.Value;
        }

        if (
            _publicUrl is { Path.Length: > 0 } publicUrl
            && url.Path.StartsWith(publicUrl.Path + "/", StringComparison.Ordinal)
            && TenantId.TryParse(url.Path[(publicUrl.Path.Length + 1)..], out var byPublicPath)
        )
        {
            yield return byPublicPath.Value;
        }
    }

    /// <summary>Whether a tenant with this URL would stand between the server's host and what others are named by there.</summary>
    private bool IsServersOwn(TenantUrl url) =>
        options.MultiTenant
        && (options.Identification & ~TenantIdentification.Host) != 0
        && (
            (url.Path.Length == 0 && (url.Host == _baseDomain || url.Host == _publicUrl?.Host))
            || (url.Path.Length > 0 && url.Path == _publicUrl?.Path)
        );
}
