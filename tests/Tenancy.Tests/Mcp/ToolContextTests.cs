using System.Collections.Concurrent;
using Microsoft.Extensions.Caching.Distributed;
using Microsoft.Extensions.DependencyInjection;
using Tenancy.Configuration;
using Tenancy.Mcp;
using Tenancy.Registry;
using Tenancy.State;
using Tenancy.Testing;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Mcp;

/// <summary>A context reaches one tenant, as long as its call lasts.</summary>
[Tier(Tier.Server)]
public sealed class ToolContextTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Nothing_of_a_context_works_after_its_call()
    {
        await using var server = await TenancyServer.StartAsync();
        ToolContext context;
        Documents<TestBuy> documents;
        TenantCache cache;
        using (var call = TestToolContext.Begin(server.Services, "acme"))
        {
            context = call.Context;
            documents = context.Documents<TestBuy>();
            cache = context.Cache;
            Assert.Equal("acme-banner", context.Platform<ITestSeller>().Product);
        }

        Assert.Throws<InvalidOperationException>(() => context.Platform<ITestSeller>());
        Assert.Throws<InvalidOperationException>(() => context.Documents<TestBuy>());
        Assert.Throws<InvalidOperationException>(() => context.Cache);
        await Assert.ThrowsAsync<InvalidOperationException>(() => documents.GetAsync("x", Token));
        await Assert.ThrowsAsync<InvalidOperationException>(() => documents.ListAsync(cancellationToken: Token));
        await Assert.ThrowsAsync<InvalidOperationException>(() =>
            documents.CreateAsync(new() { Seller = "x", Budget = 1 }, cancellationToken: Token)
        );
        await Assert.ThrowsAsync<InvalidOperationException>(async () =>
            await cache.GetOrCreateAsync("x", _ => new ValueTask<int>(1), cancellationToken: Token)
        );
    }

    [Fact]
    public async Task A_platform_of_another_kind_is_not_given()
    {
        await using var server = await TenancyServer.StartAsync();
        using var call = TestToolContext.Begin(server.Services, "acme");
        Assert.NotNull(call.Context.Platform<TestPublisher>());
        Assert.Contains(
            "TestRetailer",
            Assert.Throws<InvalidOperationException>(() => call.Context.Platform<TestRetailer>()).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task What_is_cached_is_seen_by_those_who_share_it_and_by_nobody_else()
    {
        await using var server = await TenancyServer.StartAsync();
        foreach (var sharing in Enum.GetValues<CacheSharing>())
        {
            Assert.Equal("acme/one", await CacheAsync("acme", "one", sharing));
            Assert.Equal("acme/one", await CacheAsync("acme", "one", sharing));
            Assert.Equal(sharing == CacheSharing.Tenant ? "acme/one" : "acme/two", await CacheAsync("acme", "two", sharing));
            Assert.Equal("globex/one", await CacheAsync("globex", "one", sharing));
        }

        async Task<string> CacheAsync(string tenant, string caller, CacheSharing sharing)
        {
            using var call = TestToolContext.Begin(server.Services, tenant, caller);
            return await call.Context.Cache.GetOrCreateAsync(
                "key",
                _ => ValueTask.FromResult($"{tenant}/{caller}"),
                sharing,
                cancellationToken: Token
            );
        }
    }

    [Fact]
    public async Task A_distributed_cache_of_the_application_has_what_is_cached_under_keys_of_its_tenant()
    {
        var shared = new SharedCache();
        await using var server = await TenancyServer.StartAsync(services: services => services.AddSingleton<IDistributedCache>(shared));
        foreach (var tenant in new[] { "acme", "globex" })
        {
            using var call = TestToolContext.Begin(server.Services, tenant);
            await call.Context.Cache.GetOrCreateAsync("key", _ => ValueTask.FromResult("x"), CacheSharing.Tenant, cancellationToken: Token);
        }

        await Poll.UntilAsync(() => Task.FromResult(shared.Values.Count == 2));
        Assert.Equal(["acme", "globex"], shared.Values.Keys.Select(key => key.Split('|')[0]).Order(StringComparer.Ordinal));
        Assert.All(shared.Values.Keys, key =>
        {
            var tenant = server.Services.GetRequiredService<TenantRegistry>().Get(key.Split('|')[0])!;
            Assert.StartsWith($"{tenant.Id}|{tenant.Version}|{tenant.Record.SessionEpoch}|tenant|", key, StringComparison.Ordinal);
        });
    }

    [Theory]
    [InlineData("|tenant|")]
    [InlineData("acme|1|tenant|x")]
    [InlineData("\u0000\r\n")]
    [InlineData("\ud800")]
    public async Task No_key_of_a_handler_reaches_what_another_tenant_cached(string key)
    {
        await using var server = await TenancyServer.StartAsync();
        using var acme = TestToolContext.Begin(server.Services, "acme");
        using var globex = TestToolContext.Begin(server.Services, "globex");
        await acme.Context.Cache.GetOrCreateAsync(key, _ => ValueTask.FromResult("acme's"), CacheSharing.Tenant, cancellationToken: Token);
        Assert.Equal(
            "globex's",
            await globex.Context.Cache.GetOrCreateAsync(
                key,
                _ => ValueTask.FromResult("globex's"),
                CacheSharing.Tenant,
                cancellationToken: Token
            )
        );
    }

    [Fact]
    public async Task What_a_tenant_cached_is_forgotten_when_it_changes_and_when_it_is_removed()
    {
        await using var server = await TenancyServer.StartAsync();
        var made = 0;
        await CacheAsync();
        await CacheAsync();
        Assert.Equal(1, made);
        using var removed = await CacheAsync(remove: true);
        await CacheAsync();
        Assert.Equal(2, made);
        using var changed = await server.AdminAsync(HttpMethod.Patch, "/acme", """{"name":"New"}""");
        await CacheAsync();
        Assert.Equal(3, made);

        async Task<TestToolContext> CacheAsync(bool remove = false)
        {
            var call = TestToolContext.Begin(server.Services, "acme");
            if (remove)
            {
                await call.Context.Cache.RemoveAsync<int>("key", CacheSharing.Tenant, Token);
                return call;
            }

            await call.Context.Cache.GetOrCreateAsync(
                "key",
                _ => ValueTask.FromResult(++made),
                CacheSharing.Tenant,
                cancellationToken: Token
            );
            return call;
        }
    }

    [Fact]
    public async Task A_value_that_is_being_made_is_made_for_the_others_when_the_first_who_asked_has_gone()
    {
        await using var server = await TenancyServer.StartAsync();
        using var gone = new CancellationTokenSource();
        var (begun, go) = (new TaskCompletionSource(), new TaskCompletionSource());
        var first = CountAsync(gone.Token);
        await begun.Task.WaitAsync(Token);
        var second = CountAsync(Token);
        await gone.CancelAsync();
        go.SetResult();
        Assert.Equal(1, await second);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);

        async Task<int> CountAsync(CancellationToken cancellationToken)
        {
            using var call = TestToolContext.Begin(server.Services, "acme");
            return await call.Context.Cache.GetOrCreateAsync(
                "count",
                async stop =>
                {
                    begun.SetResult();
                    await go.Task.WaitAsync(stop);

                    // Long enough for a call that does not wait for it to be over.
                    await Task.Yield();
                    await call.Context.Documents<TestBuy>().ListAsync(cancellationToken: stop);
                    return 1 + (await call.Context.Documents<TestBuy>().ListAsync(cancellationToken: stop)).Items.Count;
                },
                CacheSharing.Tenant,
                cancellationToken: cancellationToken
            );
        }
    }

    [Fact]
    public async Task Whenever_the_first_who_asked_goes_the_others_get_their_value()
    {
        await using var server = await TenancyServer.StartAsync();
        for (var i = 0; i < 200; i++)
        {
            var key = $"key {i}";
            using var gone = new CancellationTokenSource();
            var first = MakeAsync(key, gone.Token);
            var others = new[] { MakeAsync(key, Token), MakeAsync(key, Token) };
            await gone.CancelAsync();
            Assert.All(await Task.WhenAll(others), value => Assert.Equal("acme-banner", value));
            await Task.WhenAny(first);
            Assert.True(first.IsCanceled || first.IsCompletedSuccessfully, $"{first.Exception}");
        }

        async Task<string> MakeAsync(string key, CancellationToken cancellationToken)
        {
            using var call = TestToolContext.Begin(server.Services, "acme");
            return await call.Context.Cache.GetOrCreateAsync(
                key,
                async stop =>
                {
                    await Task.Yield();
                    return call.Context.Platform<ITestSeller>().Product;
                },
                CacheSharing.Tenant,
                cancellationToken: cancellationToken
            );
        }
    }

    [Fact]
    public async Task What_was_written_outside_a_call_and_never_committed_is_said_at_the_end()
    {
        await using var server = await TenancyServer.StartAsync();
        var scopes = server.Services.GetRequiredService<TenantScopes>();
        var scope = scopes.Open(TenantId.Parse("acme"), "forgets", "some-account");
        await WriteAsync(scope.Context);
        Assert.Contains(
            "CommitAsync",
            (await Assert.ThrowsAsync<InvalidOperationException>(async () => await scope.DisposeAsync())).Message,
            StringComparison.Ordinal
        );
        var call = TestToolContext.Begin(server.Services, "acme");
        await WriteAsync(call.Context);
        Assert.Contains("CommitAsync", Assert.Throws<InvalidOperationException>(call.Dispose).Message, StringComparison.Ordinal);

        await using var second = scopes.Open(TenantId.Parse("acme"), "means it", "some-account");
        await WriteAsync(second.Context);
        second.Discard();
        await second.CommitAsync(Token);
        using var third = TestToolContext.Begin(server.Services, "acme");
        await WriteAsync(third.Context);
        third.Discard();
        foreach (var context in new[] { second.Context, third.Context })
        {
            Assert.Empty((await context.Documents<TestBuy>().ListAsync(cancellationToken: Token)).Items);
        }

        static Task WriteAsync(ToolContext context) =>
            context.Documents<TestBuy>().CreateAsync(new() { Seller = "acme", Budget = 1 }, cancellationToken: Token);
    }

    [Fact]
    public async Task Work_outside_a_call_opens_its_tenant_on_purpose_and_is_logged()
    {
        await using var server = await TenancyServer.StartAsync();
        var scopes = server.Services.GetRequiredService<TenantScopes>();
        Documents<TestBuy> documents;
        await using (var scope = scopes.Open(TenantId.Parse("acme"), "nightly report", "some-account"))
        {
            Assert.Equal("system", scope.Context.Caller.Value);
            documents = scope.Context.Documents<TestBuy>();
            Assert.Single(
                (await documents.ListAsync(cancellationToken: Token)).Items.Append(
                    await documents.CreateAsync(new() { Seller = "acme", Budget = 1 }, cancellationToken: Token)
                )
            );
            await scope.CommitAsync(Token);
        }

        await Assert.ThrowsAsync<InvalidOperationException>(() => documents.ListAsync(cancellationToken: Token));
        Assert.Throws<TenantNotFoundException>(() => scopes.Open(TenantId.Parse("nobody"), "report"));
        Assert.Throws<ArgumentException>(() => scopes.Open(TenantId.Parse("acme"), " "));
        using var suspended = await server.AdminAsync(HttpMethod.Patch, "/acme", """{"status":"suspended"}""");
        Assert.Throws<TenantNotFoundException>(() => scopes.Open(TenantId.Parse("acme"), "report"));
    }

    // The real one of ASP.NET Core in memory would not do: HybridCache leaves it out.
    private sealed class SharedCache : IDistributedCache
    {
        public ConcurrentDictionary<string, byte[]> Values { get; } = new(StringComparer.Ordinal);

        public byte[]? Get(string key) => Values.GetValueOrDefault(key);

        public Task<byte[]?> GetAsync(string key, CancellationToken token = default) => Task.FromResult(Get(key));

        public void Set(string key, byte[] value, DistributedCacheEntryOptions options) => Values[key] = value;

        public Task SetAsync(string key, byte[] value, DistributedCacheEntryOptions options, CancellationToken token = default)
        {
            Set(key, value, options);
            return Task.CompletedTask;
        }

        public void Refresh(string key) { }

        public Task RefreshAsync(string key, CancellationToken token = default) => Task.CompletedTask;

        public void Remove(string key) => Values.TryRemove(key, out _);

        public Task RemoveAsync(string key, CancellationToken token = default)
        {
            Remove(key);
            return Task.CompletedTask;
        }
    }
}
