using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Tenancy.Authentication;
using Tenancy.Configuration;
using Tenancy.Mcp;
using Tenancy.Mcp.Platforms;
using Tenancy.Registry;
using Tenancy.State;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Mcp;

/// <summary>Idempotency keys for tools of any kind, where they are not used as AdCP uses them.</summary>
[Tier(Tier.Server)]
public sealed class KeyedCallsTests : IAsyncLifetime
{
    private const string Account = "account";
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(30);
    private readonly FakeTimeProvider _clock = new(DateTimeOffset.UtcNow);
    private TenancyServer _server = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private KeyedCalls Keyed => _server.Services.GetRequiredService<KeyedCalls>();

    public async ValueTask InitializeAsync() =>
        _server = await TenancyServer.StartAsync(services: services => services.AddSingleton<TimeProvider>(_clock));

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task Who_answers_before_the_handler_has_ended_commits_nothing_of_it()
    {
        var (call, hasBegun, mayEnd) = (Begin(), new TaskCompletionSource(), new TaskCompletionSource());
        var running = Keyed.RunAsync(
            call,
            Request("key-of-a-slow-handler"),
            async _ =>
            {
                await call.Context.Documents<Ticket>().CreateWithIdAsync("first", new(), Token);
                hasBegun.SetResult();
                await mayEnd.Task;
                await call.Context.Documents<Ticket>().CreateWithIdAsync("second", new(), Token);
                return "{}"u8.ToArray();
            },
            Token
        );
        await hasBegun.Task;
        _clock.Advance(Timeout + TimeSpan.FromSeconds(6));
        Assert.IsType<KeyedOutcome.TookTooLong>(await running);

        // What a tool does whose answer to that is no error.
        await call.CommitAsync();
        await call.ReleaseAsync();
        Assert.Empty(await IdsAsync());

        mayEnd.SetResult();
        await Poll.UntilAsync(async () => (await IdsAsync()).Length > 0);
        Assert.Equal(["first", "second"], await IdsAsync());
    }

    [Fact]
    public async Task The_account_of_a_claimed_request_cannot_change()
    {
        var call = Begin();
        await Assert.ThrowsAsync<InvalidOperationException>(() =>
            Keyed.RunAsync(
                call,
                Request("key-of-another-account"),
                _ =>
                {
                    call.ForAccount("another");
                    return Task.FromResult("{}"u8.ToArray());
                },
                Token
            )
        );
        await call.ReleaseAsync();

        // The key was given back.
        var again = Begin();
        var outcome = await Keyed.RunAsync(again, Request("key-of-another-account"), _ => Task.FromResult("{}"u8.ToArray()), Token);
        Assert.False(Assert.IsType<KeyedOutcome.Done>(outcome).IsReplay);
        await again.ReleaseAsync();
    }

    [Fact]
    public async Task What_was_written_before_the_key_was_claimed_and_flushed_is_written_once_however_often_the_handler_runs()
    {
        await WriteElsewhereAsync(orders => orders.CreateWithIdAsync("counter", new(), Token));
        var (call, runs) = (Begin(), 0);
        await call.Context.Documents<Ticket>().CreateWithIdAsync("before", new(), Token);
        var outcome = await Keyed.RunAsync(
            call,
            Request("key-after-a-write"),
            async _ =>
            {
                if (++runs == 1)
                {
                    await call.Context.FlushAsync(Token);
                }

                var orders = call.Context.Documents<Ticket>();
                var counter = (await orders.GetAsync("counter", Token))!;
                if (runs < 3)
                {
                    await WriteElsewhereAsync(async rival => await rival.ReplaceAsync((await rival.GetAsync("counter", Token))!, Token));
                }

                await orders.ReplaceAsync(counter with { Number = runs }, Token);
                return "{}"u8.ToArray();
            },
            Token
        );
        await call.ReleaseAsync();

        Assert.IsType<KeyedOutcome.Done>(outcome);
        Assert.Equal(3, runs);
        Assert.Equal(["before", "counter"], (await IdsAsync()).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task What_was_written_after_a_flush_and_before_the_claim_is_not_lost_when_the_handler_runs_again()
    {
        await WriteElsewhereAsync(orders => orders.CreateWithIdAsync("counter", new(), Token));
        var (call, runs) = (Begin(), 0);
        await call.Context.Documents<Ticket>().CreateWithIdAsync("flushed", new(), Token);
        await call.Context.FlushAsync(Token);
        await call.Context.Documents<Ticket>().CreateWithIdAsync("before", new(), Token);
        var outcome = await Keyed.RunAsync(
            call,
            Request("key-after-a-flush"),
            async _ =>
            {
                var orders = call.Context.Documents<Ticket>();
                var counter = (await orders.GetAsync("counter", Token))!;
                if (++runs == 1)
                {
                    await WriteElsewhereAsync(async rival => await rival.ReplaceAsync((await rival.GetAsync("counter", Token))!, Token));
                }

                await orders.ReplaceAsync(counter with { Number = runs }, Token);
                return "{}"u8.ToArray();
            },
            Token
        );
        await call.ReleaseAsync();

        Assert.IsType<KeyedOutcome.Done>(outcome);
        Assert.Equal(2, runs);
        Assert.Equal(["before", "counter", "flushed"], (await IdsAsync()).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_caller_without_credentials_has_no_keys()
    {
        // A tool that is open to all gets as far as this.
        var call = Begin(CallerIdentity.Anonymous, "get_products");
        await Assert.ThrowsAsync<InvalidOperationException>(() =>
            Keyed.RunAsync(call, Request("key-of-nobody"), _ => Task.FromResult("{}"u8.ToArray()), Token)
        );
        await call.ReleaseAsync();
    }

    private static KeyedRequest Request(string key) => new("tool", key, "hash", Timeout);

    private Call Begin(CallerIdentity? caller = null, string? tool = null)
    {
        var tenant = _server.Services.GetRequiredService<TenantRegistry>().Get("acme")!;
        var found = tool is null ? null : McpPlatformInstance.Of(tenant).Kind.FindTool(Encoding.UTF8.GetBytes($"\"{tool}\""));
        var call = _server
            .Services.GetRequiredService<CallStarter>()
            .TryBegin(tenant, caller ?? CallerIdentity.FromPrincipal("buyer")!, tool: found)
            .Call!;
        call.ForAccount(Account);
        return call;
    }

    private async Task WriteElsewhereAsync(Func<Documents<Ticket>, Task> write)
    {
        await using var scope = Open();
        await write(scope.Context.Documents<Ticket>());
        await scope.CommitAsync(Token);
    }

    private async Task<string[]> IdsAsync()
    {
        await using var scope = Open();
        return [.. (await scope.Context.Documents<Ticket>().ListAsync(cancellationToken: Token)).Items.Select(order => order.Id)];
    }

    private TenantScope Open() => _server.Services.GetRequiredService<TenantScopes>().Open(TenantId.Parse("acme"), "a test", Account);

    [Document("tickets")]
    private sealed record Ticket : TenantDocument
    {
        public int Number { get; init; }
    }
}
