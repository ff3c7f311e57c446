using System.Net;
using System.Net.Http.Headers;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Security.Claims;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Tenancy.Adcp;
using Tenancy.Administration;
using Tenancy.Configuration;
using Tenancy.Registry;
using Tenancy.Tests.Docs.Snippets;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Docs;

/// <summary>What docs/customise.md shows is code that is compiled, and a server of it does what the page says.</summary>
[Tier(Tier.Server)]
public sealed partial class CustomisePageTests : IAsyncLifetime
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
        ShopMethods.Add(builder.Services);
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

    /// <summary>What an application implements, derives from, marks its code with, or calls, as the libraries have it.</summary>
    [Fact]
    public void Every_extension_point_has_an_example()
    {
        var points = new[] { typeof(ITenancyBuilder).Assembly, typeof(AdcpOptions).Assembly }
            .SelectMany(library => library.GetExportedTypes())
            .SelectMany(ExtensionPoints)
            // What the verbs are called on, and names of metrics, which docs/operate.md has.
            .Except([nameof(ITenancyBuilder), "TenancyTelemetry"])
            .Distinct()
            .ToArray();
        Assert.True(points.Length > 40, string.Join(' ', points));
        var words = Page.Blocks("csharp")
            .SelectMany(block => block.Lines)
            .SelectMany(line => Word().Matches(line))
            .Select(word => word.Value);
        Assert.Empty(points.Except(words));
    }

    [Fact]
    public async Task A_seller_says_what_it_sells_and_books_a_page_once()
    {
        var opener = _app.Services.GetRequiredService<ITenantAdministration>();
        await opener.RegisterAsync(new TenantConfig { Id = "paper", Platform = "newspaper" }, new() { AwaitFirstValidation = true }, Token);
        const string Reader = "card.paper.ann";
        Assert.Contains("advertiser", await CallAsync("paper", "get_adcp_capabilities", card: Reader), StringComparison.Ordinal);

        var booked = await CallAsync("paper", "book_page", Booking("0000-0000-0000-0001"), Reader);
        Assert.Contains("page_", booked, StringComparison.Ordinal);
        Assert.Contains("page_", await CallAsync("paper", "book_page", Booking("0000-0000-0000-0001"), Reader), StringComparison.Ordinal);
        Assert.Contains(
            "CONFLICT",
            await CallAsync("paper", "book_page", Booking("0000-0000-0000-0002"), Reader),
            StringComparison.Ordinal
        );

        static string Booking(string key) =>
            $$"""
                { "idempotency_key": "{{key}}", "account": { "account_id": "principal:{{Reader}}" }, "section": "front", "day": 17 }
                """;
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
        await opener.PauseAsync(TenantId.Parse("madrid"), Token);
        Assert.True(_app.Services.GetRequiredService<TenantRegistry>().Get("madrid")!.IsSuspended);
        await opener.ReopenAsync(TenantId.Parse("madrid"), Token);
        Assert.False(_app.Services.GetRequiredService<TenantRegistry>().Get("madrid")!.IsSuspended);
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
    public async Task A_method_of_ones_own_is_called_at_a_tenant()
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/berlin/mcp")
        {
            Content = Json("""{ "jsonrpc": "2.0", "id": 1, "method": "shop/hours" }"""),
        };
        request.Headers.Authorization = new("Bearer", Card);
        request.Headers.Accept.ParseAdd("application/json");
        request.Headers.Accept.ParseAdd("text/event-stream");
        using var response = await _client.SendAsync(request, Token);
        var text = await response.Content.ReadAsStringAsync(Token);
        Assert.Contains("\"shop\":\"Shop of berlin\"", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Policies_and_conventions_of_ones_own_stand_at_the_librarys_endpoints()
    {
        await using var app = BareServer.Build(configure: builder =>
        {
            builder.Services.AddAuthentication().AddScheme<AuthenticationSchemeOptions, Badge>("Badge", null);
            ShopDoors.AddPolicy(builder.Services);
        });
        app.UseTenancy();
        ShopDoors.Map(app);
        await app.StartAsync(Token);
        using var client = new HttpClient { BaseAddress = new(app.Urls.First()) };
        Assert.Equal(HttpStatusCode.OK, await ListAsync("X-Badge", "chief"));
        Assert.Equal(HttpStatusCode.Unauthorized, await ListAsync("X-Admin-API-Key", TenancyServer.AdminKey));
        Assert.Equal(HttpStatusCode.NotFound, await ListAsync("X-Badge", "chief", host: "localhost"));

        // The tenant would let in everybody.
        using var call = new HttpRequestMessage(HttpMethod.Post, "/acme/mcp") { Content = Body("whoami", "{}") };
        using var refused = await client.SendAsync(call, Token);
        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);

        async Task<HttpStatusCode> ListAsync(string header, string value, string? host = null)
        {
            using var list = new HttpRequestMessage(HttpMethod.Get, "/admin/tenants") { Headers = { { header, value } } };
            list.Headers.Host = host;
            using var answer = await client.SendAsync(list, Token);
            return answer.StatusCode;
        }
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
        Assert.Equal("", await _client.GetStringAsync("/lisbon/address", Token));
        using var closed = await _client.GetAsync("/shops", Token);
        Assert.Equal(HttpStatusCode.Unauthorized, closed.StatusCode);
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

    private static IEnumerable<string> ExtensionPoints(Type type)
    {
        var verbs = type.GetMethods(BindingFlags.Public | BindingFlags.Static | BindingFlags.DeclaredOnly)
            .Where(method => method.IsDefined(typeof(ExtensionAttribute)))
            .Select(method => method.Name)
            .ToArray();
        var isStatic = type is { IsAbstract: true, IsSealed: true };
        var isBase =
            type is { IsAbstract: true, IsClass: true }
            && type.GetConstructors(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic).Any(made => made.IsFamily);
        return isStatic ? (verbs.Length > 0 ? verbs : [type.Name])
            : type.IsSubclassOf(typeof(Attribute)) && !type.IsAbstract ? [type.Name[..^nameof(Attribute).Length]]
            : type.IsInterface || isBase ? [type.Name.Split('`')[0]]
            : [];
    }

    /// <summary>An application's own way to know its people.</summary>
    private sealed class Badge(IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory loggers, UrlEncoder encoder)
        : AuthenticationHandler<AuthenticationSchemeOptions>(options, loggers, encoder)
    {
        protected override Task<AuthenticateResult> HandleAuthenticateAsync() =>
            Task.FromResult(
                Request.Headers["X-Badge"] is [{ } badge]
                    ? AuthenticateResult.Success(
                        new(new ClaimsPrincipal(new ClaimsIdentity([new Claim("badge", badge)], Scheme.Name)), Scheme.Name)
                    )
                    : AuthenticateResult.NoResult()
            );
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

    [GeneratedRegex(@"\w+")]
    private static partial Regex Word();

    private async Task<string> CallAsync(string tenant, string tool, string arguments = "{}", string card = Card)
    {
        using var response = await PostAsync($"/{tenant}/mcp", tool, arguments, card);
        var text = await response.Content.ReadAsStringAsync(Token);
        Assert.True(response.IsSuccessStatusCode, text);
        return (string)JsonNode.Parse(text)!["result"]!["content"]![0]!["text"]!;
    }
}
