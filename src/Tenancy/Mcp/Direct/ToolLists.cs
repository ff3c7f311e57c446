using System.Buffers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;
using Tenancy.Mcp.Platforms;
using Tenancy.Mcp.Requests;

namespace Tenancy.Mcp.Direct;

/// <summary>The tools of a platform as lists of them have them. They are the same for all its tenants, and written once.</summary>
internal sealed class ToolLists(McpServerPrimitiveCollection<McpServerTool> tools)
{
    private static readonly JsonTypeInfo<Tool> ToolType = (JsonTypeInfo<Tool>)McpJsonUtilities.DefaultOptions.GetTypeInfo(typeof(Tool));

    private readonly Lazy<Form> _earlier = new(() => new(tools, tool => tool.EarlierProtocolTool));
    private readonly Lazy<Form> _modern = new(() => new(tools, tool => tool.ProtocolTool));

    /// <summary>Writes the JSON array of the tools that the caller may call.</summary>
    public void Write(McpRequest request, IBufferWriter<byte> output)
    {
        var form = request.IsModern ? _modern.Value : _earlier.Value;
        if (!request.Platform.Kind.HasScopes)
        {
            output.Write(form.All);
            return;
        }

        output.Write("["u8);
        var isFirst = true;
        foreach (var (tool, json) in form.Each)
        {
            if (ToolScopes.Missing(request.Tenant, request.User, tool).Count == 0)
            {
                output.Write(isFirst ? ""u8 : ","u8);
                output.Write(json);
                isFirst = false;
            }
        }

        output.Write("]"u8);
    }

    private sealed class Form
    {
        public Form(McpServerPrimitiveCollection<McpServerTool> tools, Func<TenantTool, Tool> describe)
        {
            Each = [.. tools.OfType<TenantTool>().Select(tool => (tool, JsonSerializer.SerializeToUtf8Bytes(describe(tool), ToolType)))];
            All = [(byte)'[', .. Each.SelectMany((tool, number) => number == 0 ? tool.Json : [(byte)',', .. tool.Json]), (byte)']'];
        }

        public (TenantTool Tool, byte[] Json)[] Each { get; }

        public byte[] All { get; }
    }
}
