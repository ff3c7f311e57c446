using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.DependencyInjection;
using StackExchange.Redis;
using Tenancy.Configuration;
using Tenancy.Registry;
using Tenancy.State;
using Tenancy.Tests.Fleet;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Admin;

/// <summary>A tenant's secrets are written and never read: not by an admin, not in the store, and not by another tenant.</summary>
[Tier(Tier.Process)]
public sealed class SecretsTests
{
    // Nothing else has this text.
    private const string Value = "s3cret-a1b2c3";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_secret_reaches_the_platform_and_is_shown_nowhere()
    {
        await using var redis = await RedisServer.StartAsync();
        await using (var server = await TenancyServer.StartAsync(redis: redis))
        {
            var texts = new List<string>
            {
                await SendAsync(server, HttpMethod.Post, "?wait=true", Shop(Value), HttpStatusCode.Created),
                await SendAsync(server, HttpMethod.Get, "/shop"),
                await SendAsync(server, HttpMethod.Get, ""),
                await SendAsync(
                    server,
                    HttpMethod.Patch,
                    "/shop",
                    """{"secrets":{"product":"s3cret-a1b2c3-2","other":"s3cret-a1b2c3-3"}}"""
                ),
                await SendAsync(server, HttpMethod.Get, "/shop/audit"),
            };
            Assert.Equal("s3cret-a1b2c3-2", await ProductAsync(server));
            Assert.Equal("""{"other":"(hidden)","product":"(hidden)"}""", JsonNode.Parse(texts[3])!["secrets"]!.ToJsonString());
            Assert.All(texts, text => Assert.DoesNotContain(Value, text, StringComparison.Ordinal));
            Assert.Contains("secrets.other", texts[4], StringComparison.Ordinal);
            Assert.DoesNotContain(Value, await redis.ReadAllAsync(), StringComparison.Ordinal);
        }

        await using var restarted = await TenancyServer.StartAsync(redis: redis);
        Assert.Equal("s3cret-a1b2c3-2", await ProductAsync(restarted));
    }

    [Fact]
    public async Task A_patch_changes_the_secrets_that_it_names_and_the_mark_of_a_hidden_one_keeps_it()
    {
        await using var server = await TenancyServer.StartAsync();
        await SendAsync(server, HttpMethod.Post, "", Shop(Value), HttpStatusCode.Created);
        await SendAsync(server, HttpMethod.Patch, "/shop", """{"name":"Another"}""");
        Assert.Equal(Value, await ProductAsync(server));

        // What was read can be sent as it was.
        var read = JsonNode.Parse(await SendAsync(server, HttpMethod.Get, "/shop"))!;
        var same = JsonNode.Parse(
            await SendAsync(server, HttpMethod.Patch, "/shop", new JsonObject { ["secrets"] = read["secrets"]!.DeepClone() }.ToJsonString())
        )!;
        Assert.Equal((long)read["version"]!, (long)same["version"]!);
        Assert.Equal(Value, await ProductAsync(server));

        await SendAsync(server, HttpMethod.Patch, "/shop", """{"secrets":{"product":null}}""");
        Assert.Equal("house-ad", await ProductAsync(server));
        var refused = await SendAsync(
            server,
            HttpMethod.Patch,
            "/shop",
            """{"secrets":{"product":"(hidden)"}}""",
            HttpStatusCode.BadRequest
        );
        Assert.Contains("secrets.product", refused, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"product":7}""", "'product' must be a text")]
    [InlineData("""{"product":null}""", "'product' must be a text")]
    [InlineData("""["s3cret-a1b2c3"]""", "must be an object")]
    [InlineData("""{"a b":"s3cret-a1b2c3"}""", "secrets['a b']")]
    [InlineData("""{"product":""}""", "secrets.product")]
    [InlineData("""{"product":"s3cret-a1b2c3","product":"x"}""", "stands twice")]
    [InlineData("""{"product":"(hidden)"}""", "give the value")]
    public async Task Secrets_that_will_not_do_are_refused_by_name_and_never_repeated(string secrets, string part)
    {
        await using var server = await TenancyServer.StartAsync();
        var refused = await SendAsync(server, HttpMethod.Post, "", $$"""{"id":"shop","secrets":{{secrets}}}""", HttpStatusCode.BadRequest);
        Assert.Contains(part, refused, StringComparison.Ordinal);
        Assert.DoesNotContain(Value, refused, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_was_encrypted_for_one_tenant_is_not_decrypted_for_another()
    {
        await using var redis = await RedisServer.StartAsync();
        await using (var server = await TenancyServer.StartAsync(redis: redis))
        {
            await SendAsync(server, HttpMethod.Post, "", Shop(Value), HttpStatusCode.Created);
            await SendAsync(server, HttpMethod.Post, "", """{"id":"thief","secrets":{"product":"own"}}""", HttpStatusCode.Created);
        }

        await MoveSecretsAsync(redis, "shop", "thief");
        await using var restarted = await TenancyServer.StartAsync(redis: redis);
        var thief = JsonNode.Parse(await SendAsync(restarted, HttpMethod.Get, "/thief"))!;
        Assert.Equal("disabled", (string)thief["health"]!);
        Assert.Contains("secrets cannot be decrypted", (string)thief["reason"]!, StringComparison.Ordinal);
        Assert.Equal(Value, await ProductAsync(restarted));
    }

    [Fact]
    public async Task Where_the_keys_are_lost_the_tenant_is_disabled_alone_and_serves_when_its_secrets_are_written_anew()
    {
        await using var redis = await RedisServer.StartAsync();
        await using (var server = await TenancyServer.StartAsync(redis: redis))
        {
            await SendAsync(server, HttpMethod.Post, "", Shop(Value), HttpStatusCode.Created);
        }

        await redis.ExecuteAsync("DEL", "{tenants}:secret-keys");
        await using (var restarted = await TenancyServer.StartAsync(redis: redis))
        {
            var shop = JsonNode.Parse(await SendAsync(restarted, HttpMethod.Get, "/shop"))!;
            Assert.Equal("disabled", (string)shop["health"]!);
            Assert.Equal("""{"(cannot be decrypted)":"(hidden)"}""", shop["secrets"]!.ToJsonString());
            await restarted.CallAsync("acme", McpCalls.Acme, "whoami");

            // Another change keeps what is there, so that a key ring that is restored opens it again.
            await SendAsync(restarted, HttpMethod.Patch, "/shop?force=true", """{"name":"Still closed"}""");
            var refused = await SendAsync(
                restarted,
                HttpMethod.Patch,
                "/shop",
                """{"secrets":{"product":"anew"}}""",
                HttpStatusCode.BadRequest
            );
            Assert.Contains("cannot decrypt", refused, StringComparison.Ordinal);

            // What this node finds is its own trouble: another one may have the key.
            await SendAsync(restarted, HttpMethod.Post, "/shop/recheck");
            Assert.DoesNotContain("isabled", await CheckAsync(redis), StringComparison.Ordinal);
            await SendAsync(restarted, HttpMethod.Patch, "/shop", """{"secrets":{"product":"anew","(cannot be decrypted)":null}}""");
            await Poll.UntilAsync(async () =>
                (string)JsonNode.Parse(await SendAsync(restarted, HttpMethod.Get, "/shop"))!["health"]! == "healthy"
            );
            Assert.Equal("anew", await ProductAsync(restarted));
        }
    }

    [Fact]
    public async Task While_the_store_is_away_nobody_says_that_a_key_is_lost()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var server = await TenancyServer.StartAsync(redis: redis);
        var id = TenantId.Parse("shop");
        var secrets = server.Services.GetRequiredService<SecretProtector>();
        await redis.StopAsync();
        await Assert.ThrowsAsync<StoreUnavailableException>(() => secrets.ProtectAsync(id, new([new("key", Value)])));
        await Assert.ThrowsAsync<StoreUnavailableException>(() => secrets.UnprotectAsync(id, "what no key was seen for"));

        // Nothing of it is remembered.
        await redis.LaunchAsync();
        await Poll.UntilAsync(async () =>
        {
            try
            {
                var kept = await secrets.ProtectAsync(id, new([new("key", Value)]));
                return new TenantSecrets([new("key", Value)]).Equals(await secrets.UnprotectAsync(id, kept));
            }
            catch (StoreUnavailableException)
            {
                // It takes a moment to be found again.
                return false;
            }
        });
    }

    [Fact]
    public async Task Two_nodes_that_make_their_first_keys_apart_read_each_others_secrets()
    {
        await using var nodes = await NodesOnOneStore.StartAsync();

        // Each has read the ring before the other's key was in it.
        await SendAsync(nodes[0], HttpMethod.Post, "", """{"id":"first","secrets":{"product":"of-first"}}""", HttpStatusCode.Created);
        await nodes.Redis.ExecuteAsync("DEL", "{tenants}:secret-keys");
        await SendAsync(nodes[1], HttpMethod.Post, "", Shop(Value), HttpStatusCode.Created);
        await Poll.UntilAsync(async () => await HealthAsync(nodes[0]) is "healthy" or "disabled");
        Assert.Equal("healthy", await HealthAsync(nodes[0]));
        Assert.Equal(Value, await ProductAsync(nodes[0]));
    }

    [Fact]
    public async Task An_application_says_how_the_keys_are_protected_themselves()
    {
        using var key = RSA.Create(2048);
        using var certificate = new CertificateRequest(
            "CN=keys",
            key,
            HashAlgorithmName.SHA256,
            RSASignaturePadding.Pkcs1
        ).CreateSelfSigned(DateTimeOffset.UtcNow, DateTimeOffset.UtcNow.AddDays(1));
        await using var redis = await RedisServer.StartAsync();
        await using (var server = await StartAsync())
        {
            await SendAsync(server, HttpMethod.Post, "", Shop(Value), HttpStatusCode.Created);
        }

        var stored = await redis.ReadAllAsync();
        Assert.Contains("EncryptedKey", stored, StringComparison.Ordinal);
        Assert.DoesNotContain("<masterKey", stored, StringComparison.Ordinal);
        await using var restarted = await StartAsync();
        Assert.Equal(Value, await ProductAsync(restarted));

        Task<TenancyServer> StartAsync() =>
            TenancyServer.StartAsync(redis: redis, services: services =>
                new TenancyBuilder(services).ProtectSecretKeys(keys =>
                    keys.ProtectKeysWithCertificate(certificate).UnprotectKeysWithAnyCertificate(certificate)
                )
            );
    }

    [Fact]
    public void Secrets_are_equal_where_their_values_are_and_tell_their_names_alone()
    {
        var one = new TenantSecrets([new("a", Value), new("b", "2")]);
        Assert.Equal(one, new TenantSecrets([new("b", "2"), new("a", Value)]));
        Assert.NotEqual(one, new TenantSecrets([new("a", Value), new("b", "3")]));
        Assert.NotEqual(one, new TenantSecrets([new("a", Value)]));
        Assert.Equal("a, b", one.ToString());
        Assert.Throws<ArgumentException>(() => new TenantSecrets([new("a", "1"), new("a", "2")]));
    }

    private static string Shop(string product) =>
        $$$"""{"id":"shop","principals":[{"name":"a","token":"shop.one"}],"secrets":{"product":"{{{product}}}"}}""";

    private static async Task<string> HealthAsync(TenancyServer server)
    {
        using var response = await server.AdminAsync(HttpMethod.Get, "/shop");
        return response.StatusCode == HttpStatusCode.OK ? (string)(await McpCalls.ReadAsync(response))["health"]! : "";
    }

    private static async Task<string> ProductAsync(TenancyServer server) =>
        (string)(await server.CallAsync("shop", "shop.one", "get_products"))["structuredContent"]!["products"]![0]!["name"]!;

    private static async Task<string> SendAsync(
        TenancyServer server,
        HttpMethod method,
        string path,
        string? body = null,
        HttpStatusCode status = HttpStatusCode.OK
    )
    {
        using var response = await server.AdminAsync(method, path, body);
        var text = await response.Content.ReadAsStringAsync(Token);
        Assert.True(status == response.StatusCode, $"{response.StatusCode}: {text}");
        return text;
    }

    // What all nodes are told of the tenant's health.
    private static async Task<string> CheckAsync(RedisServer redis)
    {
        await using var connection = await ConnectionMultiplexer.ConnectAsync(redis.ConnectionString);
        return (await connection.GetDatabase().HashGetAsync("{tenants}:metadata:shop", "check")).ToString();
    }

    private static async Task MoveSecretsAsync(RedisServer redis, string from, string to)
    {
        await using var connection = await ConnectionMultiplexer.ConnectAsync(redis.ConnectionString);
        var store = connection.GetDatabase();
        var taken = JsonNode.Parse((string)(await store.HashGetAsync($"{{tenants}}:metadata:{from}", "record"))!)!["secrets"]!;
        var record = JsonNode.Parse((string)(await store.HashGetAsync($"{{tenants}}:metadata:{to}", "record"))!)!;
        record["secrets"] = taken.DeepClone();
        await store.HashSetAsync($"{{tenants}}:metadata:{to}", "record", record.ToJsonString());
    }
}
