using System.Reflection;

namespace Tenancy.Diagnostics;

/// <summary>The release of this library.</summary>
internal static class Release
{
    /// <summary>Gets its version, as it stands in <c>Tenancy.Version.props</c>.</summary>
    /// <remarks>What comes after the plus is the commit that was built.</remarks>
    public static string Version { get; } =
        typeof(Release).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "0.0.0";
}
