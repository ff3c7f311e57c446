using System.Net;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Admin;

/// <summary>An admin lists, shows, refreshes and takes out the OAuth clients of a tenant.</summary>
[Tier(Tier.Server)]
public sealed class ClientsTests : IAsyncLifetime
{
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UtcNow);
    private TestIssuer _issuer = null!;
    private TenancyServer _server = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>Two tenants at one identity provider, and one with none.</summary>
    public async ValueTask InitializeAsync()
    {
        _issuer = await TestIssuer.StartAsync();
        _server = await TenancyServer.StartAsync(
            settings: new Dictionary<string, string?>
            {
                ["Tenancy:BaseDomain"] = "localhost",
                ["Tenancy:Admin:Keys:0"] = TenancyServer.AdminKey,
                ["Tenancy:Validation:AllowedNetworks:0"] = "127.0.0.1/32",
            },
            services: services => services.AddSingleton<TimeProvider>(_time)
        );
        foreach (var id in new[] { "acme", "globex" })
        {
            await OkAsync(
                HttpMethod.Post,
                "?wait=true",
                $$"""{ "id": "{{id}}", "limits": { "maxClients": 4 }, "authentication": { "kind": "jwks", "issuer":"""
                    + $$""" "{{_issuer.Url}}", "requireClients": true } }"""
            );
        }

        await OkAsync(HttpMethod.Post, "?wait=true", """{ "id": "plain" }""");
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        await _issuer.DisposeAsync();
    }

    [Fact]
    public async Task A_client_is_listed_shown_and_taken_out_at_its_tenant_only()
    {
        var added = await OkAsync(
            HttpMethod.Post,
            "/acme/clients",
            """{ "clientId": "agent", "name": "Buying agent", "metadata": { "contacts": ["ops@example.com"] }, "expiresIn": 3600 }"""
        );
        Assert.Equal(
            ("agent", "Buying agent", _issuer.Url, 3600),
            (Text(added, "clientId"), Text(added, "name"), Text(added, "issuer"), (int)added["expiresIn"]!)
        );
        Assert.Equal("ops@example.com", added["metadata"]!["contacts"]![0]!.ToString());
        Assert.Equal(_time.GetUtcNow().AddHours(1), (DateTimeOffset)added["expiresAt"]!, TimeSpan.FromMinutes(1));
        Assert.Null(added["fetchedAt"]);

        var handle = Text(added, "handle");
        Assert.Equal(added.ToJsonString(), (await OkAsync(HttpMethod.Get, $"/acme/clients/{handle}")).ToJsonString());
        Assert.Equal(added.ToJsonString(), (await ListAsync("acme")).Single()!.ToJsonString());

        Assert.Empty(await ListAsync("globex"));
        foreach (
            var (method, path) in new[]
            {
                (HttpMethod.Get, $"/globex/clients/{handle}"),
                (HttpMethod.Post, $"/globex/clients/{handle}/refresh"),
                (HttpMethod.Delete, $"/globex/clients/{handle}"),
            }
        )
        {
            Assert.Equal(HttpStatusCode.NotFound, (await SendAsync(method, path)).Status);
        }

        Assert.Equal(HttpStatusCode.NoContent, (await SendAsync(HttpMethod.Delete, $"/acme/clients/{handle}")).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await SendAsync(HttpMethod.Delete, $"/acme/clients/{handle}")).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await SendAsync(HttpMethod.Get, $"/acme/clients/{handle}")).Status);
        Assert.Empty(await ListAsync("acme"));
    }

    [Fact]
    public async Task A_tenant_has_no_more_clients_than_its_quota_and_each_once()
    {
        for (var i = 0; i < 4; i++)
        {
            await OkAsync(HttpMethod.Post, "/acme/clients", $$"""{ "clientId": "agent-{{i}}" }""");
        }

        var (status, body) = await SendAsync(HttpMethod.Post, "/acme/clients", """{ "clientId": "agent-4" }""");
        Assert.Equal((HttpStatusCode.Conflict, "limits.maxClients"), (status, Field(body)));
        (status, body) = await SendAsync(HttpMethod.Post, "/acme/clients", """{ "clientId": "agent-0" }""");
        Assert.Equal((HttpStatusCode.Conflict, "clientId"), (status, Field(body)));

        var page = await OkAsync(HttpMethod.Get, "/acme/clients?take=3");
        Assert.Equal((3, 4), (page["clients"]!.AsArray().Count, (int)page["count"]!));
        var last = await OkAsync(HttpMethod.Get, $"/acme/clients?take=3&cursor={Text(page, "nextCursor")}");
        Assert.Single(last["clients"]!.AsArray());
        Assert.Null(last["nextCursor"]);

        // The neighbour at the same identity provider has a quota of its own.
        await OkAsync(HttpMethod.Post, "/globex/clients", """{ "clientId": "agent-0" }""");
        await OkAsync(HttpMethod.Patch, "/acme", """{ "limits": { "maxClients": 5 } }""");
        await OkAsync(HttpMethod.Post, "/acme/clients", """{ "clientId": "agent-4" }""");
    }

    [Fact]
    public async Task A_mistake_names_its_field()
    {
        (string Body, string Field)[] mistakes =
        [
            ("""{ "clientId": "" }""", "clientId"),
            ("""{ "clientId": " agent" }""", "clientId"),
            ("""{ "clientId": "agent " }""", "clientId"),
            ("""{ "clientId": "аgent" }""", "clientId"),
            ("""{ "clientId": "agent\u200b" }""", "clientId"),
            ("""{ "clientId": "agent\u0000" }""", "clientId"),
            ("""{ "clientId": "agent\nother" }""", "clientId"),
            ("""{ "clientId": "\ud83d" }""", "clientId"),
            ("""{ "clientId": 7 }""", "clientId"),
            ("""{ "clientId": null }""", "clientId"),
            ("""{ "clientId": "agent", "name": "" }""", "name"),
            ("""{ "clientId": "agent", "metadata": [] }""", "metadata"),
            ("""{ "clientId": "agent", "metadata": "text" }""", "metadata"),
            ("""{ "clientId": "agent", "expiresIn": 59 }""", "expiresIn"),
            ("""{ "clientId": "agent", "expiresIn": 315360001 }""", "expiresIn"),
            ("""{ "clientId": "agent", "expiresIn": "3600" }""", "expiresIn"),
            ("""{ "clientId": "agent", "client_name": "x" }""", "client_name"),
            ("""{ "clientId": "agent", "clientId": "other" }""", "clientId"),
            ("""{ "name": "agent" }""", ""),
            ("""[]""", ""),
            ("""null""", ""),
            ("""{ "clientId": "https://agent.example.com/client", "metadata": {} }""", "metadata"),
            ("""{ "clientId": "http://agent.example.com/client" }""", "clientId"),
            ("""{ "clientId": "https://user:secret@agent.example.com/client" }""", "clientId"),
            ("""{ "clientId": "https://agent.example.com/client#secret" }""", "clientId"),
            ("""{ "clientId": "HTTPS://agent.example.com/client" }""", "clientId"),
            ("""{ "clientId": "https://Agent.example.com/client" }""", "clientId"),
            ("""{ "clientId": "https://agent.example.com:443/client" }""", "clientId"),
            ("""{ "clientId": "https://agent.example.com/a/../client" }""", "clientId"),
            ("""{ "clientId": "https://agent.example.com/a/%2e%2e/client" }""", "clientId"),
            ("""{ "clientId": "https://agent.example.com:99999/client" }""", "clientId"),
        ];
        foreach (var (body, field) in mistakes)
        {
            var (status, problem) = await SendAsync(HttpMethod.Post, "/acme/clients", body);
            Assert.True(status == HttpStatusCode.BadRequest, $"{body} {problem}");
            Assert.Equal((body, field), (body, Field(problem)));
            Assert.DoesNotContain("secret", problem, StringComparison.Ordinal);
        }

        Assert.Empty(await ListAsync("acme"));
    }

    [Fact]
    public async Task What_is_too_long_is_refused_and_what_just_fits_is_kept()
    {
        Assert.Equal(
            "clientId",
            Field((await SendAsync(HttpMethod.Post, "/acme/clients", $$"""{ "clientId": "{{new string('x', 10 * 1024)}}" }""")).Body)
        );
        Assert.Equal(
            "metadata",
            Field(
                (
                    await SendAsync(
                        HttpMethod.Post,
                        "/acme/clients",
                        $$"""{ "clientId": "x", "metadata": { "a": "{{new string('x', 5 * 1024)}}" } }"""
                    )
                ).Body
            )
        );
        await OkAsync(
            HttpMethod.Post,
            "/acme/clients",
            $$"""{ "clientId": "{{new string('x', 1024)}}", "metadata": { "a": "{{new string('x', 5 * 1024 - 11)}}" } }"""
        );
    }

    [Fact]
    public async Task Any_id_that_OAuth_allows_is_one_client()
    {
        string[] ids =
        [
            "{acme}",
            "tenant:{globex}:client:x",
            "*",
            "a:b/c?d#e%2f..\\[x]",
            "https://agent.example.com",
            "urn:ietf:params:x y",
            "https:\\\\agent.example.com\\client",
        ];
        foreach (var id in ids)
        {
            var added = await OkAsync(HttpMethod.Post, "/acme/clients", new JsonObject { ["clientId"] = id }.ToJsonString());
            Assert.Matches("^[A-Za-z0-9_-]{43}$", Text(added, "handle"));
            Assert.Equal(id, Text((await ListAsync("acme")).Single()!, "clientId"));
            Assert.Equal(HttpStatusCode.NoContent, (await SendAsync(HttpMethod.Delete, $"/acme/clients/{Text(added, "handle")}")).Status);
        }
    }

    [Fact]
    public async Task A_page_has_its_bounds()
    {
        Assert.Equal("take", Field((await SendAsync(HttpMethod.Get, "/acme/clients?take=0")).Body));
        Assert.Equal("take", Field((await SendAsync(HttpMethod.Get, "/acme/clients?take=1001")).Body));
        foreach (var cursor in new[] { "acme", "", new string('x', 101), $"000000000000000.{new string('*', 43)}" })
        {
            Assert.Equal("cursor", Field((await SendAsync(HttpMethod.Get, $"/acme/clients?cursor={cursor}")).Body));
        }
    }

    [Fact]
    public async Task Unknown_tenants_and_handles_and_tenants_without_an_identity_provider_are_told_so()
    {
        Assert.Equal(HttpStatusCode.NotFound, (await SendAsync(HttpMethod.Get, "/nobody/clients")).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await SendAsync(HttpMethod.Post, "/nobody/clients", "{}")).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await SendAsync(HttpMethod.Get, "/acme/clients/*")).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await SendAsync(HttpMethod.Delete, $"/acme/clients/{new string('x', 43)}")).Status);
        var (status, body) = await SendAsync(HttpMethod.Post, "/plain/clients", """{ "clientId": "agent" }""");
        Assert.Equal((HttpStatusCode.Conflict, "authentication.kind"), (status, Field(body)));
        using var keyless = await _server.AdminAsync(HttpMethod.Get, "/acme/clients", key: null);
        Assert.Equal(HttpStatusCode.Unauthorized, keyless.StatusCode);
    }

    [Fact]
    public async Task The_metadata_document_that_an_id_is_the_URL_of_is_fetched_kept_and_fetched_again_by_a_refresh()
    {
        var name = "One";
        await using var site = await StubServer.StartAsync(context => context.Response.WriteAsync(Document(context, name)));
        var clientId = site.Url + "/client.json";
        var added = await OkAsync(HttpMethod.Post, "/acme/clients", $$"""{ "clientId": "{{clientId}}", "name": "Ours" }""");
        Assert.Equal((clientId, "Ours"), (Text(added, "clientId"), Text(added, "name")));
        Assert.Equal(
            ("One", "https://agent.example.com/callback"),
            (added["metadata"]!["client_name"]!.ToString(), added["metadata"]!["redirect_uris"]![0]!.ToString())
        );
        Assert.NotNull(added["fetchedAt"]);
        Assert.Equal(["/client.json"], site.Paths);

        name = "Two";
        _time.Advance(TimeSpan.FromDays(2));
        var refreshed = await OkAsync(HttpMethod.Post, $"/acme/clients/{Text(added, "handle")}/refresh");
        Assert.Equal("Two", refreshed["metadata"]!["client_name"]!.ToString());
        Assert.Equal(
            (DateTimeOffset)added["expiresAt"]! + TimeSpan.FromDays(2),
            (DateTimeOffset)refreshed["expiresAt"]!,
            TimeSpan.FromMinutes(1)
        );

        // A document that has gone changes nothing: only an admin takes a client out.
        site.Answer = context => StatusAsync(context, 404);
        Assert.Equal(
            HttpStatusCode.UnprocessableEntity,
            (await SendAsync(HttpMethod.Post, $"/acme/clients/{Text(added, "handle")}/refresh")).Status
        );
        Assert.Equal(refreshed.ToJsonString(), (await OkAsync(HttpMethod.Get, $"/acme/clients/{Text(added, "handle")}")).ToJsonString());
    }

    [Fact]
    public async Task A_refresh_renews_a_client_without_a_document()
    {
        var added = await OkAsync(HttpMethod.Post, "/acme/clients", """{ "clientId": "agent" }""");
        _time.Advance(TimeSpan.FromDays(89));
        var refreshed = await OkAsync(HttpMethod.Post, $"/acme/clients/{Text(added, "handle")}/refresh");
        Assert.Equal(
            (DateTimeOffset)added["expiresAt"]! + TimeSpan.FromDays(89),
            (DateTimeOffset)refreshed["expiresAt"]!,
            TimeSpan.FromMinutes(1)
        );
        _time.Advance(TimeSpan.FromDays(91));
        Assert.Equal(HttpStatusCode.NotFound, (await SendAsync(HttpMethod.Post, $"/acme/clients/{Text(added, "handle")}/refresh")).Status);
    }

    [Fact]
    public async Task A_document_that_does_not_vouch_for_the_client_is_refused_with_the_reason()
    {
        (string What, string Reason)[] documents =
        [
            ("other id", "has another client_id"),
            ("no id", "has another client_id"),
            ("list of ids", "has another client_id"),
            ("slash", "has another client_id"),
            ("not JSON", "is not JSON"),
            ("half a surrogate pair", "is not JSON"),
            ("key twice", "is not JSON"),
            ("list", "is not a JSON object"),
            ("secret", "client_secret"),
            ("shared secret", "token_endpoint_auth_method"),
            ("name", "client_name"),
            ("redirects", "redirect_uris"),
            ("redirect", "redirects are not followed"),
            ("too big", "larger than 5 KiB"),
            ("too big and endless", "larger than 5 KiB"),
            ("404", "answered 404"),
        ];
        foreach (var (what, reason) in documents)
        {
            await using var site = await StubServer.StartAsync(context => AnswerAsync(context, what));
            var (status, body) = await SendAsync(HttpMethod.Post, "/acme/clients", $$"""{ "clientId": "{{site.Url}}/client.json" }""");
            Assert.True(status == HttpStatusCode.UnprocessableEntity, $"{what} {body}");
            Assert.Equal("clientId", Field(body));
            Assert.Contains(reason, body, StringComparison.Ordinal);
            Assert.DoesNotContain("s3cret", body, StringComparison.Ordinal);
            Assert.Equal(["/client.json"], site.Paths);
        }

        Assert.Empty(await ListAsync("acme"));
    }

    [Fact]
    public async Task A_document_at_an_address_that_is_not_public_is_not_fetched()
    {
        // A Development server takes what is on loopback.
        string[] urls = ["https://10.0.0.1/client.json", "https://169.254.169.254/latest/meta-data", "https://0.0.0.0/client.json"];
        foreach (var url in urls)
        {
            var (status, body) = await SendAsync(HttpMethod.Post, "/acme/clients", $$"""{ "clientId": "{{url}}" }""");
            Assert.True(status == HttpStatusCode.UnprocessableEntity, $"{url} {body}");
            Assert.Contains("not public", body, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_document_that_does_not_come_is_a_503_that_says_when_to_try_again()
    {
        var arrived = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var site = await StubServer.StartAsync(async context =>
        {
            arrived.TrySetResult();
            await Task.Delay(Timeout.Infinite, context.RequestAborted);
        });
        var waiting = _server.AdminAsync(HttpMethod.Post, "/acme/clients", $$"""{ "clientId": "{{site.Url}}/client.json" }""");
        await arrived.Task;
        _time.Advance(TimeSpan.FromSeconds(10));
        using var answer = await waiting;
        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        Assert.NotNull(answer.Headers.RetryAfter);
        Assert.Contains("did not answer within 10 s", await answer.Content.ReadAsStringAsync(Cancellation), StringComparison.Ordinal);

        site.Answer = context => StatusAsync(context, 500);
        Assert.Equal(
            HttpStatusCode.ServiceUnavailable,
            (await SendAsync(HttpMethod.Post, "/acme/clients", $$"""{ "clientId": "{{site.Url}}/client.json" }""")).Status
        );
    }

    [Fact]
    public async Task A_tenant_that_is_deleted_keeps_no_client_and_one_that_comes_again_begins_with_none()
    {
        await OkAsync(HttpMethod.Post, "/acme/clients", """{ "clientId": "agent" }""");
        await OkAsync(HttpMethod.Post, "/globex/clients", """{ "clientId": "agent" }""");
        Assert.Equal(HttpStatusCode.NoContent, (await SendAsync(HttpMethod.Delete, "/acme")).Status);
        await OkAsync(
            HttpMethod.Post,
            "?wait=true",
            $$"""{ "id": "acme", "authentication": { "kind": "jwks", "issuer": "{{_issuer.Url}}" } }"""
        );
        Assert.Empty(await ListAsync("acme"));
        Assert.Single(await ListAsync("globex"));
    }

    [Fact]
    public async Task A_tenant_of_the_configuration_can_require_clients()
    {
        await using var server = await TenancyServer.StartAsync(
            settings: new Dictionary<string, string?>
            {
                ["Tenancy:BaseDomain"] = "localhost",
                ["Tenancy:Admin:Keys:0"] = TenancyServer.AdminKey,
                ["Tenancy:Tenants:0:id"] = "acme",
                ["Tenancy:Tenants:0:authentication:kind"] = "jwks",
                ["Tenancy:Tenants:0:authentication:issuer"] = _issuer.Url,
                ["Tenancy:Tenants:0:authentication:requireClients"] = "true",
            }
        );
        using var answer = await server.AdminAsync(HttpMethod.Get, "/acme");
        Assert.True((bool)(await McpCalls.ReadAsync(answer))["authentication"]!["requireClients"]!);
    }

    private static string Document(HttpContext context, string name) =>
        $$"""{ "client_id": "http://{{context.Request.Host}}{{context.Request.Path}}", "client_name": "{{name}}", "redirect_uris":"""
        + $$""" ["https://agent.example.com/callback"], "token_endpoint_auth_method": "private_key_jwt" }""";

    private static Task StatusAsync(HttpContext context, int status)
    {
        context.Response.StatusCode = status;
        return Task.CompletedTask;
    }

    private static Task AnswerAsync(HttpContext context, string what)
    {
        var good = Document(context, "Agent");
        var url = $"http://{context.Request.Host}{context.Request.Path}";
        switch (what)
        {
            case "redirect":
                context.Response.Redirect("/elsewhere");
                return Task.CompletedTask;
            case "404":
                context.Response.StatusCode = 404;
                return context.Response.WriteAsync("s3cret");
            case "too big":
                context.Response.ContentLength = 5 * 1024 + 1;
                return context.Response.WriteAsync(good.PadRight(5 * 1024 + 1));
            case "too big and endless":
                return WriteAsync();
        }

        return context.Response.WriteAsync(
            what switch
            {
                "other id" => good.Replace(url, "https://s3cret.example.com/client.json", StringComparison.Ordinal),
                "no id" => "{}",
                "list of ids" => $$"""{ "client_id": ["{{url}}"] }""",
                "slash" => good.Replace(url, url + "/", StringComparison.Ordinal),
                "half a surrogate pair" => """{ "client_id": "\ud83d" }""",
                "key twice" => $$"""{ "client_id": "https://s3cret.example.com", "client_id": "{{url}}" }""",
                "list" => $"[{good}]",
                "secret" => $$"""{ "client_id": "{{url}}", "client_secret": "s3cret" }""",
                "shared secret" => $$"""{ "client_id": "{{url}}", "token_endpoint_auth_method": "client_secret_basic" }""",
                "name" => $$"""{ "client_id": "{{url}}", "client_name": { "s3cret": 1 } }""",
                "redirects" => $$"""{ "client_id": "{{url}}", "redirect_uris": ["https://agent.example.com", 7] }""",
                _ => "<html>s3cret</html>",
            }
        );

        async Task WriteAsync()
        {
            while (!context.RequestAborted.IsCancellationRequested)
            {
                await context.Response.WriteAsync(good.PadRight(1024), context.RequestAborted);
            }
        }
    }

    private static string Text(JsonNode node, string field) => node[field]!.ToString();

    private static string Field(string problem) => Assert.Single(JsonNode.Parse(problem)!["errors"]!.AsObject()).Key;

    private async Task<JsonArray> ListAsync(string tenant) => (await OkAsync(HttpMethod.Get, $"/{tenant}/clients"))["clients"]!.AsArray();

    private async Task<JsonNode> OkAsync(HttpMethod method, string path, string? body = null)
    {
        var (status, answer) = await SendAsync(method, path, body);
        Assert.True((int)status is >= 200 and < 300, $"{status} {answer}");
        return JsonNode.Parse(answer)!;
    }

    private async Task<(HttpStatusCode Status, string Body)> SendAsync(HttpMethod method, string path, string? body = null)
    {
        using var answer = await _server.AdminAsync(method, path, body);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync(Cancellation));
    }
}
