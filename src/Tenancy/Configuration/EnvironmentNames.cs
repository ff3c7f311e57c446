using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Configuration.EnvironmentVariables;
using Microsoft.Extensions.Configuration.Memory;

namespace Tenancy.Configuration;

/// <summary>
/// The short variables that hosting platforms set. They win over appsettings; <c>Tenancy__...</c> variables and the command line win over them.
/// </summary>
internal static class EnvironmentNames
{
    internal static readonly (string Variable, string Setting)[] Names =
    [
        ("MULTI_TENANT_ENABLED", "Tenancy:MultiTenant"),
        ("TENANT_IDENTIFICATION", "Tenancy:Identification"),
        ("TENANT_ADMIN_API_KEY", "Tenancy:Admin:Keys"),
    ];

    public static void Apply(IConfiguration configuration)
    {
        if (configuration is not IConfigurationBuilder builder)
        {
            return;
        }

        var settings = new Dictionary<string, string?>();
        foreach (var (variable, setting) in Names)
        {
            if (configuration[variable] is { Length: > 0 } value)
            {
                settings[setting] = value;
            }
        }

        if (configuration["PORT"] is { Length: > 0 } port)
        {
            settings["urls"] = $"http://*:{port}";
        }

        if (settings.Count > 0)
        {
            builder.Sources.Insert(BelowEnvironment(builder.Sources), new MemoryConfigurationSource { InitialData = settings });
        }
    }

    private static int BelowEnvironment(IList<IConfigurationSource> sources)
    {
        for (var i = sources.Count - 1; i >= 0; i--)
        {
            if (sources[i] is EnvironmentVariablesConfigurationSource { Prefix: null or "" })
            {
                return i;
            }
        }

        return sources.Count;
    }
}
