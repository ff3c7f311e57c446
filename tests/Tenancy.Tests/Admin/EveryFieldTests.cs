using System.Globalization;
using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using Microsoft.Extensions.DependencyInjection;
using Tenancy.Configuration;
using Tenancy.Registry;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Admin;

/// <summary>
/// Goes through the fields of a tenant as they are: one that is added is tested here without being named, unless it takes values of its own
/// form only (<see cref="Others"/>).
/// </summary>
[Tier(Tier.Server)]
public sealed class EveryFieldTests(EveryFieldTests.Server server) : IClassFixture<EveryFieldTests.Server>
{
    private const string Jwks = """{"kind":"jwks","issuer":"https://auth.example.com"}""";

    /// <summary>Other values for fields that do not take any value of their type.</summary>
    private static readonly Dictionary<string, string> Others = new()
    {
        ["status"] = "\"suspended\"",
        ["urls"] = """["https://other.example.com"]""",
        ["platform"] = "\"retailer\"",
        ["settings"] = """{"product":"other"}""",
        ["secrets"] = """{"key":"value"}""",
        ["limits.tools"] = """{"get_products":{"rateLimit":7,"rateLimitPerCaller":3}}""",
        ["authentication.kind"] = "\"none\"",
        ["authentication.issuer"] = "\"https://other.example.com\"",
        ["authentication.jwksUri"] = "\"https://other.example.com/keys\"",
        ["authentication.tokenType"] = "\"at+jwt\"",
        ["authentication.tokenUrl"] = "\"https://other.example.com/token\"",
        ["authentication.authorizationUrl"] = "\"https://other.example.com/authorize\"",
    };

    /// <summary>How values are shown that are not shown as they are.</summary>
    private static readonly Dictionary<string, string> Shown = new() { ["secrets"] = """{"key":"(hidden)"}""" };

    /// <summary>The authentication of tenants whose field needs another one than that of the rest.</summary>
    private static readonly Dictionary<string, string> Authentications = new()
    {
        ["authentication.kind"] = """{"kind":"bearer"}""",
        ["authentication.audienceFromClients"] = """{"kind":"jwks","issuer":"https://auth.example.com","requireClients":true}""",
        ["authentication.scheme"] = """{"kind":"scheme","scheme":"first"}""",
    };

    public static TheoryData<string> Fields => [.. Paths(TenancyJson.Default.TenantConfig, "").Where(path => path != "id")];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [MemberData(nameof(Fields))]
    public async Task A_patch_changes_a_field_wherever_the_tenant_is_and_an_equal_value_changes_nothing(string field)
    {
        var id = field.ToLowerInvariant().Replace('.', '-');
        var before = await RegisterAsync(id, field);
        var other = Others.TryGetValue(field, out var text) ? JsonNode.Parse(text)! : OtherThan(Find(before, field), TypeOf(field));
        Assert.False(JsonNode.DeepEquals(Find(before, field), other));

        var after = await PatchAsync(id, field, other);
        Assert.Equal(2, await CountChangesAsync(id));
        AssertHas(after);
        AssertHas(await GetAsync(id));
        AssertHas(await StoredAsync(id));
        await PatchAsync(id, field, other);
        Assert.Equal(2, await CountChangesAsync(id));

        void AssertHas(JsonNode tenant) =>
            Assert.Equal(Shown.GetValueOrDefault(field, other.ToJsonString()), Find(tenant, field)?.ToJsonString());
    }

    [Fact]
    public async Task The_id_is_no_field_that_a_patch_changes()
    {
        await RegisterAsync("fixed", "id");
        using var response = await server.Host.AdminAsync(HttpMethod.Patch, "/fixed", """{"id":"other"}""");
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Equal("cannot be changed", (await McpCalls.ReadAsync(response))["errors"]!["id"]![0]!.ToString());
    }

    [Fact]
    public async Task All_fields_are_shown_and_come_before_how_the_tenant_is()
    {
        await RegisterAsync("shown", "id");
        var fields = RecordFields.Of(TenancyJson.Default.TenantConfig).Select(field => field.Field.Name).ToArray();
        Assert.Equal(
            [.. fields, "createdAt", "version", "health", "reason", "lastCheckedAt"],
            (await GetAsync("shown")).AsObject().Select(field => field.Key)
        );
    }

    private static IEnumerable<string> Paths(JsonTypeInfo type, string place) =>
        RecordFields
            .Of(type)
            .SelectMany(field =>
                RecordFields.HasFields(field.Type) ? Paths(field.Type, $"{place}{field.Field.Name}.") : [place + field.Field.Name]
            );

    private static Type TypeOf(string path)
    {
        JsonTypeInfo type = TenancyJson.Default.TenantConfig;
        foreach (var name in path.Split('.'))
        {
            type = RecordFields.Of(type).Single(field => field.Field.Name == name).Type;
        }

        return type.Type;
    }

    private static JsonNode OtherThan(JsonNode? value, Type type) =>
        type == typeof(bool) ? !(value is not null && (bool)value)
        : type == typeof(string) ? "other"
        : typeof(IEnumerable<string>).IsAssignableFrom(type) ? new JsonArray("other")
        : JsonNode.Parse(((value is null ? 0 : (long)value) + 1).ToString(CultureInfo.InvariantCulture))!;

    private static JsonNode? Find(JsonNode tenant, string field) =>
        field.Split('.').Aggregate((JsonNode?)tenant, (node, name) => node?[name]);

    private async Task<JsonNode> RegisterAsync(string id, string field)
    {
        var authentication = JsonNode.Parse(Authentications.GetValueOrDefault(field, Jwks))!;
        if (authentication["issuer"] is not null)
        {
            // What a token names belongs to one tenant.
            authentication["audiences"] = new JsonArray(id);
        }

        var tenant = new JsonObject
        {
            ["id"] = id,
            ["platform"] = "publisher",
            ["authentication"] = authentication,
        };
        using var response = await server.Host.AdminAsync(HttpMethod.Post, "", tenant.ToJsonString());
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync(Token));
        return await McpCalls.ReadAsync(response);
    }

    // Nobody has to answer for the other issuers: the change is not validated before it is there.
    private async Task<JsonNode> PatchAsync(string id, string field, JsonNode value)
    {
        var patch = field.Split('.').Reverse().Aggregate(value.DeepClone(), (node, name) => new JsonObject { [name] = node });
        using var response = await server.Host.AdminAsync(HttpMethod.Patch, $"/{id}?force=true", patch.ToJsonString());
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync(Token));
        return await McpCalls.ReadAsync(response);
    }

    private async Task<JsonNode> GetAsync(string id)
    {
        using var response = await server.Host.AdminAsync(HttpMethod.Get, "/" + id);
        return await McpCalls.ReadAsync(response);
    }

    // Its registration counts, too. The version does not tell: a check that ends meanwhile has one, and all tenants share one count.
    private async Task<int> CountChangesAsync(string id)
    {
        using var response = await server.Host.AdminAsync(HttpMethod.Get, $"/{id}/audit");
        return (await McpCalls.ReadAsync(response))["entries"]!.AsArray().Count;
    }

    private async Task<JsonNode> StoredAsync(string id)
    {
        var store = server.Host.Services.GetRequiredService<ITenantStore>();
        var record = await store.LoadAsync(Token).SingleAsync(record => record.Config.Id == id, Token);
        return JsonSerializer.SerializeToNode(record.Config, TenancyJson.Default.TenantConfig)!;
    }

    /// <summary>A server whose tenants are not validated, with two schemes.</summary>
    public sealed class Server : IAsyncLifetime
    {
        internal TenancyServer Host { get; private set; } = null!;

        public async ValueTask InitializeAsync() =>
            Host = await TenancyServer.StartAsync(
                settings: new Dictionary<string, string?>(TenancyServer.DefaultSettings) { ["Tenancy:AutoValidate"] = "false" },
                services: services =>
                    services.Configure<TenancyOptions>(options =>
                        options.Schemes = new() { ["first"] = new("sub", null), ["other"] = new("sub", null) }
                    )
            );

        public ValueTask DisposeAsync() => Host.DisposeAsync();
    }
}
