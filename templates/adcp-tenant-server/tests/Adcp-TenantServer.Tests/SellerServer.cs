using System.Collections.Concurrent;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Mvc.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Tenancy.Configuration;
using Tenancy.Testing;

[assembly: AssemblyFixture(typeof(Adcp_TenantServer.Tests.SellerServer))]

namespace Adcp_TenantServer.Tests;

/// <summary>
/// The whole server, with the settings and tenants of appsettings.Development.json. It is called over HTTP, without a port.
/// </summary>
public sealed class SellerServer : WebApplicationFactory<Program>, IAsyncLifetime
{
    private readonly ConcurrentBag<AsyncServiceScope> _scopes = [];

    /// <summary>The ways to name a tenant that appsettings.json turns on.</summary>
    public IEnumerable<TenantIdentification> Ways =>
        Enum.GetValues<TenantIdentification>().Where(way => way != TenantIdentification.None && Identification.HasFlag(way));

    private TenantIdentification Identification => Services.GetRequiredService<IOptions<TenancyOptions>>().Value.Identification;

    // Before the first test: a factory that several tests use at once would start several servers.
    public ValueTask InitializeAsync()
    {
        StartServer();
        return ValueTask.CompletedTask;
    }

    /// <summary>Begins a call without HTTP around it, to hand its context to a handler.</summary>
    public async Task<TestToolContext> BeginCallAsync(string tenant, string buyer = "tester")
    {
        await WaitUntilReadyAsync();
        return TestToolContext.Begin(Services, tenant, buyer);
    }

    /// <summary>Makes a class of handlers, or what they use, as the server does for a call. What it uses ends with the server.</summary>
    public T Create<T>()
    {
        var scope = Services.CreateAsyncScope();
        _scopes.Add(scope);
        return ActivatorUtilities.CreateInstance<T>(scope.ServiceProvider);
    }

    public override async ValueTask DisposeAsync()
    {
        foreach (var scope in _scopes)
        {
            await scope.DisposeAsync();
        }

        await base.DisposeAsync();
    }

#if (!SampleIsNone)
    /// <summary>Opens the account that the buyer of these tests buys for.</summary>
    public Task OpenAccountAsync(string tenant) => CallAsync(tenant, "sync_accounts", Buys.Accounts());
#endif

    /// <summary>Calls a tool as a buyer would, and gives back what the handler answered.</summary>
    public async Task<JsonNode> CallAsync(string tenant, string tool, object arguments, TenantIdentification? way = null)
    {
        using var response = await SendAsync(tenant, $"{tenant}.dev-buyer", tool, arguments, way);
        var body = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.True(response.IsSuccessStatusCode, $"{response.StatusCode}: {body}");
        var result = JsonNode.Parse(body)!["result"]!;
        Assert.False(result["isError"]?.GetValue<bool>() ?? false, body);
        return result["structuredContent"]!;
    }

    /// <summary>Sends a tool call to a tenant with anybody's token.</summary>
    public async Task<HttpResponseMessage> SendAsync(
        string tenant,
        string token,
        string tool,
        object arguments,
        TenantIdentification? way = null
    )
    {
        await WaitUntilReadyAsync();
        using var client = CreateClient();
        using var request = Name(tenant, way ?? Ways.First());
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        request.Content = JsonContent.Create(
            new
            {
                jsonrpc = "2.0",
                id = 1,
                method = "tools/call",
                @params = new { name = tool, arguments },
            }
        );
        return await client.SendAsync(request, TestContext.Current.CancellationToken);
    }

    // On a busy machine the store's first answer may come late; until it came the server says that it is starting.
    private async Task WaitUntilReadyAsync()
    {
        using var client = CreateClient();
        var isReady = false;
        for (var attempt = 0; attempt < 300 && !isReady; attempt++)
        {
            using var response = await client.GetAsync("/health/ready", TestContext.Current.CancellationToken);
            isReady = response.IsSuccessStatusCode;
            await Task.Delay(isReady ? 0 : 100, TestContext.Current.CancellationToken);
        }

        Assert.True(isReady, "The server has not loaded its tenants: is its store there?");
    }

    private static HttpRequestMessage Name(string tenant, TenantIdentification way) =>
        way switch
        {
            TenantIdentification.Path => new(HttpMethod.Post, $"http://localhost/{tenant}/mcp"),
            TenantIdentification.Host => new(HttpMethod.Post, $"http://{tenant}.localhost/mcp"),
            TenantIdentification.Header => new(HttpMethod.Post, "http://localhost/mcp") { Headers = { { "X-Tenant-ID", tenant } } },
            _ => new(HttpMethod.Post, "http://localhost/mcp"),
        };
}
