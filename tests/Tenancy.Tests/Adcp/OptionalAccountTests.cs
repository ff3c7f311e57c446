using Microsoft.Extensions.DependencyInjection;
using Tenancy.Adcp;
using Tenancy.Mcp;
using Tenancy.State;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Adcp;

/// <summary>A request of one's own may leave the account out: then it is for all accounts of the caller, to be read only.</summary>
[Tier(Tier.Server)]
public sealed class OptionalAccountTests
{
    [Theory]
    [InlineData("count_notes")]
    [InlineData("count_notes_once")]
    public async Task A_request_without_an_account_reads_those_of_the_caller_whether_or_not_it_has_an_idempotency_key(string tool)
    {
        await using var server = await TenancyServer.StartAsync(services: services =>
            services.AddSingleton(new CommonHandlers(platform => platform.AddHandlers<NoteTools>()))
        );
        await server.CallAsync(
            "acme",
            McpCalls.Acme,
            "write_note",
            new() { ["account"] = new System.Text.Json.Nodes.JsonObject { ["account_id"] = "any" } }
        );
        var result = await server.CallAsync(
            "acme",
            McpCalls.Acme,
            tool,
            tool == "count_notes" ? null : new() { ["idempotency_key"] = Guid.NewGuid().ToString("N") }
        );
        Assert.Equal(1, (int)result["structuredContent"]!["notes"]!);
    }

    [Document("test_notes")]
    public sealed record Note : TenantDocument;

    public sealed record NotesRequest : AdcpRequest, IAccountRequest
    {
        public AccountReference? Account { get; init; }
    }

    public sealed record NotesOnceRequest : AdcpRequest, IAccountRequest, IIdempotentRequest
    {
        public AccountReference? Account { get; init; }

        public required string IdempotencyKey { get; init; }
    }

    public sealed record NotesResponse : AdcpResponse
    {
        public int Notes { get; init; }
    }

    public sealed class NoteTools
    {
        [AdcpTool("write_note")]
        public async Task<NotesResponse> WriteAsync(NotesRequest request, ToolContext context, CancellationToken cancellationToken)
        {
            await context.Documents<Note>().CreateAsync(new(), cancellationToken: cancellationToken);
            return new() { Notes = 1 };
        }

        [AdcpTool("count_notes")]
        public Task<NotesResponse> CountAsync(NotesRequest request, ToolContext context, CancellationToken cancellationToken) =>
            CountAsync(context, cancellationToken);

        [AdcpTool("count_notes_once")]
        public Task<NotesResponse> CountOnceAsync(NotesOnceRequest request, ToolContext context, CancellationToken cancellationToken) =>
            CountAsync(context, cancellationToken);

        private static async Task<NotesResponse> CountAsync(ToolContext context, CancellationToken cancellationToken) =>
            new() { Notes = (await context.Documents<Note>().ListAsync(cancellationToken: cancellationToken)).Items.Count };
    }
}
