using ModelContextProtocol;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;
using Tenancy.Mcp.Platforms;
using Tenancy.Mcp.Requests;

namespace Tenancy.Mcp.Sdk;

/// <summary>Makes the MCP SDK's list of tools what the caller may see, and what its revision of the protocol can read.</summary>
internal sealed class ToolListFilter(AnonymousAccess access)
{
    public McpRequestHandler<ListToolsRequestParams, ListToolsResult> Filter(
        McpRequestHandler<ListToolsRequestParams, ListToolsResult> next
    ) =>
        async (request, cancellationToken) =>
        {
            if (request.Params?.Cursor is not null && request.Server.ServerOptions.Handlers.ListToolsHandler is null)
            {
                throw NoSuchPage();
            }

            var result = await next(request, cancellationToken);
            if (RequestFlow.Current is not { } flow)
            {
                return result;
            }

            var isEarlier = string.CompareOrdinal(request.Server.NegotiatedProtocolVersion, ProtocolVersions.Modern) < 0;
            var tools = McpPlatformInstance.Of(flow.Tenant).Kind.Tools;
            result.Tools =
            [
                .. from tool in result.Tools
                let ours = Find(tools, tool)
                where access.Lists(flow.Tenant, flow.Caller, flow.User, ours)
                select ours is null ? tool
                : isEarlier ? ours.EarlierProtocolTool
                : ours.ListedProtocolTool,
            ];
            return result;
        };

    /// <summary>
    /// What a cursor is refused with where all is on one page (MCP, pagination). The SDK would answer an empty list, which reads as if
    /// there were nothing.
    /// </summary>
    public static McpProtocolException NoSuchPage() => new("There is no such page: begin without a cursor.", McpErrorCode.InvalidParams);

    private static TenantTool? Find(McpServerPrimitiveCollection<McpServerTool> tools, Tool tool) =>
        tools.TryGetPrimitive(tool.Name, out var found) && found is TenantTool ours && ours.ProtocolTool == tool ? ours : null;
}
