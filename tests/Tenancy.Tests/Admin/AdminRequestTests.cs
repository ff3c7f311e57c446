using System.Net;
using System.Text;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Admin;

/// <summary>Requests that cannot be read get an answer that says what to send, in Production as anywhere.</summary>
[Tier(Tier.Server)]
public sealed class AdminRequestTests(AdminRequestTests.Server shared) : IClassFixture<AdminRequestTests.Server>
{
    private const string AdminKey = "uGk3zR8vN1xQ5bTt0WcYh7LmPfJdS2aE9oViBnKqXwM";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("", "application/x-www-form-urlencoded")]
    [InlineData("", null)]
    [InlineData("", "text/plain")]
    [InlineData("", "application/json; charset=klingon")]
    [InlineData("/acme/principals", "application/x-www-form-urlencoded")]
    [InlineData("/acme/principals", null)]
    [InlineData("/federated/clients", "application/x-www-form-urlencoded")]
    public async Task A_body_that_is_not_called_json_is_415_and_the_answer_says_what_to_send(string path, string? contentType)
    {
        await using var server = await StartAsync();
        using var tenant = await server.AdminAsync(
            HttpMethod.Post,
            "",
            """{"id":"federated","authentication":{"kind":"jwks","issuer":"https://login.example","audiences":["api"]}}""",
            AdminKey
        );
        Assert.Equal(HttpStatusCode.Created, tenant.StatusCode);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/admin/tenants" + path)
        {
            Content = new ByteArrayContent("""{"id":"initech","name":"x","clientId":"agent"}"""u8.ToArray()),
        };
        request.Headers.Add("X-Admin-API-Key", AdminKey);
        if (contentType is not null)
        {
            request.Content.Headers.TryAddWithoutValidation("Content-Type", contentType);
        }

        using var response = await server.Client.SendAsync(request, Token);
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, response.StatusCode);
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType!.MediaType);
        var message = (await McpCalls.ReadAsync(response))["errors"]!["Content-Type"]![0]!.ToString();
        Assert.Contains($"'{contentType}'", message, StringComparison.Ordinal);
        Assert.Contains("Content-Type: application/json", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("POST", "?wait=yes", "wait", "'yes'", "true or false")]
    [InlineData("POST", "?wait=", "wait", "''", "true or false")]
    [InlineData("POST", "?adopt=1", "adopt", "'1'", "true or false")]
    [InlineData("POST", "?adopt=true&adopt=false", "adopt", "'true,false'", "true or false")]
    [InlineData("PATCH", "/acme?force=on", "force", "'on'", "true or false")]
    [InlineData("GET", "/acme/sessions?take=x", "take", "'x'", "1 to 1000")]
    [InlineData("GET", "/acme/sessions?take=1001", "take", "'1001'", "1 to 1000")]
    [InlineData("GET", "/acme/sessions?cursor=1.a.b.c", "cursor", "'1.a.b.c'", "the nextCursor of the page before")]
    [InlineData("GET", "/acme/clients?take=99999999999", "take", "'99999999999'", "1 to 1000")]
    [InlineData("GET", "/acme/clients?take=1.5", "take", "'1.5'", "1 to 1000")]
    [InlineData("POST", "/acme/principals/any/rotate?overlap=1h", "overlap", "'1h'", "0 to 604800, a whole number of seconds")]
    public async Task A_parameter_of_the_query_that_cannot_be_read_is_named_with_its_value_and_its_form(
        string method,
        string path,
        string name,
        string value,
        string form
    )
    {
        var server = shared.Host;
        using var response = await server.AdminAsync(
            new HttpMethod(method),
            path,
            method == "GET" ? null : """{"id":"initech","name":"x"}""",
            AdminKey
        );
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType!.MediaType);
        var (field, messages) = Assert.Single((await McpCalls.ReadAsync(response))["errors"]!.AsObject());
        Assert.Equal(name, field);
        Assert.Contains(value, messages![0]!.ToString(), StringComparison.Ordinal);
        Assert.Contains(form, messages[0]!.ToString(), StringComparison.Ordinal);
        using var list = await server.AdminAsync(HttpMethod.Get, "", key: AdminKey);
        Assert.Equal(
            ["acme acme"],
            (await McpCalls.ReadAsync(list))["tenants"]!.AsArray().Select(tenant => $"{tenant!["id"]} {tenant["name"]}")
        );
    }

    [Theory]
    [InlineData("PATCH", "/acme?forse=true", "forse", "force")]
    [InlineData("POST", "?force=true", "force", "wait and adopt")]
    [InlineData("GET", "/acme/principals?take=5", "take", "no parameters")]
    [InlineData("DELETE", "/acme?dryRun=true", "dryRun", "no parameters")]
    [InlineData("POST", "/acme/recheck?wait=true", "wait", "no parameters")]
    [InlineData("GET", "/acme/clients?page=2", "page", "take and cursor")]
    public async Task A_parameter_of_the_query_that_there_is_not_is_refused_and_those_that_there_are_are_named(
        string method,
        string path,
        string name,
        string names
    )
    {
        var server = shared.Host;
        var body =
            method is "PATCH" ? """{"name":"x"}"""
            : method is "POST" ? """{"id":"initech"}"""
            : null;
        using var response = await server.AdminAsync(new HttpMethod(method), path, body, AdminKey);
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        var (field, messages) = Assert.Single((await McpCalls.ReadAsync(response))["errors"]!.AsObject());
        Assert.Equal(name, field);
        Assert.Contains(names, messages![0]!.ToString(), StringComparison.Ordinal);
        using var list = await server.AdminAsync(HttpMethod.Get, "", key: AdminKey);
        Assert.Equal(
            ["acme acme"],
            (await McpCalls.ReadAsync(list))["tenants"]!.AsArray().Select(tenant => $"{tenant!["id"]} {tenant["name"]}")
        );
    }

    [Theory]
    [InlineData("/admin/nope", "/admin/tenants and what is below it, /admin/audit")]
    [InlineData("/admin/console", "/admin/usage, /admin/nodes, /admin/summary, /admin/deletions, /admin/events and /admin/openapi.json")]
    [InlineData("/admin/tenants/acme/nope", "/admin/tenants/{id}/principals")]
    [InlineData("/admin/nodes/nope", "/admin/nodes")]
    public async Task Where_there_is_nothing_the_answer_says_what_there_is_to_who_has_a_key(string path, string names)
    {
        var server = shared.Host;
        using var unknown = await server.Client.GetAsync(path, Token);
        Assert.Equal(HttpStatusCode.Unauthorized, unknown.StatusCode);
        using var request = new HttpRequestMessage(HttpMethod.Get, path) { Headers = { { "X-Admin-API-Key", AdminKey } } };
        using var response = await server.Client.SendAsync(request, Token);
        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType!.MediaType);
        Assert.Contains(names, (await McpCalls.ReadAsync(response))["detail"]!.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"id":5}""")]
    [InlineData("""{"id":null}""")]
    [InlineData("""{"id":{}}""")]
    [InlineData("""{}""")]
    [InlineData("""[]""")]
    [InlineData("""5""")]
    [InlineData("""null""")]
    [InlineData("""{"id":"x","id":"y"}""")]
    [InlineData("""{"id":"x","urls":null}""")]
    [InlineData("""{"id":"x","urls":"https://x.example"}""")]
    [InlineData("""{"id":"x","urls":[null]}""")]
    [InlineData("""{"id":"x","urls":[5]}""")]
    [InlineData("""{"id":"x","limits":5}""")]
    [InlineData("""{"id":"x","limits":{"rateLimit":"many"}}""")]
    [InlineData("""{"id":"x","limits":{"rateLimit":1e40}}""")]
    [InlineData("""{"id":"x","limits":{"rateLimit":1.5}}""")]
    [InlineData("""{"id":"x","limits":{"rateLimit":null}}""")]
    [InlineData("""{"id":"x","limits":{"tools":{"a":null}}}""")]
    [InlineData("""{"id":"x","limits":{"tools":{"a":{"rateLimit":{}}}}}""")]
    [InlineData("""{"id":"x","status":"gone"}""")]
    [InlineData("""{"id":"x","status":7}""")]
    [InlineData("""{"id":"x","authentication":"bearer"}""")]
    [InlineData("""{"id":"x","authentication":{"kind":"magic"}}""")]
    [InlineData("""{"id":"x","authentication":{"audiences":null}}""")]
    [InlineData("""{"id":"x","authentication":{"audiences":{}}}""")]
    [InlineData("""{"id":"x","principals":{}}""")]
    [InlineData("""{"id":"x","principals":[null]}""")]
    [InlineData("""{"id":"x","principals":[{"name":5}]}""")]
    [InlineData("""{"id":"x","principals":[{}]}""")]
    [InlineData("""{"id":"x","principals":[{"name":"a","scopes":null}]}""")]
    [InlineData("""{"id":"x","settings":5}""")]
    [InlineData("""{"id":"x",}""")]
    [InlineData("""{"id":"x" """)]
    public async Task What_is_wrong_with_a_body_is_said_in_the_terms_of_the_api(string body)
    {
        var server = shared.Host;
        foreach (var (method, path) in new[] { ("POST", ""), ("PATCH", "/acme"), ("POST", "/acme/principals"), ("POST", "/acme/clients") })
        {
            using var response = await server.AdminAsync(new HttpMethod(method), path, body, AdminKey);
            var answer = await response.Content.ReadAsStringAsync(Token);
            Assert.True((int)response.StatusCode is (>= 200 and < 300) or (>= 400 and < 500), $"{method} {path}: {answer}");
            foreach (var inner in new[] { "System.", "Tenancy.", "Path: $", "BytePosition", ".NET", "nullability", "deserializ" })
            {
                Assert.False(answer.Contains(inner, StringComparison.Ordinal), $"{method} {path}: {answer}");
            }

            // Some bodies are those of a tenant. It goes again, so that the next one is not told that its id is taken.
            if (path.Length == 0 && response.IsSuccessStatusCode)
            {
                using var deletion = await server.AdminAsync(HttpMethod.Delete, "/x", key: AdminKey);
                Assert.Equal(HttpStatusCode.NoContent, deletion.StatusCode);
            }
        }
    }

    [Fact]
    public async Task Without_the_key_a_request_that_cannot_be_read_is_told_no_more_than_any()
    {
        var server = shared.Host;
        using var query = await server.AdminAsync(HttpMethod.Post, "?wait=yes", "{}", key: null);
        Assert.Equal(HttpStatusCode.Unauthorized, query.StatusCode);
        using var body = await server.Client.PostAsync("/admin/tenants", new StringContent("{}", Encoding.UTF8, "text/plain"), Token);
        Assert.Equal(HttpStatusCode.Unauthorized, body.StatusCode);
    }

    private static Task<TenancyServer> StartAsync() =>
        TenancyServer.StartAsync(
            environment: "Production",
            settings: new Dictionary<string, string?>
            {
                ["Tenancy:BaseDomain"] = "tenants.example",
                ["Tenancy:AcceptEmbeddedStore"] = "true",
                ["Tenancy:AutoValidate"] = "false",
                ["Tenancy:Admin:Keys:0"] = AdminKey,
                ["Tenancy:Admin:RequestsPerMinute"] = "100000",
                ["Tenancy:Admin:AllowedHosts"] = "127.0.0.1",
                ["Tenancy:Tenants:0:id"] = "acme",
                ["Tenancy:Tenants:0:name"] = "acme",
            }
        );

    /// <summary>One server for all requests that leave it as it was.</summary>
    public sealed class Server : IAsyncLifetime
    {
        internal TenancyServer Host { get; private set; } = null!;

        public async ValueTask InitializeAsync() => Host = await StartAsync();

        public ValueTask DisposeAsync() => Host.DisposeAsync();
    }
}
