using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;
using Tenancy.Configuration;
using Tenancy.Registry;

namespace Tenancy.Mcp.Platforms;

/// <summary>One tenant's instance of a platform.</summary>
internal sealed class McpPlatformInstance(PlatformKind kind, object instance, TenantId tenant, ILogger logger)
    : PlatformInstance(tenant, instance, logger)
{
    private Description? _description;

    public PlatformKind Kind { get; } = kind;

    public override IReadOnlySet<string> ToolNames => Kind.ToolNames;

    /// <summary>The platform of a tenant that is served.</summary>
    public static McpPlatformInstance Of(TenantModel tenant) => (McpPlatformInstance)tenant.Platform!;

    /// <summary>
    /// What results since 2026-07-28 end with: that they are complete, and which server they are from. It is written anew only where the
    /// tenant's name is another.
    /// </summary>
    public ReadOnlySpan<byte> ResultEnd(string name)
    {
        var known = Volatile.Read(ref _description);
        if (known?.Name != name)
        {
            Volatile.Write(ref _description, known = Describe(name));
        }

        return known.ResultEnd;
    }

    private static Description Describe(string name)
    {
        var server = JsonSerializer.Serialize(
            ServerDescription.Of(name),
            McpJsonUtilities.DefaultOptions.GetTypeInfo(typeof(Implementation))
        );
        return new(
            name,
            Encoding.UTF8.GetBytes($$""","resultType":"complete","_meta":{"io.modelcontextprotocol/serverInfo":{{server}}}""")
        );
    }

    private sealed record Description(string Name, byte[] ResultEnd);
}
