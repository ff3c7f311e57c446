using System.Text.Json;
using Tenancy.Adcp;
using Tenancy.Mcp;

namespace Tenancy.Tests.Adcp;

/// <summary>AdCP tools that fail, and one whose answer has all that JSON can say.</summary>
internal sealed class DifferenceAdcpTools
{
    [AdcpTool("broken")]
    public Task<GetProductsResponse> BreakAsync(GetProductsRequest request, ToolContext context, CancellationToken cancellationToken) =>
        request.Brief switch
        {
            "refuse" => throw new AdcpException(AdcpError.ProductNotFound, "No such \"product\" <é>.", "brief"),
            "null" => Task.FromResult(new GetProductsResponse { Products = [null!] }),
            _ => throw new InvalidOperationException("not told"),
        };

    [AdcpTool("rich")]
    public Task<GetProductsResponse> AnswerAsync(GetProductsRequest request, ToolContext context, CancellationToken cancellationToken) =>
        Task.FromResult(
            new GetProductsResponse
            {
                Products = [],
                Ext = JsonElement.Parse("""{ "a" : [ 1.0, 1e2, -0, 12345678901234567890 ], "\u0061\u00e9" : "\u2028\n\"\\\/<>&'+😀" }"""),
                Extensions = new Dictionary<string, JsonElement> { ["é \"<\\"] = JsonElement.Parse("[{},[],\"\",null,true]") },
            }
        );
}
