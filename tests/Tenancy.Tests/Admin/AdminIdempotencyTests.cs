using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Tenancy.Fleet;
using Tenancy.Registry;
using Tenancy.State;
using Tenancy.Tests.Hosting;
using Tenancy.Tests.Registry;
using Tenancy.Validation;

namespace Tenancy.Tests.Admin;

/// <summary>A POST with an Idempotency-Key is done once; its answer, tokens included, is given again to who has the key alone.</summary>
[Tier(Tier.Process)]
public sealed class AdminIdempotencyTests(TestStores stores)
{
    private const string Key = "7d3c1e0a-0b4f-4c55-9a4e-1f8f3d2b6a10";

    private static readonly object Initech = new { id = "initech", principals = new[] { new { name = "Buyer" } } };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(StoreKind.Embedded)]
    [InlineData(StoreKind.Redis)]
    public async Task A_request_that_is_sent_again_gets_the_same_answer_and_makes_nothing_twice(StoreKind store)
    {
        await using var server = await TenancyServer.StartAsync(store);
        using var first = await PostAsync(server, "", Initech, Key);
        using var again = await PostAsync(server, "", Initech, Key);
        Assert.Equal((HttpStatusCode.Created, HttpStatusCode.Created), (first.StatusCode, again.StatusCode));
        Assert.Equal(await first.Content.ReadAsStringAsync(Token), await again.Content.ReadAsStringAsync(Token));
        Assert.Equal((first.Headers.ETag, first.Content.Headers.ContentType), (again.Headers.ETag, again.Content.Headers.ContentType));
        var token = (string)JsonNode.Parse(await again.Content.ReadAsStringAsync(Token))!["principals"]![0]!["token"]!;
        await server.CallAsync("initech", token, "whoami");

        using var issued = await PostAsync(server, "/initech/principals", new { name = "Second" }, Key + "2");
        using var issuedAgain = await PostAsync(server, "/initech/principals", new { name = "Second" }, Key + "2");
        Assert.Equal(await issued.Content.ReadAsStringAsync(Token), await issuedAgain.Content.ReadAsStringAsync(Token));
        using var principals = await server.AdminAsync(HttpMethod.Get, "/initech/principals");
        Assert.Equal(2, (await McpCalls.ReadAsync(principals))["principals"]!.AsArray().Count);
    }

    [Fact]
    public async Task A_key_stands_for_one_request_of_one_admin()
    {
        await using var server = await TenancyServer.StartAsync(
            settings: new Dictionary<string, string?>(TenancyServer.DefaultSettings) { ["Tenancy:Admin:Keys:1"] = "another-key" }
        );
        using var first = await PostAsync(server, "/acme/principals", new { name = "Buyer" }, Key);
        using var other = await PostAsync(server, "/acme/principals", new { name = "Another" }, Key);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, other.StatusCode);
        using var elsewhere = await PostAsync(server, "/globex/principals", new { name = "Buyer" }, Key);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, elsewhere.StatusCode);

        // It is no key of this admin's, who learns nothing of the first one's token.
        using var stranger = await PostAsync(server, "/acme/principals", new { name = "Buyer" }, Key, "another-key");
        Assert.Equal(HttpStatusCode.Created, stranger.StatusCode);
        Assert.NotEqual(await first.Content.ReadAsStringAsync(Token), await stranger.Content.ReadAsStringAsync(Token));
    }

    [Fact]
    public async Task A_refusal_is_not_kept_so_that_the_same_key_may_be_sent_again_with_what_was_mended()
    {
        await using var server = await TenancyServer.StartAsync();
        using var refused = await PostAsync(server, "", new { id = "BAD" }, Key);
        Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
        using var mended = await PostAsync(server, "", Initech, Key);
        Assert.Equal(HttpStatusCode.Created, mended.StatusCode);
    }

    [Fact]
    public async Task A_body_that_is_too_large_to_be_compared_is_refused_before_anything_is_done()
    {
        await using var server = await TenancyServer.StartAsync();
        using var response = await PostAsync(server, "", new { id = "initech", name = new string('x', 1024 * 1024) }, Key);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, response.StatusCode);
        Assert.Contains("1 MiB", await response.Content.ReadAsStringAsync(Token), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("short")]
    [InlineData("with a space in the middle")]
    public async Task A_key_that_is_guessed_easily_is_refused(string key)
    {
        await using var server = await TenancyServer.StartAsync();
        using var response = await PostAsync(server, "", Initech, key);
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Contains("16 to 255", await response.Content.ReadAsStringAsync(Token), StringComparison.Ordinal);
        Assert.Null(server.Services.GetRequiredService<TenantRegistry>().Get("initech"));
    }

    [Fact]
    public async Task While_a_request_runs_another_try_is_told_so_and_after_its_time_it_may_run()
    {
        await using var store = await stores.GetAsync(StoreKind.Redis);
        var (answers, mine) = (new AdminAnswers(store.Redis, TimeProvider.System), Guid.NewGuid().ToString());
        var claim = await answers.ClaimAsync("admin", mine, "request");
        Assert.Equal(AdminClaimState.Claimed, claim.State);
        var second = await answers.ClaimAsync("admin", mine, "request");
        Assert.Equal(AdminClaimState.InFlight, second.State);
        Assert.InRange(second.RetryAfter, AdminAnswers.Lease - TimeSpan.FromSeconds(10), AdminAnswers.Lease);
        await answers.CompleteAsync(claim, "answer"u8.ToArray());
        var third = await answers.ClaimAsync("admin", mine, "request");
        Assert.Equal((AdminClaimState.Answered, "answer"), (third.State, System.Text.Encoding.UTF8.GetString(third.Answer!)));
        Assert.Equal(AdminClaimState.OtherRequest, (await answers.ClaimAsync("admin", mine, "another")).State);
        Assert.Equal(AdminClaimState.Claimed, (await answers.ClaimAsync("other", mine, "request")).State);
    }

    [Fact]
    public async Task A_claim_lasts_as_long_as_its_request_and_not_as_long_as_a_lease()
    {
        await using var store = await stores.GetAsync(StoreKind.Redis);
        var (time, mine) = (new FakeTimeProvider(), Guid.NewGuid().ToString());
        var (answers, others) = (new AdminAnswers(store.Redis, time), new AdminAnswers(store.Redis, TimeProvider.System));
        var claim = await answers.ClaimAsync("admin", mine, "request");
        var before = (await others.ClaimAsync("admin", mine, "request")).RetryAfter;
        await using (answers.Hold(claim))
        {
            // What is left of it becomes less by the store's own clock, until a third of the lease later it is renewed.
            await Poll.UntilAsync(async () =>
                (await others.ClaimAsync("admin", mine, "request")).RetryAfter < before - TimeSpan.FromMilliseconds(15)
            );
            time.Advance(AdminAnswers.Lease / 3);
            await Poll.UntilAsync(async () =>
                (await others.ClaimAsync("admin", mine, "request")).RetryAfter > before - TimeSpan.FromMilliseconds(15)
            );
        }

        await answers.ReleaseAsync(claim);
        time.Advance(AdminAnswers.Lease);
        Assert.Equal(AdminClaimState.Claimed, (await others.ClaimAsync("admin", mine, "another")).State);
    }

    [Fact]
    public async Task A_client_that_goes_while_its_request_runs_is_told_later_what_was_made()
    {
        var validator = new GatedValidator();
        await using var server = await TenancyServer.StartAsync(services: services => services.AddSingleton<ITenantValidator>(validator));
        var check = validator.Hold("initech");
        using (var patience = CancellationTokenSource.CreateLinkedTokenSource(Token))
        {
            var first = PostAsync(server, "?wait=true", Initech, Key, cancellationToken: patience.Token);
            await check.Started;
            await patience.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        }

        using (var meanwhile = await PostAsync(server, "?wait=true", Initech, Key))
        {
            Assert.Equal(HttpStatusCode.Conflict, meanwhile.StatusCode);
        }

        check.End(GatedValidator.Valid);
        using var again = await EndedAsync(() => PostAsync(server, "?wait=true", Initech, Key), () => { });
        Assert.Equal(HttpStatusCode.Created, again.StatusCode);
        var made = JsonNode.Parse(await again.Content.ReadAsStringAsync(Token))!;
        Assert.Equal("healthy", (string)made["health"]!);
        await server.CallAsync("initech", (string)made["principals"]![0]!["token"]!, "whoami");
    }

    // Each command of a request is lost in turn, or its answer: as where a node dies, or its way to the store breaks.
    [Theory]
    [InlineData("tenant.registered")]
    [InlineData("principal.issued")]
    [InlineData("principal.rotated")]
    [InlineData("client.listed")]
    public async Task What_was_cut_off_anywhere_is_made_once_and_its_token_is_told(string action)
    {
        var clock = new MovableClock();
        await using var redis = await RedisServer.StartAsync();
        await using var link = new StoreLink();
        await using var server = await TenancyServer.StartAsync(
            settings: new Dictionary<string, string?>(TenancyServer.DefaultSettings)
            {
                ["ConnectionStrings:Redis"] = link.Through(redis.ConnectionString),
                ["Tenancy:Validation:AllowedNetworks:0"] = "127.0.0.0/8",
                ["Tenancy:Admin:RequestsPerMinute"] = "100000",
            },
            services: services => services.AddSingleton<TimeProvider>(clock)
        );
        if (action == "client.listed")
        {
            using var other = await server.AdminAsync(
                HttpMethod.Patch,
                "/acme?force=true",
                new
                {
                    authentication = new
                    {
                        kind = "jwks",
                        issuer = "http://127.0.0.1:1",
                        audiences = new[] { "https://acme.example.com" },
                    },
                }
            );
            Assert.Equal(HttpStatusCode.OK, other.StatusCode);
        }

        using var listed = await server.AdminAsync(HttpMethod.Get, "/acme/principals");
        var buyer = (string)(await McpCalls.ReadAsync(listed))["principals"]![0]!["id"]!;
        for (var number = 1; number <= 10; number++)
        {
            var (key, name) = ($"{Key}-{number}", $"new{number}");
            var (path, body, tenant) = action switch
            {
                "tenant.registered" => ("", (object)new { id = name, principals = new[] { new { name } } }, name),
                "principal.issued" => ("/acme/principals", new { name }, "acme"),
                "principal.rotated" => ($"/acme/principals/{buyer}/rotate", new { }, "acme"),
                _ => ("/acme/clients", new { clientId = name }, "acme"),
            };
            var before = await CountAsync(server, tenant, action);
            link.Arm((number + 1) / 2, afterIt: number % 2 == 0);
            using var made = await EndedAsync(() => PostAsync(server, path, body, key), () => clock.Advance(AdminAnswers.Lease));
            var answer = await made.Content.ReadAsStringAsync(Token);
            Assert.True(made.IsSuccessStatusCode, $"{number}: {(int)made.StatusCode} {answer}");
            Assert.Equal((number, before + 1), (number, await CountAsync(server, tenant, action)));
            if (action != "client.listed")
            {
                await Poll.UntilAsync(async () =>
                {
                    using var read = await server.AdminAsync(HttpMethod.Get, $"/{tenant}");
                    return (string?)(await McpCalls.ReadAsync(read))["health"] == "healthy";
                });
                var shown = JsonNode.Parse(answer)!;
                await server.CallAsync(tenant, (string)(shown["principals"]?[0] ?? shown)!["token"]!, "whoami");
            }
        }
    }

    [Fact]
    public async Task A_change_and_a_deletion_are_done_once_too()
    {
        await using var server = await TenancyServer.StartAsync();
        using var read = await server.AdminAsync(HttpMethod.Get, "/acme");
        var tag = read.Headers.ETag!.ToString();
        using var first = await SendAsync(server, HttpMethod.Patch, "/acme", new { name = "Once" }, Key, tag);
        using var again = await SendAsync(server, HttpMethod.Patch, "/acme", new { name = "Once" }, Key, tag);
        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.OK), (first.StatusCode, again.StatusCode));
        using var another = await SendAsync(server, HttpMethod.Patch, "/acme", new { name = "Once" }, Key, "\"99\"");
        Assert.Equal(HttpStatusCode.UnprocessableEntity, another.StatusCode);
        using var gone = await SendAsync(server, HttpMethod.Delete, "/acme", body: null, Key + "2");
        using var goneAgain = await SendAsync(server, HttpMethod.Delete, "/acme", body: null, Key + "2");
        Assert.Equal((HttpStatusCode.NoContent, HttpStatusCode.NoContent), (gone.StatusCode, goneAgain.StatusCode));
    }

    [Fact]
    public async Task Neither_the_key_nor_the_token_in_the_answer_is_in_the_store()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var server = await TenancyServer.StartAsync(redis: redis);
        using var made = await PostAsync(server, "/acme/principals", new { name = "Buyer" }, Key);
        var token = (string)JsonNode.Parse(await made.Content.ReadAsStringAsync(Token))!["token"]!;
        var stored = await redis.ReadAllAsync();
        Assert.Contains("answer", stored, StringComparison.Ordinal);
        Assert.DoesNotContain(Key, stored, StringComparison.Ordinal);
        Assert.DoesNotContain(token, stored, StringComparison.Ordinal);
        Assert.DoesNotContain(Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes(token))[..20], stored, StringComparison.Ordinal);
    }

    // Until the store is there again, and the claim of the run that was cut off has ended.
    private static async Task<HttpResponseMessage> EndedAsync(Func<Task<HttpResponseMessage>> send, Action afterConflict)
    {
        HttpResponseMessage? response = null;
        await Poll.UntilAsync(async () =>
        {
            response?.Dispose();
            response = await send();
            if (response.StatusCode == HttpStatusCode.Conflict)
            {
                afterConflict();
            }

            return response.StatusCode is not (HttpStatusCode.ServiceUnavailable or HttpStatusCode.Conflict);
        });
        return response!;
    }

    private static async Task<int> CountAsync(TenancyServer server, string tenant, string action)
    {
        await server.Services.GetRequiredService<AuditWriter>().WriteAsync(all: true);
        var count = -1;
        await Poll.UntilAsync(async () =>
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, $"/admin/audit?tenant={tenant}&action={action}");
            request.Headers.Add("X-Admin-API-Key", TenancyServer.AdminKey);
            using var response = await server.Client.SendAsync(request, Token);
            count = (await McpCalls.ReadAsync(response))["entries"]?.AsArray().Count ?? -1;
            return count >= 0;
        });
        return count;
    }

    private static Task<HttpResponseMessage> PostAsync(
        TenancyServer server,
        string path,
        object body,
        string key,
        string admin = TenancyServer.AdminKey,
        CancellationToken? cancellationToken = null
    ) => SendAsync(server, HttpMethod.Post, path, body, key, admin: admin, cancellationToken: cancellationToken);

    private static async Task<HttpResponseMessage> SendAsync(
        TenancyServer server,
        HttpMethod method,
        string path,
        object? body,
        string key,
        string? ifMatch = null,
        string admin = TenancyServer.AdminKey,
        CancellationToken? cancellationToken = null
    )
    {
        using var request = new HttpRequestMessage(method, "/admin/tenants" + path)
        {
            Content = body is null ? null : JsonContent.Create(body),
        };
        request.Headers.Add("X-Admin-API-Key", admin);
        request.Headers.TryAddWithoutValidation("Idempotency-Key", key);
        if (ifMatch is not null)
        {
            request.Headers.TryAddWithoutValidation("If-Match", ifMatch);
        }

        return await server.Client.SendAsync(request, cancellationToken ?? Token);
    }
}
