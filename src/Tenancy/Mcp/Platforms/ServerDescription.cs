using ModelContextProtocol.Protocol;
using Tenancy.Diagnostics;
using Tenancy.Registry;

namespace Tenancy.Mcp.Platforms;

/// <summary>What the server of a tenant says that it is: its name, and the version of this library.</summary>
internal static class ServerDescription
{
    /// <summary>Describes a server of a name.</summary>
    public static Implementation Of(string name) => new() { Name = name, Version = Release.Version };

    /// <summary>The name of a tenant's server.</summary>
    public static string NameOf(TenantModel tenant) => tenant.Config.Name ?? tenant.Id.Value;
}
