using System.Text.Json.Nodes;
using Tenancy.Tests.Hosting;

namespace Tenancy.Template.Tests;

/// <summary>Choices of the options, each with each: every scaffold is built without a warning, passes its tests, and answers.</summary>
[Collection(nameof(PackedLibrary))]
public sealed class CombinationTests(TemplateFixture template, PackedLibrary library)
{
    public static TheoryData<string> Names => [.. Combination.More.Select(combination => combination.Name)];

    public static TheoryData<string> NamesWithTests =>
        [.. Combination.More.Where(combination => combination.Tests).Select(combination => combination.Name)];

    [Fact]
    public void Each_choice_is_somewhere_together_with_each_of_another_option()
    {
        Combination[] all = [.. Combination.Elsewhere, .. Combination.More];
        var choices = all.SelectMany(combination => combination.Choices).Distinct().ToArray();
        var wanted =
            from first in choices
            from second in choices
            where string.CompareOrdinal(first.Option, second.Option) < 0

            // The library is the same as source. It takes long to compile, and no line of the template depends on it and on one of these.
            where (first.Option, second.Option) is not (("identification", "library") or ("library", "sample"))
            select (first, second);
        Assert.Empty(wanted.Except(all.SelectMany(combination => combination.Pairs)));
        Assert.Equal(3 + 2 + 4 + 2 + 2 + 3, choices.Length);
    }

    [Theory]
    [MemberData(nameof(NamesWithTests))]
    public async Task Its_own_tests_pass(string name)
    {
        var (combination, scaffold) = library.Find(name);
        await using var redis = combination.UsesRedis ? await RedisServer.StartAsync() : null;
        var (exitCode, output) = await DotNet.TryAsync(scaffold.Directory, [scaffold.Tests], [("TMPDIR", template.Root), .. Store(redis)]);
        Assert.True(exitCode == 0, output);
        Assert.DoesNotContain("Skipped: 0, Not Run: 0, Total: 0", output, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public async Task It_answers_for_both_tenants_by_each_way_to_name_them(string name)
    {
        var (combination, scaffold) = library.Find(name);
        await using var redis = combination.UsesRedis ? await RedisServer.StartAsync() : null;
        await using var server = await RunningServer.StartAsync(scaffold, template.Root, Store(redis));
        foreach (var way in combination.Ways.Where(way => combination.Auth != "none" || way != "token"))
        {
            Assert.Equal("news.acme.example", await DomainAsync(server, combination, "acme", way));
            Assert.Equal("shop.globex.example", await DomainAsync(server, combination, "globex", way));
        }
    }

    private static async Task<string?> DomainAsync(RunningServer server, Combination combination, string tenant, string way)
    {
        var token = combination.Auth == "none" ? null : $"{tenant}.dev-buyer";
        var answer = await server.CallAsync(tenant, "get_products", new { brief = "Readers" }, token, request =>
            Name(request, tenant, way)
        );
        return (string?)answer["products"]![0]!["publisher_properties"]![0]!["publisher_domain"];
    }

    private static void Name(HttpRequestMessage request, string tenant, string way)
    {
        if (way == "path")
        {
            return;
        }

        request.RequestUri = new(way == "host" ? $"http://{tenant}.localhost/mcp" : "http://localhost/mcp");
        if (way == "header")
        {
            request.Headers.Add("X-Tenant-ID", tenant);
        }
    }

    private static (string, string)[] Store(RedisServer? redis) =>
        redis is null ? [] : [("ConnectionStrings__Redis", redis.ConnectionString), ("TENANCY_REQUIRE_REDIS", "1")];
}
