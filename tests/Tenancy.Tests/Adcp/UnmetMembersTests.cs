using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Tenancy.Adcp;

namespace Tenancy.Tests.Adcp;

/// <summary>What AdCP knows and a handler does not is refused, and never dropped while the answer says success.</summary>
public sealed class UnmetMembersTests
{
    private static readonly AdcpSerializer Serializer = new(Options.Create(new AdcpOptions()), NullLogger<AdcpSerializer>.Instance);

    public static TheoryData<string, Type> Mutating =>
        new()
        {
            { "create_media_buy", typeof(CreateMediaBuyRequest) },
            { "update_media_buy", typeof(UpdateMediaBuyRequest) },
            { "sync_creatives", typeof(SyncCreativesRequest) },
            { "sync_accounts", typeof(SyncAccountsRequest) },
            { "provide_performance_feedback", typeof(ProvidePerformanceFeedbackRequest) },
        };

    [Theory]
    [InlineData("create_media_buy", """{"packages":[{"product_id":"p","pacing":"even"}]}""", "packages[0].pacing")]
    [InlineData("create_media_buy", """{"packages":[{},{"optimization_goals":[{"kind":"metric"}]}]}""", "packages[1].optimization_goals")]
    [InlineData(
        "create_media_buy",
        """{"packages":[{"targeting_overlay":{"geo_countries":["DE"],"frequency_cap":{}}}],"total_budget":{"amount":1}}""",
        "packages[0].targeting_overlay.geo_countries packages[0].targeting_overlay.frequency_cap total_budget"
    )]
    [InlineData(
        "create_media_buy",
        """{"packages":[{"creative_assignments":[{"creative_id":"c","placement_ids":["p"]}]}]}""",
        "packages[0].creative_assignments[0].placement_ids"
    )]
    [InlineData("update_media_buy", """{"new_packages":[]}""", "new_packages")]
    [InlineData("update_media_buy", """{"packages":[{"keyword_targets_add":[]}]}""", "packages[0].keyword_targets_add")]
    [InlineData("sync_creatives", """{"creatives":[{"inputs":[]}]}""", "creatives[0].inputs")]
    [InlineData("sync_accounts", """{"accounts":[{"billing_entity":{}}]}""", "accounts[0].billing_entity")]
    [InlineData("create_media_buy", """{"packages":[{"pac\u0069ng":"even"}]}""", "packages[0].pacing")]
    public void What_is_not_honoured_is_refused_and_all_of_it_is_named(string tool, string request, string fields)
    {
        var refusal = Assert.Throws<AdcpException>(() => Of(tool, TypeOf(tool))!.Refuse(System.Text.Encoding.UTF8.GetBytes(request)));

        Assert.All(refusal.Mistakes, mistake => Assert.Equal(AdcpError.UnsupportedFeature, mistake.Error));
        Assert.Equal(fields, string.Join(' ', refusal.Mistakes.Select(mistake => mistake.Field)));
    }

    [Theory]
    [InlineData(
        "create_media_buy",
        """{"made_up":1,"packages":[{"made_up":{"pacing":1}}],"adcp_version":"3.1","governance_context":"x"}"""
    )]
    [InlineData("create_media_buy", """{"packages":[{"pacing":null,"context":{"pacing":1},"ext":{"pacing":1},"adcp_major_version":3}]}""")]
    [InlineData("sync_accounts", """{"delete_missing":false,"push_notification_config":{"url":"https://x.example"}}""")]
    [InlineData("sync_creatives", """{"creatives":[{"assets":{"inputs":{"asset_type":"text"}}}]}""")]
    [InlineData("create_media_buy", """{"packages":"none","account":[1]}""")]
    public void What_asks_for_nothing_is_no_longer_AdCPs_or_belongs_to_every_request_is_taken(string tool, string request) =>
        Of(tool, TypeOf(tool))?.Refuse(System.Text.Encoding.UTF8.GetBytes(request));

    [Fact]
    public void A_handler_that_honours_more_declares_more()
    {
        var json = """{"packages":[{"pacing":"even","catalogs":[{"catalog_id":"c"}],"impressions":1}]}"""u8.ToArray();

        var honoured = UnmetMembers.Of(
            "create_media_buy",
            typeof(CreateMediaBuyRequest),
            ["packages[].pacing", "packages[].catalogs[]"],
            hasLists: false,
            Serializer.Options
        )!;

        Assert.Equal("packages[0].impressions", Assert.Throws<AdcpException>(() => honoured.Refuse(json)).Field);
        Assert.Null(Record.Exception(() => Of("update_media_buy", typeof(UpdateWithPackages))!.Refuse("""{"new_packages":[{}]}"""u8)));
        var mistake = Assert.Throws<InvalidOperationException>(() =>
            UnmetMembers.Of("create_media_buy", typeof(CreateMediaBuyRequest), ["packages[].pace"], hasLists: false, Serializer.Options)
        );
        Assert.Contains("packages[].pace", mistake.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Lists_are_refused_where_nobody_resolves_them()
    {
        var json = """{"packages":[{"targeting_overlay":{"property_list":{"agent_url":"https://a.example","list_id":"l"}}}]}"""u8.ToArray();

        Of("create_media_buy", typeof(CreateMediaBuyRequest), hasLists: true)!.Refuse(json);
        var refusal = Assert.Throws<AdcpException>(() => Of("create_media_buy", typeof(CreateMediaBuyRequest))!.Refuse(json));

        Assert.Equal("packages[0].targeting_overlay.property_list", refusal.Field);
    }

    [Fact]
    public void Reads_leave_unmet_what_only_shapes_the_answer_and_refuse_filters()
    {
        // All filters are there, so that there is nothing to refuse: fields and order are no filters.
        Assert.Null(Of("list_creatives", typeof(ListCreativesRequest)));
        Assert.Null(Of("get_products", typeof(GetProductsRequest), hasLists: true));
        Assert.Equal(
            "property_list",
            Assert.Throws<AdcpException>(() => Of("get_products", typeof(GetProductsRequest))!.Refuse("""{"property_list":{}}"""u8)).Field
        );
        var delivery = Of("get_media_buy_delivery", typeof(GetMediaBuyDeliveryRequest))!;
        Assert.Equal("attribution_window", Assert.Throws<AdcpException>(() => delivery.Refuse("""{"attribution_window":{}}"""u8)).Field);
    }

    // Every member of every request that changes something, at every depth that a handler sees: it is declared, or refused.
    [Theory]
    [MemberData(nameof(Mutating))]
    public void Every_member_of_a_request_that_changes_something_is_declared_or_refused(string tool, Type type)
    {
        var unmet = Of(tool, type, hasLists: true);
        var count = 0;
        Check(AdcpMembers.Of(tool)!, type, path: [], depth: 0);
        Assert.True(count > 5, $"{tool} has {count} members only.");

        void Check(AdcpMemberSet members, Type declaring, string[] path, int depth)
        {
            var declared = Serializer.Options.GetTypeInfo(declaring).Properties.ToDictionary(property => property.Name);
            foreach (var member in members.All.Where(member => !IsOfEveryRequest(member.Name)))
            {
                count++;
                string[] place = [.. path, member.IsList ? $"{member.Name}[]" : member.Name];
                var json = System.Text.Encoding.UTF8.GetBytes(Sample(place, member).ToJsonString());
                var refusal = Record.Exception(() => unmet?.Refuse(json));
                if (!declared.TryGetValue(member.Name, out var property))
                {
                    Assert.Equal(
                        string.Join('.', place).Replace("[]", "[0]", StringComparison.Ordinal).TrimEnd(']').TrimEnd('0').TrimEnd('['),
                        Assert.IsType<AdcpException>(refusal).Field
                    );
                    continue;
                }

                Assert.Null(refusal);
                if (member.Members is { } inside && depth < 6 && Inner(property.PropertyType) is { } inner)
                {
                    Check(inside, inner, place, depth + 1);
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(Mutating))]
    public void What_the_library_declares_is_AdCPs(string tool, Type type)
    {
        Check(AdcpMembers.Of(tool)!, type, tool, 0);

        static void Check(AdcpMemberSet members, Type declaring, string place, int depth)
        {
            foreach (var property in Serializer.Options.GetTypeInfo(declaring).Properties.Where(property => !property.IsExtensionData))
            {
                if (IsOfEveryRequest(property.Name))
                {
                    continue;
                }

                var member = members.Find(property.Name);
                Assert.True(member is not null, $"{place}.{property.Name} is not AdCP's.");
                if (member.Members is { } inside && depth < 6 && Inner(property.PropertyType) is { } inner)
                {
                    Check(inside, inner, $"{place}.{property.Name}", depth + 1);
                }
            }
        }
    }

    [Fact]
    public void A_tool_of_ones_own_takes_what_it_likes() => Assert.Null(Of("list_shelves", typeof(GetProductsRequest)));

    private static UnmetMembers? Of(string tool, Type type, bool hasLists = false) =>
        UnmetMembers.Of(tool, type, [], hasLists, Serializer.Options);

    private static Type TypeOf(string tool) => Mutating.Single(row => row.Data.Item1 == tool).Data.Item2;

    private static bool IsOfEveryRequest(string name) =>
        name
            is "adcp_major_version"
                or "adcp_version"
                or "context"
                or "context_id"
                or "ext"
                or "governance_context"
                or "idempotency_key"
                or "push_notification_config";

    private static Type? Inner(Type type)
    {
        var info = Serializer.Options.GetTypeInfo(type);
        return info.Kind switch
        {
            System.Text.Json.Serialization.Metadata.JsonTypeInfoKind.Object => type,
            System.Text.Json.Serialization.Metadata.JsonTypeInfoKind.Enumerable => Inner(info.ElementType!),
            _ => null,
        };
    }

    private static JsonNode Sample(string[] place, AdcpMember member)
    {
        JsonNode value = member.Type switch
        {
            "boolean" => !(member.Default == "true"),
            "integer" or "number" => 7,
            "string" => "something",
            _ when member.IsList => new JsonArray(),
            _ => new JsonObject(),
        };
        foreach (var name in place.Reverse())
        {
            var isList = name.EndsWith("[]", StringComparison.Ordinal);
            value = new JsonObject { [isList ? name[..^2] : name] = isList && value is not JsonArray ? new JsonArray(value) : value };
        }

        return value;
    }

    private sealed record UpdateWithPackages : UpdateMediaBuyRequest
    {
        public IReadOnlyList<JsonElement>? NewPackages { get; init; }
    }
}
