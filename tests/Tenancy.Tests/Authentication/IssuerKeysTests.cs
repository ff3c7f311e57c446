using System.Net;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Tenancy.Authentication;
using Tenancy.Configuration;
using Tenancy.Outbound;
using Tenancy.Resolution;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Authentication;

[Tier(Tier.Server)]
public sealed class IssuerKeysTests : IAsyncLifetime
{
    private readonly FakeTimeProvider _time = new();
    private readonly IOptions<TenancyOptions> _options = Options.Create(
        new TenancyOptions { Validation = { AllowedNetworks = [IPNetwork.Parse("127.0.0.0/8")], AllowHttp = true } }
    );
    private GuardedHttp _http = null!;
    private StubServer _issuer = null!;
    private IssuerKeys _keys = null!;

    public async ValueTask InitializeAsync()
    {
        _http = new(_options, new NameLookups(_time), _time, NullLogger<GuardedHttp>.Instance);
        _issuer = await StubServer.StartIssuerAsync(Publish("one"));
        _keys = new(
            TenantId.Parse("acme"),
            new()
            {
                Kind = TenantAuthenticationKind.Jwks,
                Issuer = _issuer.Url,
                JwksUri = _issuer.Url + "/keys",
            },
            new(_http, _options),
            _time,
            NullLogger.Instance
        );
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await _issuer.DisposeAsync();
    }

    [Fact]
    public async Task All_who_come_first_share_one_load_and_one_timeout_and_the_next_is_told_at_once()
    {
        var arrived = new TaskCompletionSource();
        _issuer.Answer = async context =>
        {
            arrived.SetResult();
            await Task.Delay(Timeout.Infinite, context.RequestAborted);
        };
        var callers = Enumerable.Range(0, 6).Select(_ => ReadAsync()).ToArray();
        await arrived.Task;
        _time.Advance(TimeSpan.FromSeconds(10));
        foreach (var caller in callers)
        {
            await Assert.ThrowsAsync<IssuerUnavailableException>(() => caller);
        }

        await Assert.ThrowsAsync<IssuerUnavailableException>(ReadAsync);
        Assert.Single(_issuer.Paths);

        _issuer.Answer = StubServer.Issuer(Publish("one"));
        _time.Advance(IssuerKeys.RetryInterval);
        Assert.Equal("one", await ReadAsync());
    }

    [Fact]
    public async Task A_caller_that_goes_does_not_end_the_load_of_the_others()
    {
        var (arrived, released) = (new TaskCompletionSource(), new TaskCompletionSource());
        _issuer.Answer = async context =>
        {
            arrived.SetResult();
            await released.Task;
            await StubServer.Issuer(Publish("one"))(context);
        };
        using var gone = new CancellationTokenSource();
        var first = _keys.GetAsync(gone.Token);
        await arrived.Task;
        var second = ReadAsync();
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        released.SetResult();
        Assert.Equal("one", await second);
    }

    [Fact]
    public async Task Of_a_load_and_a_check_at_once_the_one_that_began_later_counts()
    {
        var (early, checkedKeys) = (_time.GetTimestamp(), IssuerKeySet.Read(Publish("checked")));
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal("one", await ReadAsync());
        _keys.Learn(checkedKeys, early);
        Assert.Equal("one", await ReadAsync());
        _time.Advance(TimeSpan.FromSeconds(1));
        _keys.Learn(checkedKeys, _time.GetTimestamp());
        Assert.Equal("checked", await ReadAsync());
    }

    [Fact]
    public async Task Keys_are_renewed_behind_those_who_use_them()
    {
        Assert.Equal("one", await ReadAsync());
        var released = new TaskCompletionSource();
        _issuer.Answer = async context =>
        {
            await released.Task;
            await StubServer.Issuer(Publish("two"))(context);
        };
        _time.Advance(IssuerKeys.RefreshInterval);
        Assert.Equal("one", await ReadAsync());
        var renewal = _keys.TryRenewAsync(TestContext.Current.CancellationToken);
        released.SetResult();
        Assert.True(await renewal);
        Assert.Equal("two", await ReadAsync());
        Assert.Equal(2, _issuer.Paths.Count);
    }

    [Fact]
    public async Task After_a_quiet_time_the_first_waits_for_new_keys()
    {
        Assert.Equal("one", await ReadAsync());
        _issuer.Answer = StubServer.Issuer(Publish("two"));
        _time.Advance(IssuerKeys.MaximumAge);
        Assert.Equal("two", await ReadAsync());
    }

    [Theory]
    [InlineData(503)]
    [InlineData(404)]
    public async Task Known_keys_serve_on_while_the_issuer_has_none_to_show(int status)
    {
        Assert.Equal("one", await ReadAsync());
        _issuer.Answer = context =>
        {
            context.Response.StatusCode = status;
            return Task.CompletedTask;
        };
        _time.Advance(IssuerKeys.MaximumAge);
        Assert.Equal("one", await ReadAsync());

        // Who knows that it is away waits no more, even for one that hangs.
        _issuer.Answer = context => Task.Delay(Timeout.Infinite, context.RequestAborted);
        _time.Advance(IssuerKeys.RetryInterval);
        Assert.Equal("one", await ReadAsync());
    }

    [Fact]
    public async Task Known_keys_serve_on_where_a_later_place_has_another_issuers_document()
    {
        var isAway = false;
        await using var issuer = await StubServer.StartAsync(context =>
        {
            var (url, path) = ($"http://{context.Request.Host}", context.Request.Path.Value!);
            if (path == "/keys" || (isAway && path.StartsWith("/.well-known/oauth-", StringComparison.Ordinal)))
            {
                return context.Response.WriteAsync(path == "/keys" ? Publish("one") : StubServer.Discovery(url));
            }

            context.Response.StatusCode = isAway ? 404 : 200;
            return context.Response.WriteAsync(isAway ? "" : StubServer.Discovery(url, url + "/realms/acme"));
        });
        var keys = new IssuerKeys(
            TenantId.Parse("acme"),
            new() { Kind = TenantAuthenticationKind.Jwks, Issuer = issuer.Url + "/realms/acme" },
            new(_http, _options),
            _time,
            NullLogger.Instance
        );
        Assert.Single((await keys.GetAsync(TestContext.Current.CancellationToken)).Keys);
        isAway = true;
        _time.Advance(IssuerKeys.MaximumAge);
        Assert.Single((await keys.GetAsync(TestContext.Current.CancellationToken)).Keys);
    }

    [Fact]
    public async Task Keys_that_the_issuer_took_back_serve_no_more()
    {
        Assert.Equal("one", await ReadAsync());
        _issuer.Answer = StubServer.Issuer("""{ "keys": [] }""");
        _time.Advance(IssuerKeys.MaximumAge);
        await Assert.ThrowsAsync<IssuerUnavailableException>(ReadAsync);
    }

    [Fact]
    public async Task Unknown_keys_cause_one_load_a_minute_at_most()
    {
        Assert.Equal("one", await ReadAsync());
        _issuer.Answer = StubServer.Issuer(Publish("two"));
        Assert.False(await _keys.TryRenewAsync(TestContext.Current.CancellationToken));
        Assert.Single(_issuer.Paths);
        _time.Advance(IssuerKeys.UnknownKeyInterval);
        Assert.True(await _keys.TryRenewAsync(TestContext.Current.CancellationToken));
        Assert.Equal("two", await ReadAsync());
    }

    private static string Publish(string id)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return TestKeys.Set(TestKeys.Ec(key, id));
    }

    private async Task<string> ReadAsync()
    {
        var keys = await _keys.GetAsync(TestContext.Current.CancellationToken);
        return Assert.Single(keys.Keys).Id!;
    }
}
