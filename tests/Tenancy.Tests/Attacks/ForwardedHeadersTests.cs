using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Attacks;

/// <summary>What a proxy says of a request is believed of the named ones alone, whoever else says it.</summary>
[Tier(Tier.Process)]
public sealed class ForwardedHeadersTests
{
    private const string Named = "127.0.0.3";
    private const string Stranger = "127.0.0.4";

    [Fact]
    public async Task A_named_proxy_gives_address_scheme_host_and_prefix()
    {
        await using var server = await StartAsync(Named);
        Assert.Equal(
            "192.0.2.7 https acme.example.com /api",
            await SeenAsync(server, Named, ("For", "192.0.2.7"), ("Proto", "https"), ("Host", "acme.example.com"), ("Prefix", "/api"))
        );
    }

    [Theory]
    [InlineData("::ffff:127.0.0.3", true)]
    [InlineData("::ffff:127.0.0.3/128", true)]
    [InlineData("::ffff:127.0.0.2/127", true)]
    [InlineData("::ffff:127.0.0.0/104", true)]
    [InlineData("::ffff:127.0.0.4", false)]
    [InlineData("::ffff:10.0.0.0/104", false)]
    public async Task A_proxy_may_be_named_by_its_address_as_ipv6_has_it(string proxies, bool isProxy)
    {
        await using var server = await StartAsync(proxies);
        Assert.StartsWith($"{(isProxy ? "192.0.2.7" : Named)} ", await SeenAsync(server, Named, ("For", "192.0.2.7")), Ordinal);
    }

    [Theory]
    [InlineData(Stranger, Stranger)]
    [InlineData(Named, "192.0.2.7")]
    public async Task What_is_written_into_the_headers_is_read_of_a_named_proxy_alone(string from, string address)
    {
        await using var server = await StartAsync(Named);
        var isProxy = from == Named;
        Assert.Equal(
            $"{address} {(isProxy ? "https" : "http")} {(isProxy ? "globex.localhost" : "acme.localhost")} {(isProxy ? "/globex" : "")}",
            await SeenAsync(server, from, ("For", "192.0.2.7"), ("Proto", "https"), ("Host", "globex.localhost"), ("Prefix", "/globex"))
        );
    }

    [Fact]
    public async Task Loopback_is_no_proxy_unless_it_is_named()
    {
        await using var server = await StartAsync(Named);
        Assert.StartsWith("127.0.0.1 http ", await SeenAsync(server, "127.0.0.1", ("For", "192.0.2.7"), ("Proto", "https")), Ordinal);
    }

    [Theory]
    [InlineData("192.0.2.7", "192.0.2.7")]
    // The proxy adds to what its client wrote: the last entry is the proxy's own.
    [InlineData("198.51.100.1, 192.0.2.7", "192.0.2.7")]
    [InlineData("127.0.0.1, 10.0.0.9, 192.0.2.7", "192.0.2.7")]
    // Two proxies, of which the first is named by its network.
    [InlineData("198.51.100.1, 192.0.2.7, 10.1.2.3", "192.0.2.7")]
    // What is no address ends it.
    [InlineData("nobody, 192.0.2.7", "192.0.2.7")]
    [InlineData("nobody", Named)]
    [InlineData("", Named)]
    public async Task An_address_is_read_from_the_end_as_far_as_proxies_are_named(string forwardedFor, string address)
    {
        await using var server = await StartAsync($"{Named},10.0.0.0/8");
        Assert.StartsWith($"{address} ", await SeenAsync(server, Named, ("For", forwardedFor)), Ordinal);
    }

    [Fact]
    public async Task Without_the_clients_address_nothing_is_read()
    {
        await using var server = await StartAsync(Named);
        Assert.Equal(
            $"{Named} http acme.localhost ",
            await SeenAsync(server, Named, ("Proto", "https"), ("Host", "globex.localhost, evil.example"), ("Prefix", "/globex"))
        );
    }

    [Fact]
    public async Task Limits_by_address_are_the_clients_own_behind_a_named_proxy()
    {
        await using var server = await StartAsync(Named);
        var first = await Task.WhenAll(Enumerable.Range(0, 65).Select(_ => CallAsync(server, Named, null, "192.0.2.1")));
        Assert.Equal(60, first.Count(status => status == HttpStatusCode.OK));
        Assert.Equal(HttpStatusCode.OK, await CallAsync(server, Named, null, "192.0.2.2"));
    }

    [Fact]
    public async Task Bad_tokens_of_one_client_keep_no_other_client_of_the_proxy_out()
    {
        await using var server = await StartAsync(Named);
        var guesses = await Task.WhenAll(Enumerable.Range(0, 80).Select(i => CallAsync(server, Named, $"acme.guess-{i}", "192.0.2.1")));
        Assert.Contains(HttpStatusCode.TooManyRequests, guesses);
        Assert.Equal(HttpStatusCode.OK, await CallAsync(server, Named, McpCalls.Acme, "192.0.2.2"));
    }

    [Theory]
    [InlineData(Stranger)]
    [InlineData(Named)]
    public async Task Who_writes_addresses_into_the_header_gets_no_further_budget(string from)
    {
        await using var server = await StartAsync(Named);
        var statuses = await Task.WhenAll(
            // A proxy adds the client's real address to what the client made up.
            Enumerable
                .Range(0, 65)
                .Select(number => CallAsync(server, from, null, $"198.51.100.{number}" + (from == Named ? ", 192.0.2.1" : "")))
        );
        Assert.Equal(60, statuses.Count(status => status == HttpStatusCode.OK));
    }

    [Fact]
    public async Task A_host_that_a_stranger_writes_names_no_tenant_and_opens_no_admin_API()
    {
        await using var server = await StartAsync(Named);
        using var client = ClientFrom(server, Stranger);
        using var call = McpCalls.Post(server.Port, Way.Header, "acme", McpCalls.Acme, McpCalls.Call("get_products"));
        call.Headers.Host = "evil.example";
        call.Headers.Add("X-Forwarded-Host", "acme.localhost");
        call.Headers.Add("X-Forwarded-For", "127.0.0.1");
        using var answer = await client.SendAsync(call, Token);
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);

        using var admin = new HttpRequestMessage(HttpMethod.Get, $"http://127.0.0.1:{server.Port}/admin/tenants");
        admin.Headers.Add("X-Admin-API-Key", TenancyServer.AdminKey);
        admin.Headers.Host = "evil.example";
        admin.Headers.Add("X-Forwarded-Host", "localhost");
        admin.Headers.Add("X-Forwarded-For", "127.0.0.1");
        using var refused = await client.SendAsync(admin, Token);
        Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
    }

    [Fact]
    public async Task A_tenant_is_called_at_the_host_that_a_named_proxy_passes_on()
    {
        await using var server = await StartAsync(Named);
        using var client = ClientFrom(server, Named);
        using var call = new HttpRequestMessage(HttpMethod.Post, $"http://127.0.0.1:{server.Port}/mcp")
        {
            Content = new StringContent(McpCalls.Call("get_products"), null, "application/json"),
        };
        call.Headers.Accept.ParseAdd("application/json");
        call.Headers.Authorization = new("Bearer", McpCalls.Acme);
        call.Headers.Host = "upstream.internal";
        call.Headers.Add("X-Forwarded-Host", "acme.example.com");
        call.Headers.Add("X-Forwarded-For", "192.0.2.7");
        using var answer = await client.SendAsync(call, Token);
        Assert.Contains("acme-banner", await answer.Content.ReadAsStringAsync(Token), Ordinal);
    }

    [Theory]
    [InlineData("nginx")]
    [InlineData("haproxy")]
    [InlineData("caddy")]
    [InlineData("apache")]
    [InlineData("varnish")]
    [InlineData("yarp")]
    public async Task Nothing_that_a_client_writes_passes_the_proxies_of_deploy(string kind)
    {
        await using var server = await StartAsync("127.0.0.1");
        await using var proxy = await DeployedProxy.StartAsync(kind, [server.Port, server.Port, server.Port]);
        using var client = NodeProcess.NewClient(() => proxy.Port);
        using var response = await SendAsync(() =>
            new HttpRequestMessage(HttpMethod.Get, "http://acme.localhost/seen")
            {
                Headers =
                {
                    { "X-Forwarded-For", "198.51.100.1, 127.0.0.1" },
                    { "X-Forwarded-Proto", "https" },
                    { "X-Forwarded-Host", "globex.localhost" },
                    { "X-Forwarded-Prefix", "/globex" },
                },
            }
        );
        Assert.Equal("127.0.0.1 http acme.localhost ", await response.Content.ReadAsStringAsync(Token));

        // Nor does it hold up what the server's own limits allow.
        using var refused = await SendAsync(() => Post(new string('a', 12 * 1024), McpCalls.Call("get_products")));
        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
        using var answered = await SendAsync(() => Post(McpCalls.Acme, McpCalls.Call("get_products") + new string(' ', 4_000_000)));
        Assert.Contains("acme-banner", await answered.Content.ReadAsStringAsync(Token), Ordinal);

        static HttpRequestMessage Post(string token, string body)
        {
            var call = McpCalls.Post(80, Way.Path, "acme", token, body);
            call.RequestUri = new Uri("http://localhost/acme/mcp");
            return call;
        }

        // On a busy machine a check of a node's health may come too late: the proxy then has none for a second.
        async Task<HttpResponseMessage> SendAsync(Func<HttpRequestMessage> request)
        {
            HttpResponseMessage? answer = null;
            await Poll.UntilAsync(async () =>
            {
                answer?.Dispose();
                using var sent = request();
                answer = await client.SendAsync(sent, Token);
                return answer.StatusCode is not (HttpStatusCode.ServiceUnavailable or HttpStatusCode.BadGateway);
            });
            return answer!;
        }
    }

    [Theory]
    [InlineData("Production", "10.0.0.1", 1)]
    [InlineData("Production", "", 1)]
    [InlineData("Production", Stranger, 0)]
    [InlineData("Development", "", 0)]
    public async Task Production_warns_once_of_headers_that_come_from_elsewhere(string environment, string proxies, int warnings)
    {
        var log = new LogRecorder();
        await using var server = await StartAsync(proxies, environment, log);
        await SeenAsync(server, Stranger);
        Assert.DoesNotContain(log.Entries, entry => entry.Event == "ProxyNotNamed");

        await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => SeenAsync(server, Stranger, ("For", "192.0.2.7"))));
        var entries = log.Entries.Where(entry => entry.Event == "ProxyNotNamed").ToArray();
        Assert.Equal(warnings, entries.Length);
        Assert.All(entries, entry => Assert.Contains($"{Stranger}, which Tenancy:Proxies does not name", entry.Text, Ordinal));
    }

    [Theory]
    [InlineData("0.0.0.0/0", "Tenancy:Proxies has '0.0.0.0/0', which is every address")]
    [InlineData("::/0", "Tenancy:Proxies has '::/0', which is every address")]
    [InlineData("::ffff:0.0.0.0/96", "/96', which is every address")]
    [InlineData("nginx", "Tenancy:Proxies has 'nginx': use an address, or a network such as 10.20.0.0/16")]
    [InlineData("10.1", "Tenancy:Proxies has '10.1': use an address, or a network")]
    [InlineData("10.0.0.1/33", "Tenancy:Proxies has '10.0.0.1/33': use an address, or a network")]
    public async Task A_proxy_that_cannot_be_meant_stops_the_start(string proxy, string message)
    {
        var exception = await Assert.ThrowsAnyAsync<OptionsValidationException>(() => StartAsync(proxy));
        Assert.Contains(message, exception.Message, Ordinal);
    }

    [Fact]
    public async Task The_frameworks_own_reading_of_the_headers_and_ours_are_not_both_on()
    {
        var exception = await Assert.ThrowsAnyAsync<OptionsValidationException>(() =>
            StartAsync(Named, settings: new() { ["ForwardedHeaders_Enabled"] = "true" })
        );
        Assert.Contains("ASPNETCORE_FORWARDEDHEADERS_ENABLED", exception.Message, Ordinal);
    }

    [Fact]
    public async Task A_refused_host_is_logged_once_a_minute_with_the_fix()
    {
        var log = new LogRecorder();
        var clock = new MovableClock();
        await using var server = await StartAsync("", "Development", log, clock);
        await RefuseAsync(server, "/mcp", 3);
        await RefuseAsync(server, "/admin/tenants", 1);
        clock.Advance(TimeSpan.FromSeconds(61));
        await RefuseAsync(server, "/mcp", 1);

        var entries = log.Entries.Where(entry => entry.Event is "HostRefused" or "AdminHostRefused").ToArray();
        Assert.Equal(["HostRefused", "AdminHostRefused", "HostRefused"], entries.Select(entry => entry.Event));
        Assert.Contains("at the host upstream.internal:8080 is refused, and 0 since", entries[0].Text, Ordinal);
        Assert.Contains("Tenancy:PublicUrl", entries[0].Text, Ordinal);
        Assert.Contains("Tenancy:Admin:AllowedHosts", entries[1].Text, Ordinal);
        Assert.Contains("and 2 since the last such entry", entries[2].Text, Ordinal);
    }

    private const StringComparison Ordinal = StringComparison.Ordinal;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static Task<TenancyServer> StartAsync(
        string proxies,
        string environment = "Development",
        LogRecorder? log = null,
        TimeProvider? clock = null,
        Dictionary<string, string?>? settings = null
    )
    {
        settings = new(settings ?? []) { ["Tenancy:Proxies"] = proxies.Length == 0 ? null : proxies };
        foreach (var (name, value) in TenancyServer.DefaultSettings.Where(_ => environment == "Development"))
        {
            settings[name] = value;
        }

        if (environment != "Development")
        {
            settings["Tenancy:PublicUrl"] = "https://agents.example.com";
            settings["Tenancy:AcceptEmbeddedStore"] = "true";
        }

        return TenancyServer.StartAsync(
            settings: settings,
            environment: environment,
            services: services =>
            {
                if (log is not null)
                {
                    services.AddSingleton<ILoggerProvider>(log);
                }

                if (clock is not null)
                {
                    services.AddSingleton(clock);
                }
            },
            endpoints: app =>
                app.MapGet("/seen", (HttpContext context) =>
                    $"{context.Connection.RemoteIpAddress} {context.Request.Scheme} {context.Request.Host} {context.Request.PathBase}"
                )
        );
    }

    private static async Task<string> SeenAsync(TenancyServer server, string from, params (string Name, string Value)[] headers)
    {
        using var client = ClientFrom(server, from);
        using var request = new HttpRequestMessage(HttpMethod.Get, $"http://127.0.0.1:{server.Port}/seen");
        request.Headers.Host = "acme.localhost";
        foreach (var (name, value) in headers)
        {
            request.Headers.Add($"X-Forwarded-{name}", value);
        }

        using var response = await client.SendAsync(request, Token);
        return await response.Content.ReadAsStringAsync(Token);
    }

    private static async Task<HttpStatusCode> CallAsync(TenancyServer server, string from, string? token, string forwardedFor)
    {
        using var client = ClientFrom(server, from);
        using var request = McpCalls.Post(server.Port, Way.Header, "acme", token, McpCalls.Call("get_products"));
        request.Headers.Add("X-Forwarded-For", forwardedFor);
        using var response = await client.SendAsync(request, Token);
        return response.StatusCode;
    }

    private static async Task RefuseAsync(TenancyServer server, string path, int times)
    {
        for (var i = 0; i < times; i++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, $"http://127.0.0.1:{server.Port}{path}");
            request.Headers.Host = "upstream.internal:8080";
            using var response = await server.Client.SendAsync(request, Token);
            Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        }
    }

    // All of 127.0.0.0/8 is this machine on Linux, so that a caller can have an address of its own.
    private static HttpClient ClientFrom(TenancyServer server, string address) =>
        new(
            new SocketsHttpHandler
            {
                UseProxy = false,
                ConnectCallback = async (_, cancellationToken) =>
                {
                    var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
                    socket.Bind(new IPEndPoint(IPAddress.Parse(address), 0));
                    await socket.ConnectAsync(IPAddress.Loopback, server.Port, cancellationToken);
                    return new NetworkStream(socket, ownsSocket: true);
                },
            }
        );
}
