using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using ModelContextProtocol.Server;
using Tenancy.Mcp;

namespace Tenancy.Tests.Docs.Snippets;

/// <summary>JSON-RPC methods of the shop's own.</summary>
internal static class ShopMethods
{
    public static void Add(IServiceCollection services)
    {
#pragma warning disable MCPEXP002 // Methods of one's own are experimental in the MCP SDK.
        services.Configure<McpServerOptions>(options =>
            options.RequestHandlers = [new() { Method = "shop/hours", Handler = (request, _) => new(Hours(request.Services!)) }]
        );
#pragma warning restore MCPEXP002
    }

    private static JsonObject Hours(IServiceProvider call)
    {
        var context = call.GetRequiredService<ToolContext>();
        return new() { ["shop"] = context.TenantName, ["greeting"] = context.Platform<Shop>().Greeting };
    }
}
