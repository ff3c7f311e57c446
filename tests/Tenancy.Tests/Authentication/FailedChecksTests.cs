using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Tenancy.Authentication;
using Tenancy.Registry;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Authentication;

/// <summary>The bound on bad tokens holds for those that come at once, too, and keeps nobody out who is good.</summary>
[Tier(Tier.Server)]
public sealed class FailedChecksTests
{
    private const int AtOnce = 150;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Of_many_bad_tokens_at_once_no_more_are_checked_than_an_address_may_show()
    {
        var validator = new SlowValidator(checksAtOnce: 60);
        await using var server = await StartAsync(validator);
        var sending = Enumerable.Range(0, AtOnce).Select(number => StatusAsync(server, $"acme.bad-{number}")).ToArray();
        await validator.ReachedAsync();

        // The others wait for the outcome of these, and are not checked meanwhile.
        await Task.Delay(200, Token);
        Assert.Equal(60, validator.Checks);
        validator.Open();
        var statuses = await Task.WhenAll(sending);
        Assert.Equal(60, validator.Checks);
        Assert.Equal(60, statuses.Count(status => status == HttpStatusCode.Unauthorized));
        Assert.Equal(AtOnce - 60, statuses.Count(status => status == HttpStatusCode.TooManyRequests));

        // Another tenant's callers at the same address are not touched.
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(server, "globex.good", "globex"));
    }

    [Fact]
    public async Task Many_good_tokens_at_once_from_one_address_all_get_through()
    {
        var validator = new SlowValidator(checksAtOnce: 60);
        await using var server = await StartAsync(validator);
        var sending = Enumerable.Range(0, AtOnce).Select(number => StatusAsync(server, $"acme.good-{number}")).ToArray();
        await validator.ReachedAsync();
        validator.Open();
        Assert.All(await Task.WhenAll(sending), status => Assert.Equal(HttpStatusCode.OK, status));
    }

    private static Task<TenancyServer> StartAsync(SlowValidator validator) =>
        TenancyServer.StartAsync(services: services => services.AddSingleton<ITokenValidator>(validator));

    private static async Task<HttpStatusCode> StatusAsync(TenancyServer server, string token, string tenant = "acme")
    {
        using var request = McpCalls.Post(server.Port, Way.Path, tenant, token, McpCalls.Call("whoami"));
        using var response = await server.Client.SendAsync(request, Token);
        return response.StatusCode;
    }

    /// <summary>Takes tokens that say that they are good, and keeps those waiting that come first.</summary>
    private sealed class SlowValidator(int checksAtOnce) : ITokenValidator
    {
        private readonly TaskCompletionSource _reached = new();
        private readonly TaskCompletionSource _open = new();
        private int _checks;

        public int Checks => Volatile.Read(ref _checks);

        public Task ReachedAsync() => _reached.Task.WaitAsync(TimeSpan.FromSeconds(20), Token);

        public void Open() => _open.TrySetResult();

        public async ValueTask<TokenPrincipal?> ValidateAsync(TenantModel tenant, string token, CancellationToken cancellationToken)
        {
            if (tenant.Id.Value == "acme")
            {
                if (Interlocked.Increment(ref _checks) == checksAtOnce)
                {
                    _reached.TrySetResult();
                }

                await _open.Task.WaitAsync(cancellationToken);
            }

            return token.Contains("good", StringComparison.Ordinal) ? new TokenPrincipal(token) : null;
        }
    }
}
