using System.Buffers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;

namespace Tenancy.Mcp.Platforms;

/// <summary>
/// The descriptions of a platform's tools, as <c>tools/list</c> answers them. They are the same for all tenants of the platform, so that
/// their JSON is made once.
/// </summary>
internal sealed class ToolLists(McpServerPrimitiveCollection<McpServerTool> tools)
{
    private static readonly JsonTypeInfo<Tool> ToolType = (JsonTypeInfo<Tool>)McpJsonUtilities.DefaultOptions.GetTypeInfo(typeof(Tool));

    private readonly Lazy<Form> _earlier = new(() => new(tools, tool => tool.EarlierProtocolTool));
    private readonly Lazy<Form> _modern = new(() => new(tools, tool => tool.ListedProtocolTool));

    /// <summary>Writes the JSON array of the tools that the caller sees.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="isModern">Whether the client speaks 2026-07-28 or later.</param>
    /// <param name="isSeen">Whether the caller sees a tool; null where it sees all of them.</param>
    public void Write(IBufferWriter<byte> output, bool isModern, Func<TenantTool, bool>? isSeen)
    {
        var form = isModern ? _modern.Value : _earlier.Value;
        if (isSeen is null)
        {
            output.Write(form.All);
            return;
        }

        output.Write("["u8);
        var isFirst = true;
        foreach (var (tool, json) in form.Each)
        {
            if (isSeen(tool))
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
