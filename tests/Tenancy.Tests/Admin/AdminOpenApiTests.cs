using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http.Json;
using Microsoft.Extensions.DependencyInjection;
using Tenancy.Fleet;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Admin;

/// <summary>The description of the admin API is of OpenAPI 3.1, and real answers are as it says.</summary>
[Tier(Tier.Server)]
public sealed class AdminOpenApiTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task It_has_every_request_with_its_parameters_and_the_key()
    {
        await using var server = await TenancyServer.StartAsync();
        var document = await DescriptionAsync(server);
        Assert.StartsWith("3.1.", (string)document["openapi"]!, StringComparison.Ordinal);
        Assert.Equal("X-Admin-API-Key", (string)document["components"]!["securitySchemes"]!["adminKey"]!["name"]!);
        Assert.NotNull(document["security"]![0]!["adminKey"]);
        var operations = document["paths"]!
            .AsObject()
            .SelectMany(path => path.Value!.AsObject().Select(one => $"{one.Key.ToUpperInvariant()} {path.Key}"));
        var rows = Docs.Page.Read("docs/admin-api.md").Rows("| request | does").Select(row => row[0].Trim('`'));
        Assert.Equal(rows.Order(StringComparer.Ordinal), operations.Order(StringComparer.Ordinal));

        var list = document["paths"]!["/admin/tenants"]!["get"]!["parameters"]!.AsArray().Select(one => (string)one!["name"]!);
        Assert.Equal(["take", "cursor", "status", "health", "platform", "text"], list);
        var ids = document["paths"]!
            .AsObject()
            .SelectMany(path => path.Value!.AsObject())
            .Select(one => (string)one.Value!["operationId"]!);
        Assert.Distinct(ids);
    }

    [Fact]
    public async Task The_http_file_of_a_scaffold_has_every_request()
    {
        await using var server = await TenancyServer.StartAsync();
        var document = await DescriptionAsync(server);
        var file = await File.ReadAllLinesAsync(
            Path.Combine(Repository.Root, "templates", "adcp-tenant-server", "Adcp-TenantServer.http"),
            Token
        );
        var requests = file.Where(line => line.Contains(" {{server}}/admin/", StringComparison.Ordinal)).ToArray();
        foreach (var (path, methods) in document["paths"]!.AsObject())
        {
            var pattern = Regex.Replace(path, @"\{[^}]+\}", "[^/?]+").Replace("/", "\\/", StringComparison.Ordinal);
            foreach (var method in methods!.AsObject().Select(one => one.Key.ToUpperInvariant()))
            {
                Assert.Contains(requests, line => Regex.IsMatch(line, $@"^{method} \{{\{{server\}}\}}{pattern}(\?.*)?$"));
            }
        }
    }

    [Fact]
    public async Task How_an_application_writes_json_by_itself_changes_nothing_of_it()
    {
        await using var plain = await TenancyServer.StartAsync();
        await using var other = await TenancyServer.StartAsync(services: services =>
            services.ConfigureHttpJsonOptions(options => options.SerializerOptions.PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower)
        );
        Assert.Equal((await DescriptionAsync(plain)).ToJsonString(), (await DescriptionAsync(other)).ToJsonString());
    }

    // What generators of clients trip over.
    [Fact]
    public async Task A_generated_client_can_be_made_of_it()
    {
        await using var server = await TenancyServer.StartAsync();
        var document = await DescriptionAsync(server);
        foreach (var operation in document["paths"]!.AsObject().SelectMany(path => path.Value!.AsObject()))
        {
            var names = (operation.Value!["parameters"]?.AsArray() ?? []).Select(one => $"{one!["in"]} {one["name"]}");
            Assert.Distinct(names);
        }

        // A number is read from a number, and a null that a client writes for what was not set would take it out.
        var schemas = document["components"]!["schemas"]!.AsObject();
        foreach (var (name, schema) in schemas)
        {
            Assert.False(
                schema!.ToJsonString().Contains("\"integer\",\"string\"", StringComparison.Ordinal)
                    || schema.ToJsonString().Contains("\"string\",\"integer\"", StringComparison.Ordinal)
                    || schema.ToJsonString().Contains("^-?(?:", StringComparison.Ordinal),
                $"{name}: {schema}"
            );
        }

        var patch = document["paths"]!["/admin/tenants/{id}"]!["patch"]!["requestBody"]!["content"]!["application/merge-patch+json"]!;
        Assert.Equal("#/components/schemas/TenantPatch", (string)patch["schema"]!["$ref"]!);
        var text = schemas["TenantPatch"]!.ToJsonString();
        Assert.DoesNotContain("required", text, StringComparison.Ordinal);
        Assert.DoesNotContain("null", text, StringComparison.Ordinal);
        Assert.DoesNotContain("$ref", text, StringComparison.Ordinal);
        Assert.Contains("rateLimit", text, StringComparison.Ordinal);
        var take = document["paths"]!["/admin/tenants"]!["get"]!["parameters"]!.AsArray().Single(one => (string)one!["name"]! == "take")!;
        Assert.Equal("integer", (string)take["schema"]!["type"]!);
        Assert.NotNull(document["paths"]!["/admin/usage"]!["get"]!["responses"]!["200"]!["content"]!["text/csv"]);
    }

    [Fact]
    public async Task Without_a_key_it_is_not_shown()
    {
        await using var server = await TenancyServer.StartAsync();
        using var response = await server.Client.GetAsync("/admin/openapi.json", Token);
        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
    }

    [Fact]
    public async Task Real_answers_are_as_it_says()
    {
        await using var server = await TenancyServer.StartAsync();
        var document = await DescriptionAsync(server);
        var tenant = new
        {
            id = "initech",
            name = "Initech",
            urls = new[] { "https://initech.example.com" },
            limits = new { rateLimit = 600, tools = new { whoami = new { rateLimit = 5 } } },
            settings = new { product = "poster" },
            principals = new[] { new { name = "Buyer", scopes = new[] { "buy" } } },
        };
        var made = await CheckAsync(server, document, "post", "/admin/tenants", "/admin/tenants", tenant);
        var token = (string)made["principals"]![0]!["token"]!;
        await server.InitializeAsync("initech", token);
        await CheckAsync(server, document, "get", "/admin/tenants", "/admin/tenants");
        await CheckAsync(server, document, "get", "/admin/tenants/{id}", "/admin/tenants/initech");
        await CheckAsync(server, document, "patch", "/admin/tenants/{id}", "/admin/tenants/initech", new { name = "Another" });
        await CheckAsync(server, document, "post", "/admin/tenants/{id}/recheck", "/admin/tenants/initech/recheck");
        var principal = await CheckAsync(
            server,
            document,
            "post",
            "/admin/tenants/{id}/principals",
            "/admin/tenants/initech/principals",
            new { name = "b" }
        );
        await CheckAsync(server, document, "get", "/admin/tenants/{id}/principals", "/admin/tenants/initech/principals");
        await CheckAsync(
            server,
            document,
            "post",
            "/admin/tenants/{id}/principals/{principalId}/rotate",
            $"/admin/tenants/initech/principals/{principal["id"]}/rotate"
        );
        await CheckAsync(server, document, "get", "/admin/tenants/{id}/sessions", "/admin/tenants/initech/sessions");
        await CheckAsync(server, document, "get", "/admin/tenants/{id}/clients", "/admin/tenants/initech/clients");
        await CheckAsync(server, document, "get", "/admin/nodes", "/admin/nodes");
        await server.CallAsync("initech", token, "whoami");
        using var bad = McpCalls.Post(server.Port, Way.Path, "initech", "initech.bad", McpCalls.Call("whoami"));
        using var refused = await server.Client.SendAsync(bad, Token);
        await server.Services.GetRequiredService<UsageWriter>().WriteAsync();
        foreach (var of in new[] { "audit", "refusals", "usage", "traffic", "refused-tokens" })
        {
            await CheckAsync(server, document, "get", $"/admin/tenants/{{id}}/{of}", $"/admin/tenants/initech/{of}");
        }

        foreach (var of in new[] { "audit", "refusals", "usage", "summary" })
        {
            await CheckAsync(server, document, "get", $"/admin/{of}", $"/admin/{of}");
        }

        await CheckAsync(
            server,
            document,
            "post",
            "/admin/tenants/{id}/explain-token",
            "/admin/tenants/initech/explain-token",
            new { token }
        );
        var jwks = new
        {
            id = "hooli",
            authentication = new
            {
                kind = "jwks",
                issuer = "http://127.0.0.1:1",
                audiences = new[] { "https://hooli.example" },
            },
        };
        await CheckAsync(server, document, "post", "/admin/tenants", "/admin/tenants", jwks);
        await CheckAsync(server, document, "post", "/admin/tenants", "/admin/tenants", jwks);
        var client = await CheckAsync(
            server,
            document,
            "post",
            "/admin/tenants/{id}/clients",
            "/admin/tenants/hooli/clients",
            new { clientId = "agent", metadata = new { any = new[] { 1 } } }
        );
        await CheckAsync(server, document, "get", "/admin/tenants/{id}/clients", "/admin/tenants/hooli/clients");
        var handle = $"/admin/tenants/hooli/clients/{client["handle"]}";
        await CheckAsync(server, document, "get", "/admin/tenants/{id}/clients/{handle}", handle);
        await CheckAsync(server, document, "post", "/admin/tenants/{id}/clients/{handle}/refresh", handle + "/refresh");
        await CheckAsync(server, document, "get", "/admin/tenants/{id}", "/admin/tenants/nobody", status: "default");
        await CheckAsync(server, document, "patch", "/admin/tenants/{id}", "/admin/tenants/initech", new { nam = 1 }, status: "default");
    }

    [Fact]
    public void A_mistake_in_an_answer_is_found()
    {
        var schema = JsonNode.Parse("""{"type":"object","required":["a"],"properties":{"a":{"type":["null","integer"]}}}""")!;
        Assert.Empty(Mistakes(JsonNode.Parse("""{"a":null}"""), schema, schema, "$"));
        Assert.NotEmpty(Mistakes(JsonNode.Parse("""{"a":"x"}"""), schema, schema, "$"));
        Assert.NotEmpty(Mistakes(JsonNode.Parse("{}"), schema, schema, "$"));
        Assert.NotEmpty(Mistakes(JsonNode.Parse("""{"a":1,"b":2}"""), schema, schema, "$"));
    }

    private static async Task<JsonNode> CheckAsync(
        TenancyServer server,
        JsonNode document,
        string method,
        string template,
        string path,
        object? body = null,
        string? status = null
    )
    {
        using var request = new HttpRequestMessage(new(method.ToUpperInvariant()), path);
        request.Headers.Add("X-Admin-API-Key", TenancyServer.AdminKey);
        request.Content = body is null ? null : JsonContent.Create(body);
        using var response = await server.Client.SendAsync(request, Token);
        var answer = JsonNode.Parse(await response.Content.ReadAsStringAsync(Token))!;
        var described = document["paths"]![template]![method]!["responses"]![status ?? $"{(int)response.StatusCode}"];
        Assert.True(described is not null, $"{method} {path}: {(int)response.StatusCode} {answer}");
        var schema = described["content"]![response.Content.Headers.ContentType!.MediaType!]!["schema"]!;
        var mistakes = Mistakes(answer, schema, document, "$").ToArray();
        Assert.True(mistakes.Length == 0, $"{method} {path}: {string.Join("; ", mistakes)}\n{answer}");
        return answer;
    }

    /// <summary>What of a value is not as a schema says. A member that the schema does not have is a mistake of the schema.</summary>
    private static IEnumerable<string> Mistakes(JsonNode? value, JsonNode schema, JsonNode document, string place)
    {
        if (schema["$ref"] is { } reference)
        {
            schema = ((string)reference!).Split('/').Skip(1).Aggregate(document, (node, name) => node[name]!);
        }

        if ((schema["oneOf"] ?? schema["anyOf"]) is JsonArray choices)
        {
            return choices.Any(choice => !Mistakes(value, choice!, document, place).Any()) ? [] : [$"{place} is none of the choices"];
        }

        var types = schema["type"] switch
        {
            JsonArray all => all.Select(type => (string)type!).ToArray(),
            { } one => [(string)one!],
            null => null,
        };
        var type = value switch
        {
            null => "null",
            JsonObject => "object",
            JsonArray => "array",
            _ => value.GetValueKind() switch
            {
                System.Text.Json.JsonValueKind.True or System.Text.Json.JsonValueKind.False => "boolean",
                System.Text.Json.JsonValueKind.String => "string",
                _ => value.ToString().Contains('.', StringComparison.Ordinal) ? "number" : "integer",
            },
        };
        if (types is not null && !types.Contains(type) && !(type == "integer" && types.Contains("number")))
        {
            return [$"{place} is {type}, not {string.Join(" or ", types)}"];
        }

        if (schema["enum"] is JsonArray words && !words.Any(word => JsonNode.DeepEquals(word, value)))
        {
            return [$"{place} is {value}, not one of {words}"];
        }

        return value switch
        {
            JsonObject members when schema["properties"] is JsonObject properties => MistakesOf(
                members,
                properties,
                schema,
                document,
                place
            ),
            JsonObject members when schema["additionalProperties"] is JsonObject each => members.SelectMany(member =>
                Mistakes(member.Value, each, document, $"{place}.{member.Key}")
            ),
            JsonArray items when schema["items"] is { } item => items.SelectMany(
                (one, i) => Mistakes(one, item, document, $"{place}[{i}]")
            ),
            _ => [],
        };
    }

    private static IEnumerable<string> MistakesOf(
        JsonObject members,
        JsonObject properties,
        JsonNode schema,
        JsonNode document,
        string place
    ) =>
        [
            .. members.Where(member => !properties.ContainsKey(member.Key)).Select(member => $"{place}.{member.Key} is not described"),
            .. (schema["required"]?.AsArray() ?? [])
                .Where(name => !members.ContainsKey((string)name!))
                .Select(name => $"{place}.{name} is missing"),
            .. members
                .Where(member => properties.ContainsKey(member.Key))
                .SelectMany(member => Mistakes(member.Value, properties[member.Key]!, document, $"{place}.{member.Key}")),
        ];

    private static async Task<JsonNode> DescriptionAsync(TenancyServer server)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/admin/openapi.json");
        request.Headers.Add("X-Admin-API-Key", TenancyServer.AdminKey);
        using var response = await server.Client.SendAsync(request, Token);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return JsonNode.Parse(await response.Content.ReadAsStringAsync(Token))!;
    }
}
