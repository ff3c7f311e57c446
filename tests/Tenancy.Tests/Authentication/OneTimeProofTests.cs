using System.Collections.Concurrent;
using System.Net;
using System.Security.Claims;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Authentication;

/// <summary>A scheme whose proof is good once holds streams as long as the application says, and no longer.</summary>
[Tier(Tier.Server)]
public sealed class OneTimeProofTests : IAsyncLifetime
{
    private static readonly TimeSpan Beat = TimeSpan.FromSeconds(15);

    private readonly FakeTimeProvider _clock = new(DateTimeOffset.UtcNow);
    private TenancyServer _server = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _server = await TenancyServer.StartAsync(services: services =>
        {
            services.AddSingleton<TimeProvider>(_clock).AddSingleton(new UsedProofs());
            services
                .AddAuthentication()
                .AddScheme<AuthenticationSchemeOptions, OneTimeHandler>("Once", configureOptions: null)
                .AddScheme<AuthenticationSchemeOptions, OneTimeHandler>("Strict", configureOptions: null);
            new TenancyBuilder(services).AddTenantScheme("Once", streamLifetime: TimeSpan.FromMinutes(1)).AddTenantScheme("Strict");
        });
        foreach (var (id, scheme) in new[] { ("o-buyers", "Once"), ("s-buyers", "Strict") })
        {
            using var answer = await _server.AdminAsync(
                HttpMethod.Post,
                "?wait=true",
                $$"""{ "id": "{{id}}", "authentication": { "kind": "scheme", "scheme": "{{scheme}}" } }"""
            );
            Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync(Token));
        }
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task Its_stream_is_not_asked_for_the_proof_again_and_ends_when_its_time_is_over()
    {
        var session = await InitializeAsync("o-buyers");
        await using (var stream = await OpenAsync("o-buyers", session))
        {
            await stream.ReadUntilAsync(OpenStream.Comment);
            for (var beat = 1; beat <= 3; beat++)
            {
                _clock.Advance(Beat);
                await stream.ReadUntilAsync(OpenStream.Comment);
            }

            _clock.Advance(Beat);
            await stream.ReadToEndAsync();
        }

        // With another proof it goes on.
        await using var next = await OpenAsync("o-buyers", session);
        Assert.Equal(HttpStatusCode.OK, next.Response.StatusCode);
        await next.ReadUntilAsync(OpenStream.Comment);
        using var suspended = await _server.AdminAsync(HttpMethod.Patch, "/o-buyers", """{"status":"suspended"}""");
        Assert.True(suspended.IsSuccessStatusCode);
        await next.ReadToEndAsync();
    }

    [Fact]
    public async Task Where_the_application_says_nothing_the_proof_is_asked_for_again_at_once()
    {
        var session = await InitializeAsync("s-buyers");
        try
        {
            await using var stream = await OpenAsync("s-buyers", session);
            await stream.ReadToEndAsync();
        }
        catch (HttpRequestException)
        {
            // It ended before its head was sent.
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(24 * 60 * 60 + 1)]
    public void A_time_that_is_none_is_refused_at_the_start(int seconds) =>
        Assert.Contains(
            "24 hours",
            Assert
                .Throws<ArgumentOutOfRangeException>(() =>
                    new TenancyBuilder(new ServiceCollection()).AddTenantScheme("Once", streamLifetime: TimeSpan.FromSeconds(seconds))
                )
                .Message,
            StringComparison.Ordinal
        );

    private async Task<string> InitializeAsync(string tenant)
    {
        using var request = Prove(McpCalls.Post(_server.Port, Way.Path, tenant, null, McpCalls.Initialize()));
        using var response = await _server.Client.SendAsync(request, Token);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return response.Headers.GetValues("Mcp-Session-Id").Single();
    }

    private async Task<OpenStream> OpenAsync(string tenant, string session)
    {
        using var request = Prove(McpCalls.Bodyless(HttpMethod.Get, _server.Port, Way.Path, tenant, null, session));
        return await OpenStream.SendAsync(_server, request);
    }

    private static HttpRequestMessage Prove(HttpRequestMessage request)
    {
        request.Headers.Add("X-Proof", Guid.NewGuid().ToString("N"));
        return request;
    }

    private sealed class UsedProofs
    {
        private readonly ConcurrentDictionary<string, bool> _used = new(StringComparer.Ordinal);

        public bool TryUse(string proof) => _used.TryAdd(proof, true);
    }

    private sealed class OneTimeHandler(
        IOptionsMonitor<AuthenticationSchemeOptions> options,
        ILoggerFactory loggers,
        UrlEncoder encoder,
        UsedProofs used
    ) : AuthenticationHandler<AuthenticationSchemeOptions>(options, loggers, encoder)
    {
        protected override Task<AuthenticateResult> HandleAuthenticateAsync()
        {
            if (Request.Headers["X-Proof"] is not [{ } proof])
            {
                return Task.FromResult(AuthenticateResult.NoResult());
            }

            var identity = new ClaimsIdentity([new Claim(ClaimTypes.NameIdentifier, "alice")], Scheme.Name);
            return Task.FromResult(
                used.TryUse(proof)
                    ? AuthenticateResult.Success(new(new ClaimsPrincipal(identity), Scheme.Name))
                    : AuthenticateResult.Fail("The proof was used before.")
            );
        }
    }
}
