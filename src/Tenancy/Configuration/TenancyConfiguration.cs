using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Primitives;

namespace Tenancy.Configuration;

/// <summary>
/// The application's configuration as the library reads it: short variables, which hosting platforms set, stand for settings. The
/// configuration itself stays as the application made it.
/// </summary>
/// <remarks>
/// A short variable counts in the source that has it, just below that source's own settings. As an environment variable it wins over
/// appsettings, and <c>Tenancy__...</c> variables and the command line win over it.
/// </remarks>
internal sealed class TenancyConfiguration : IConfigurationRoot
{
    /// <summary>The short variables, each with the setting that it stands for.</summary>
    public static readonly (string Variable, string Setting)[] Names =
    [
        ("MULTI_TENANT_ENABLED", "Tenancy:MultiTenant"),
        ("TENANT_IDENTIFICATION", "Tenancy:Identification"),
        ("TENANT_ADMIN_API_KEY", "Tenancy:Admin:Keys"),
    ];

    private readonly IConfigurationRoot _root;

    public TenancyConfiguration(IConfiguration configuration) =>
        _root =
            configuration as IConfigurationRoot
            ?? throw new ArgumentException(
                "The configuration must be the root of the application's configuration, such as builder.Configuration.",
                nameof(configuration)
            );

    /// <summary>
    /// Gets the application's sources, the lowest first, each that has short variables after a source of what they stand for.
    /// </summary>
    public IEnumerable<IConfigurationProvider> Providers =>
        _root.Providers.SelectMany(static provider => ShortNames.Read(provider) is { } names ? new[] { names, provider } : [provider]);

    public string? this[string key]
    {
        get
        {
            foreach (var provider in Providers.Reverse())
            {
                if (provider.TryGet(key, out var value))
                {
                    return value;
                }
            }

            return null;
        }
        set => throw new NotSupportedException("Settings are not changed here: change the application's configuration.");
    }

    public IConfigurationSection GetSection(string key) => new ConfigurationSection(this, key);

    public IEnumerable<IConfigurationSection> GetChildren() =>
        Providers
            .Aggregate(Enumerable.Empty<string>(), static (keys, provider) => provider.GetChildKeys(keys, parentPath: null))
            .Distinct(StringComparer.OrdinalIgnoreCase)
            .Select(GetSection);

    public IChangeToken GetReloadToken() => _root.GetReloadToken();

    public void Reload() => _root.Reload();

    /// <summary>The settings for which the short variables of one source stand.</summary>
    private sealed class ShortNames : ConfigurationProvider
    {
        private ShortNames(IDictionary<string, string?> settings) => Data = settings;

        /// <returns>Null where the source has no short variable.</returns>
        public static ShortNames? Read(IConfigurationProvider source)
        {
            Dictionary<string, string?>? settings = null;
            foreach (var (variable, setting) in Names)
            {
                if (source.TryGet(variable, out var value) && !string.IsNullOrEmpty(value))
                {
                    (settings ??= new(StringComparer.OrdinalIgnoreCase))[setting] = value;
                }
            }

            return settings is null ? null : new ShortNames(settings);
        }
    }
}
