using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Tenancy.Adcp;
using Tenancy.Mcp;

namespace Adcp_TenantServer.Handlers;

/// <summary>
/// Says where in the shop products are sponsored: a tool of one's own beside those of AdCP, which retailers have and publishers have not.
/// </summary>
[HandlersOf(typeof(Retailer))]
public sealed class Shelves
{
    [AdcpTool("list_shelves")]
    [Description("Lists the places in the shop at which products can be sponsored.")]
    public Task<ListShelvesResponse> ListAsync(ListShelvesRequest request, ToolContext context, CancellationToken cancellationToken) =>
        Task.FromResult(
            new ListShelvesResponse { Shelves = [.. context.Platform<Retailer>().Shelves.Take(request.Limit ?? int.MaxValue)] }
        );
}

/// <summary>Asks for the places in the shop.</summary>
public sealed record ListShelvesRequest : AdcpRequest
{
    [Description("The most places that are listed.")]
    [Range(1, 100)]
    public int? Limit { get; init; }
}

/// <summary>The places in the shop.</summary>
public sealed record ListShelvesResponse : AdcpResponse
{
    public required IReadOnlyList<string> Shelves { get; init; }
}
