using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Tenancy.Configuration;
using Tenancy.Registry;
using Tenancy.Tests.Docs.Snippets;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Docs;

/// <summary>What docs/customise.md shows is code that is compiled, and a server of it does what the page says.</summary>
[Tier(Tier.Server)]
public sealed class CustomisePageTests : IAsyncLifetime
{
    private const string Card = "card.berlin.ann";
    private static readonly Page Page = Page.Read("docs/customise.md");
    private readonly List<string> _called = [];
    private WebApplication _app = null!;
    private HttpClient _client = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { EnvironmentName = "Development" });
        builder.Configuration.AddInMemoryCollection(
            new Dictionary<string, string?> { ["Tenancy:BaseDomain"] = "localhost", ["Tenancy:Admin:Keys:0"] = TenancyServer.AdminKey }
        );
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        ShopServer.AddFilter(builder.Services, _called.Add);
        _app = ShopServer.Build(builder);
        await _app.StartAsync(Token);
        _client = new() { BaseAddress = new(_app.Urls.First()) };
        await Poll.UntilAsync(() => Task.FromResult(_app.Services.GetRequiredService<TenantRegistry>().Get("lisbon")?.IsServing is true));
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _app.DisposeAsync();
    }

    [Fact]
    public void Every_example_stands_in_the_file_that_it_names()
    {
        var examples = Page.Blocks("csharp").ToArray();
        Assert.True(examples.Length > 10, $"{examples.Length} examples");
        foreach (var (before, lines) in examples)
        {
            Assert.StartsWith("<!-- from: ", before, StringComparison.Ordinal);
            var file = File.ReadAllLines(Path.Combine(Repository.Root, before["<!-- from: ".Length..^" -->".Length]));
            Assert.True(Contains(file, lines), $"{before} has not:\n{string.Join('\n', lines)}");
        }
    }

    [Fact]
    public async Task Handlers_reach_their_tenant_and_a_key_card_opens_it()
    {
        Assert.StartsWith("Hello, principal:card.berlin.ann", await CallAsync("berlin", "greet"), StringComparison.Ordinal);
        Assert.Equal("Shop of berlin is closed.", await CallAsync("berlin", "close_shop"));
        Assert.Equal("HI (berlin)", (string)JsonNode.Parse(await CallAsync("berlin", "shout", """{ "text": "hi" }"""))!["text"]!);
        Assert.Equal(["greet", "close_shop", "shout"], _called);
        using var foreign = await PostAsync("/lisbon/mcp", "greet", "{}", Card);
        Assert.Equal(HttpStatusCode.Unauthorized, foreign.StatusCode);
    }

    [Fact]
    public async Task A_request_with_a_key_happens_once_and_a_refusal_has_words_of_ones_own()
    {
        var first = await CallAsync("berlin", "draw_ticket", """{ "key": "one", "for": [1, 2] }""");
        Assert.Equal(first, await CallAsync("berlin", "draw_ticket", """{ "for": [1.0, 2], "key": "one" }"""));
        Assert.NotEqual(first, await CallAsync("berlin", "draw_ticket", """{ "key": "two", "for": [1, 2] }"""));
        Assert.Contains(
            "Conflict",
            await CallAsync("berlin", "draw_ticket", """{ "key": "one", "for": [2, 1] }"""),
            StringComparison.Ordinal
        );

        using var refused = await PostAsync("/lisbon/mcp", "greet", "{}", Card);
        var error = JsonNode.Parse(await refused.Content.ReadAsStringAsync(Token))!["error"]!;
        Assert.Equal("""{"shop":"not for you"}""", error["data"]!.ToJsonString());
    }

    [Fact]
    public async Task A_shop_is_opened_and_closed_by_the_applications_own_code()
    {
        var opener = _app.Services.GetRequiredService<ShopOpener>();
        var token = await opener.OpenAsync("madrid", "Hola", Token);
        Assert.StartsWith("madrid.", token, StringComparison.Ordinal);
        Assert.Equal("madrid", _app.Services.GetRequiredService<TenantRegistry>().Get("madrid")?.Id.Value);
        Assert.True(await opener.CloseAsync("madrid", Token));
        Assert.Null(_app.Services.GetRequiredService<TenantRegistry>().Get("madrid"));
    }

    [Fact]
    public async Task Documents_are_kept_counted_and_cleaned_outside_a_call()
    {
        var id = await CallAsync("berlin", "add_note", """{ "text": "buy milk" }""");
        Assert.StartsWith("note_", id, StringComparison.Ordinal);
        Assert.Contains("buy milk", await CallAsync("berlin", "list_notes"), StringComparison.Ordinal);
        Assert.Equal("1", await CallAsync("berlin", "count_notes"));
        await _app.Services.GetRequiredService<NoteCleaner>().DeleteAsync(TenantId.Parse("berlin"), "principal:" + Card, id, Token);
        Assert.DoesNotContain("buy milk", await CallAsync("berlin", "list_notes"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_partner_names_its_tenant_and_an_endpoint_serves_one()
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/mcp") { Content = Body("greet", "{}") };
        request.Headers.Add("X-Partner", "berlin");
        request.Headers.Authorization = new("Bearer", Card);
        request.Headers.Accept.ParseAdd("application/json");
        using var response = await _client.SendAsync(request, Token);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("Shop of lisbon", await _client.GetStringAsync("/lisbon/sign", Token));
        using var unknown = await _client.GetAsync("/nowhere/sign", Token);
        Assert.Equal(HttpStatusCode.NotFound, unknown.StatusCode);
    }

    [Fact]
    public async Task A_validator_disables_its_tenant_and_a_listener_hears_of_it()
    {
        var counter = _app.Services.GetRequiredService<ChangeCounter>();
        var before = counter.Changes;
        using var request = new HttpRequestMessage(HttpMethod.Post, "/admin/tenants?wait=true")
        {
            Content = Json($$"""{ "id": "wordy", "settings": { "greeting": "{{new string('x', 101)}}" } }"""),
        };
        request.Headers.Add("X-Admin-API-Key", TenancyServer.AdminKey);
        using var response = await _client.SendAsync(request, Token);
        var tenant = JsonNode.Parse(await response.Content.ReadAsStringAsync(Token))!;
        Assert.Equal("disabled", (string)tenant["health"]!);
        Assert.Equal("The greeting is longer than 100 characters.", (string)tenant["reason"]!);
        await Poll.UntilAsync(() => Task.FromResult(counter.Changes > before));
    }

    [Theory]
    [InlineData("Shop:OpenHours", "25")]
    [InlineData("Shop:OpenHour", "8")]
    public void A_mistake_in_settings_of_ones_own_is_named(string setting, string value)
    {
        var services = new ServiceCollection();
        var configuration = new ConfigurationManager();
        configuration.AddInMemoryCollection([KeyValuePair.Create<string, string?>(setting, value)]);
        ShopServer.AddSettings(services.AddTenancy(configuration));
        using var provider = services.BuildServiceProvider();
        var refused = Assert.Throws<OptionsValidationException>(() => provider.GetRequiredService<IOptions<ShopOptions>>().Value);
        Assert.Contains(setting, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public Task The_test_of_a_handler_passes() => ShopToolsSample.Greets_in_the_shops_own_words();

    // A snippet may stand further in than on the page.
    private static bool Contains(string[] file, string[] lines)
    {
        var wanted = lines.Select(line => line.Trim()).ToArray();
        return Enumerable
            .Range(0, Math.Max(0, file.Length - lines.Length + 1))
            .Any(start => file.Skip(start).Take(lines.Length).Select(line => line.Trim()).SequenceEqual(wanted));
    }

    private static StringContent Json(string text) => new(text, Encoding.UTF8, "application/json");

    private static StringContent Body(string tool, string arguments) =>
        Json($$"""{ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": { "name": "{{tool}}", "arguments": {{arguments}} } }""");

    private async Task<HttpResponseMessage> PostAsync(string path, string tool, string arguments, string token)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = Body(tool, arguments) };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        request.Headers.Accept.ParseAdd("application/json");
        return await _client.SendAsync(request, Token);
    }

    private async Task<string> CallAsync(string tenant, string tool, string arguments = "{}")
    {
        using var response = await PostAsync($"/{tenant}/mcp", tool, arguments, Card);
        var text = await response.Content.ReadAsStringAsync(Token);
        Assert.True(response.IsSuccessStatusCode, text);
        return (string)JsonNode.Parse(text)!["result"]!["content"]![0]!["text"]!;
    }
}
