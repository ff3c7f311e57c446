using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Tenancy.Adcp;
using Tenancy.Configuration;
using Tenancy.Mcp;
using Tenancy.State;
using Tenancy.Tests.Fleet;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Adcp;

/// <summary>A node remembers the accounts of callers, and lets nobody write by what is no longer true.</summary>
[Tier(Tier.Process)]
public sealed class RememberedAccountsTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_account_that_was_suspended_on_another_node_takes_no_write_and_one_that_was_approved_there_takes_it()
    {
        var log = new Log();
        await using var nodes = await NodesOnOneStore.StartAsync(areHeard: false, services: (_, services) => Add(services, log));
        await SetAsync(nodes[0], AccountStatus.Active);
        Assert.Null(Error(await CallAsync(nodes[1], "keep_note")));
        Assert.Equal(1, log.Runs);

        // The second try finds the account as it is.
        await SetAsync(nodes[0], AccountStatus.Suspended);
        Assert.Equal("ACCOUNT_SUSPENDED", Error(await CallAsync(nodes[1], "keep_note")));
        Assert.Equal(1, await CountAsync(nodes[0]));

        await SetAsync(nodes[0], AccountStatus.Active);
        Assert.Null(Error(await CallAsync(nodes[1], "keep_note")));
        Assert.Equal(2, await CountAsync(nodes[0]));
    }

    [Fact]
    public async Task A_change_that_comes_while_the_handler_runs_lets_it_decide_again()
    {
        var log = new Log();
        await using var server = await TenancyServer.StartAsync(services: services => Add(services, log));
        await SetAsync(server, AccountStatus.Active);
        log.Meanwhile = run => run == 1 ? SetAsync(server, AccountStatus.Active, "Renamed") : Task.CompletedTask;
        Assert.Null(Error(await CallAsync(server, "keep_note")));
        Assert.Equal((2, 1), (log.Runs, await CountAsync(server)));

        log.Runs = 0;
        log.Meanwhile = _ => SetAsync(server, AccountStatus.Closed);
        Assert.Equal("ACCOUNT_SUSPENDED", Error(await CallAsync(server, "keep_note")));
        Assert.Equal((1, 1), (log.Runs, await CountAsync(server)));
    }

    [Fact]
    public async Task What_another_node_opens_is_read_here_in_a_moment_by_a_call_that_names_no_account()
    {
        var log = new Log();
        await using var nodes = await NodesOnOneStore.StartAsync(services: (_, services) => Add(services, log));
        await SetAsync(nodes[0], AccountStatus.Active);
        Assert.Equal(0, await CountByCallAsync(nodes[1]));
        await SetAsync(nodes[0], AccountStatus.Active, id: "acc_2");
        Assert.Null(Error(await CallAsync(nodes[0], "keep_note", "acc_2")));
        await Poll.UntilAsync(async () => await CountByCallAsync(nodes[1]) == 1);
    }

    [Fact]
    public async Task A_write_into_what_belongs_to_a_document_goes_by_the_accounts_as_they_are_when_it_names_none()
    {
        var log = new Log();
        await using var nodes = await NodesOnOneStore.StartAsync(areHeard: false, services: (_, services) => Add(services, log));
        await SetAsync(nodes[0], AccountStatus.Active);
        Assert.Null(Error(await CallAsync(nodes[0], "keep_note")));
        Assert.Null(Error(await CallAsync(nodes[1], "add_to_first_note", account: null, isKeyed: true)));
        Assert.Equal(2, await CountAsync(nodes[0]));

        // The caller has the account no more, and the other node does not know that yet.
        log.Meanwhile = run => run == 1 ? DeleteAsync(nodes[0]) : Task.CompletedTask;
        log.Runs = 0;
        Assert.NotNull(Error(await CallAsync(nodes[1], "add_to_first_note", account: null, isKeyed: true)));
        Assert.Equal(2, log.Runs);
        Assert.Equal(2, await CountAsync(nodes[0]));
    }

    [Theory]
    [InlineData(AccountStatus.Active, 1)]
    [InlineData(AccountStatus.PendingApproval, 0)]
    [InlineData(AccountStatus.PaymentRequired, 1)]
    [InlineData(AccountStatus.Suspended, 1)]
    [InlineData(AccountStatus.Rejected, 0)]
    [InlineData(AccountStatus.Closed, 0)]
    public async Task A_call_that_names_no_account_reads_none_that_waits_or_was_declined_or_is_over(AccountStatus status, int notes)
    {
        await using var server = await TenancyServer.StartAsync(services: services => Add(services, new()));
        await SetAsync(server, AccountStatus.Active);
        Assert.Null(Error(await CallAsync(server, "keep_note")));

        await SetAsync(server, status);

        Assert.Equal(notes, await CountByCallAsync(server));
    }

    [Fact]
    public async Task What_was_answered_is_answered_again_also_where_the_account_was_suspended_meanwhile()
    {
        var log = new Log();
        await using var server = await TenancyServer.StartAsync(services: services => Add(services, log));
        await SetAsync(server, AccountStatus.Active);
        var request = new JsonObject
        {
            ["account"] = new JsonObject { ["account_id"] = "acc_1" },
            ["idempotency_key"] = Guid.NewGuid().ToString("N"),
        };
        Assert.Null(Error(await server.CallAsync("acme", McpCalls.Acme, "keep_note", request.DeepClone().AsObject())));

        await SetAsync(server, AccountStatus.Suspended);
        var again = await server.CallAsync("acme", McpCalls.Acme, "keep_note", request);

        Assert.Null(Error(again));
        Assert.True((bool)again["structuredContent"]!["replayed"]!);
        Assert.Equal((1, "ACCOUNT_SUSPENDED"), (log.Runs, Error(await CallAsync(server, "keep_note"))));
    }

    private static void Add(IServiceCollection services, Log log)
    {
        services.AddSingleton(log);
        services.AddSingleton<IAccountResolver, SyncedAccounts>();
        services.AddSingleton(new CommonHandlers(platform => platform.AddHandlers<Handlers>()));
    }

    private static Task<JsonNode> CallAsync(TenancyServer server, string tool, string? account = "acc_1", bool isKeyed = false)
    {
        var arguments = new JsonObject();
        if (account is not null)
        {
            arguments["account"] = new JsonObject { ["account_id"] = account };
        }

        if (account is not null || isKeyed)
        {
            arguments["idempotency_key"] = Guid.NewGuid().ToString("N");
        }

        return server.CallAsync("acme", McpCalls.Acme, tool, arguments);
    }

    private static async Task<int> CountByCallAsync(TenancyServer server) =>
        (int)(await CallAsync(server, "count_notes", account: null))["structuredContent"]!["notes"]!;

    private static string? Error(JsonNode result) => result["structuredContent"]?["adcp_error"]?["code"]?.ToString();

    private static async Task SetAsync(TenancyServer server, AccountStatus status, string name = "Account", string id = "acc_1")
    {
        var who = (await server.CallAsync("acme", McpCalls.Acme, "whoami"))["content"]![0]!["text"]!.ToString();
        await using var scope = Scopes(server).Open(TenantId.Parse("acme"), "test", who.Split('|')[1]);
        var documents = scope.Context.Documents<AccountDocument>();
        var account = new Account
        {
            AccountId = id,
            Name = name,
            Status = status,
        };
        if (await documents.GetAsync(id, Token) is { } there)
        {
            await documents.ReplaceAsync(there with { Account = account }, Token);
        }
        else
        {
            await documents.CreateWithIdAsync(id, new() { Account = account }, Token);
        }

        await scope.CommitAsync(Token);
    }

    private static async Task DeleteAsync(TenancyServer server)
    {
        var who = (await server.CallAsync("acme", McpCalls.Acme, "whoami"))["content"]![0]!["text"]!.ToString();
        await using var scope = Scopes(server).Open(TenantId.Parse("acme"), "test", who.Split('|')[1]);
        Assert.True(await scope.Context.Documents<AccountDocument>().DeleteAsync("acc_1", Token));
        await scope.CommitAsync(Token);
    }

    private static async Task<int> CountAsync(TenancyServer server)
    {
        await using var scope = Scopes(server).Open(TenantId.Parse("acme"), "test", "acc_1");
        return (await scope.Context.Documents<Kept>().ListAsync(limit: 200, cancellationToken: Token)).Items.Count;
    }

    private static TenantScopes Scopes(TenancyServer server) => server.Services.GetRequiredService<TenantScopes>();

    [Document("kept_notes")]
    public sealed record Kept : TenantDocument;

    public sealed record KeepRequest : AdcpRequest, IAccountRequest, IIdempotentRequest
    {
        public AccountReference? Account { get; init; }

        public required string IdempotencyKey { get; init; }
    }

    public sealed record CountRequest : AdcpRequest, IAccountRequest
    {
        public AccountReference? Account { get; init; }
    }

    public sealed record CountResponse : AdcpResponse
    {
        public int Notes { get; init; }
    }

    public sealed class Log
    {
        public int Runs { get; set; }

        public Func<int, Task> Meanwhile { get; set; } = _ => Task.CompletedTask;
    }

    public sealed class Handlers(Log log)
    {
        [AdcpTool("keep_note")]
        public async Task<CountResponse> KeepAsync(KeepRequest request, ToolContext context, CancellationToken cancellationToken)
        {
            log.Runs++;
            await context.Documents<Kept>().CreateAsync(new(), cancellationToken: cancellationToken);
            await log.Meanwhile(log.Runs);
            return new() { Notes = 1 };
        }

        [AdcpTool("add_to_first_note")]
        public async Task<CountResponse> AddAsync(KeepRequest request, ToolContext context, CancellationToken cancellationToken)
        {
            log.Runs++;
            var notes = context.Documents<Kept>();
            var page = await notes.ListAsync(limit: 1, cancellationToken: cancellationToken);
            var first = page.Items is [var one, ..] ? one : throw new AdcpException(AdcpError.InvalidRequest, "There is no note.");
            await notes.Of(first).CreateAsync(new(), cancellationToken: cancellationToken);
            await log.Meanwhile(log.Runs);
            return new() { Notes = 1 };
        }

        [AdcpTool("count_notes")]
        public async Task<CountResponse> CountAsync(CountRequest request, ToolContext context, CancellationToken cancellationToken) =>
            new() { Notes = (await context.Documents<Kept>().ListAsync(limit: 200, cancellationToken: cancellationToken)).Items.Count };
    }
}
