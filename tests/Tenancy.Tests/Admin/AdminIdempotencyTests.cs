using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Tenancy.Registry;
using Tenancy.State;
using Tenancy.Tests.Hosting;

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
        var (answers, mine) = (new AdminAnswers(store.Redis), Guid.NewGuid().ToString());
        var claim = await answers.ClaimAsync("admin", mine, "request");
        Assert.Equal(AdminClaimState.Claimed, claim.State);
        var second = await answers.ClaimAsync("admin", mine, "request");
        Assert.Equal(AdminClaimState.InFlight, second.State);
        Assert.InRange(second.RetryAfter, TimeSpan.FromSeconds(50), TimeSpan.FromSeconds(61));
        await answers.CompleteAsync(claim, "answer"u8.ToArray());
        var third = await answers.ClaimAsync("admin", mine, "request");
        Assert.Equal((AdminClaimState.Answered, "answer"), (third.State, System.Text.Encoding.UTF8.GetString(third.Answer!)));
        Assert.Equal(AdminClaimState.OtherRequest, (await answers.ClaimAsync("admin", mine, "another")).State);
        Assert.Equal(AdminClaimState.Claimed, (await answers.ClaimAsync("other", mine, "request")).State);
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

    private static async Task<HttpResponseMessage> PostAsync(
        TenancyServer server,
        string path,
        object body,
        string key,
        string admin = TenancyServer.AdminKey
    )
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/admin/tenants" + path) { Content = JsonContent.Create(body) };
        request.Headers.Add("X-Admin-API-Key", admin);
        request.Headers.TryAddWithoutValidation("Idempotency-Key", key);
        return await server.Client.SendAsync(request, Token);
    }
}
