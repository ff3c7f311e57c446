using System.Collections.Immutable;
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Microsoft.Extensions.DependencyInjection;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;
using Tenancy.Adcp;
using Tenancy.Mcp;
using Tenancy.Registry;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Mcp;

/// <summary>What is listed of a tool is what all clients take, and what its calls are held to.</summary>
[Tier(Tier.Server)]
public sealed class SchemasTests(SchemasTests.Server shared) : IClassFixture<SchemasTests.Server>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(null)]
    [InlineData(Generation.Stateless)]
    public async Task Every_schema_that_is_listed_is_one_that_every_client_takes(Generation? generation)
    {
        var server = shared.Host;
        foreach (
            var (method, kind) in new[]
            {
                ("tools/list", "tools"),
                ("prompts/list", "prompts"),
                ("resources/list", "resources"),
                ("resources/templates/list", "resourceTemplates"),
            }
        )
        {
            var result = await AskAsync(server, method, generation: generation);
            Assert.NotEmpty(result[kind]!.AsArray());
            var mistakes = kind == "tools" ? ListedSchemas.MistakesOfTools(result) : ListedSchemas.MistakesOfOthers(result, kind);
            Assert.True(!mistakes.Any(), string.Join('\n', mistakes));
        }
    }

    [Theory]
    [InlineData("range", """{}""", "days is required.")]
    [InlineData("range", """{"days":null}""", "days must be a whole number, and not null.")]
    [InlineData("range", """{"days":0}""", "days must be 1 at least.")]
    [InlineData("range", """{"days":91}""", "days must be 90 at most.")]
    [InlineData("range", """{"days":"400"}""", "days must be 90 at most.")]
    [InlineData("range", """{"days":"soon"}""", "days must be a whole number.")]
    [InlineData("range", """{"days":1.5}""", "days must be a whole number.")]
    [InlineData("range", """{"days":90}""", null)]
    [InlineData("range", """{"days":"7"}""", null)]
    [InlineData("texts", """{"name":"a","kind":"x"}""", "name must have 2 characters at least.")]
    [InlineData("texts", """{"name":"abcdef","kind":"x"}""", "name must have 5 characters at most.")]
    [InlineData("texts", """{"name":"abc","kind":"z"}""", "kind must be one of x, y.")]
    [InlineData("texts", """{"name":"abc","kind":"x","code":"9a"}""", "code must match")]
    [InlineData("texts", """{"name":"abc","kind":"x","code":"xa9x"}""", "code must match ^(?:[a-z][0-9])$")]
    [InlineData("texts", """{"name":"abc","kind":"x","code":"a9\n"}""", "code must match ^(?:[a-z][0-9])$")]
    [InlineData("texts", """{"name":"abc","kind":"x","mail":"nobody"}""", "mail must be an e-mail address.")]
    [InlineData("texts", """{"name":"abc","kind":"y","code":"a9","mail":"a@b.example"}""", null)]
    [InlineData("texts", """{"name":"abc","kind":"y","code":null}""", null)]
    [InlineData("lists", """{"tags":[]}""", "tags must have 1 at least.")]
    [InlineData("lists", """{"tags":["a",5]}""", "tags[1] must be a text.")]
    [InlineData("lists", """{"tags":["a","b","c"]}""", "tags must have 2 at most.")]
    [InlineData("lists", """{"tags":"a"}""", "tags must be a list.")]
    [InlineData("lists", """{"tags":"[\"a\"]"}""", "tags must be a list.")]
    [InlineData("lists", """{"tags":["a"]}""", null)]
    [InlineData("person", """{"person":{}}""", "person.name is required.")]
    [InlineData("person", """{"person":{"name":"a","age":200}}""", "person.age must be 150 at most.")]
    [InlineData("person", """{"person":{"name":"a","color":"Green"}}""", "person.color must be one of Red, Blue.")]
    [InlineData("person", """{"person":{"name":"a","color":7}}""", "person.color must be a text.")]
    [InlineData("person", """{"person":{"name":"a","friends":[{"name":"b"},{}]}}""", "person.friends[1].name is required.")]
    [InlineData("person", """{"person":{"name":"a","phones":{"home":{"kind":"x"}}}}""", "person.phones.home.number is required.")]
    [InlineData("person", """{"person":{"name":"a","age":null,"color":"Red","phones":{"home":{"number":"1"}}}}""", null)]
    [InlineData("deal", """{"deal":{"buyer":{"name":"a"},"seller":{"name":"b"}}}""", null)]
    [InlineData("deal", """{"deal":{"buyer":{"name":"a"},"seller":{}}}""", "deal.seller.name is required.")]
    [InlineData("deal", """{"deal":{"buyer":{"name":"a"},"seller":{"name":"b","tags":[1]}}}""", "deal.seller.tags[0] must be a text.")]
    [InlineData("node", """{"node":{"name":"a","next":{"name":"b","next":{"name":"c"}}}}""", null)]
    [InlineData("node", """{"node":{"name":"a","next":{"name":"b","next":{}}}}""", "node.next.next.name is required.")]
    [InlineData("area", """{"shape":{"$type":"circle","radius":5}}""", null)]
    [InlineData("area", """{"shape":{"radius":5,"$type":"circle"}}""", null)]
    [InlineData("tree", """{"part":{"parts":[{"size":1,"$type":"leaf"}],"$type":"branch"}}""", null)]
    [InlineData("area", """{"shape":{"$type":"circle","radius":-5}}""", "shape.radius must be 0 at least.")]
    [InlineData("area", """{"shape":{"$type":"circle"}}""", "shape.radius is required.")]
    [InlineData("area", """{"shape":{"$type":"hexagon"}}""", "shape.$type has a wrong form.")]
    [InlineData("area", """{"shape":{}}""", "shape.$type is required.")]
    [InlineData("nulls", """{"phones":{"a":null},"tags":["x"],"texts":[null]}""", null)]
    [InlineData("nulls", """{"tags":[null]}""", "tags[0] must be a text, and not null.")]
    [InlineData("nulls", """{"shared":{"never":[],"maybe":[null],"one":{"number":"1"}}}""", null)]
    [InlineData(
        "nulls",
        """{"shared":{"never":[null],"maybe":[],"one":{"number":"1"}}}""",
        "shared.never[0] must be an object, and not null."
    )]
    [InlineData("nulls", """{"shared":{"never":[],"maybe":[{}],"one":{"number":"1"}}}""", "shared.maybe[0].number is required.")]
    [InlineData("family", """{"family":{"name":"a","children":[],"lost":[null],"named":{"b":null}}}""", null)]
    [InlineData("family", """{"family":{"name":"a","children":[null]}}""", "family.children[0] must be an object, and not null.")]
    [InlineData("family", """{"more":[null,{"name":"a","children":[{"name":"b","children":[],"lost":[null]}]}]}""", null)]
    [InlineData("family", """{"more":[{"name":"a","children":[null]}]}""", "more[0].children[0] must be an object, and not null.")]
    [InlineData("asked", """{"asked":{"must":"a","first":[]},"name":"b"}""", null)]
    [InlineData("asked", """{"asked":{"must":"a","maybe":"a@b.example","first":[]},"name":"b"}""", null)]
    [InlineData("asked", """{"asked":{"first":[]},"name":"b"}""", "asked.must is required.")]
    [InlineData("asked", """{"asked":{"must":null,"first":[]},"name":"b"}""", "asked.must must be a text, and not null.")]
    [InlineData("asked", """{"asked":{"must":"","first":[]},"name":"b"}""", "asked.must must have 1 characters at least.")]
    [InlineData("asked", """{"asked":{"must":"a","first":[]}}""", "name is required.")]
    [InlineData("asked", """{"asked":{"must":"a"},"name":"b"}""", "asked.first is required.")]
    [InlineData("asked", """{"asked":{"must":"a","first":[]},"name":"b","constructed":{"text":"a"}}""", null)]
    [InlineData("asked", """{"asked":{"must":"a","first":[]},"name":"b","constructed":{}}""", "constructed.text is required.")]
    [InlineData("asked", """{"asked":{"must":"a","first":[]},"name":null}""", "name must be a text, and not null.")]
    [InlineData("texts", """{"name":"abc","kind":"x","mail":"a b@c"}""", "mail must be an e-mail address.")]
    [InlineData("family", """{"family":null,"pair":{"maybe":null,"never":{"name":"a","children":[],"lost":null}}}""", null)]
    [InlineData("family", """{"pair":{"maybe":null,"never":null}}""", "pair.never must be an object, and not null.")]
    [InlineData(
        "family",
        """{"pair":{"maybe":{"name":"a","children":[null]},"never":{"name":"a","children":[]}}}""",
        "pair.maybe.children[0] must be an object, and not null."
    )]
    [InlineData("tree", """{"part":{"$type":"branch","parts":[]},"more":[null,{"$type":"branch","parts":[]}]}""", null)]
    [InlineData("tree", """{"part":null}""", "part must be an object, and not null.")]
    [InlineData(
        "tree",
        """{"part":{"$type":"branch","parts":[]},"more":[{"$type":"branch","parts":[null]}]}""",
        "more[0].parts[0] must be an object, and not null."
    )]
    [InlineData("when", """{"day":"today"}""", "day must match ^")]
    [InlineData("when", """{"day":""}""", "day must match ^")]
    [InlineData("when", """{"day":5}""", "day must be a text.")]
    [InlineData("when", """{"day":"2026-01-02T03:04:05Z"}""", null)]
    [InlineData("when", """{}""", null)]
    [InlineData("when", """{"day":"2026-01-02"}""", null)]
    [InlineData("when", """{"day":"2026-01-02T03:04:05.678"}""", null)]
    [InlineData("when", """{"day":"2026-01-02 03:04:05"}""", "day must match ^")]
    [InlineData("when", """{"day":"2026-02-30"}""", "day has a wrong form.")]
    [InlineData("range", """{"days":5.0}""", null)]
    [InlineData("range", """{"days":9e1}""", null)]
    [InlineData("range", """{"days":91.0}""", "days must be 90 at most.")]
    [InlineData("numbers", """{"byte":1.0,"short":2E0,"long":9007199254740993.0,"unsigned":18446744073709551615.00}""", null)]
    [InlineData("numbers", """{"several":[1,2.0,3e0],"named":{"a":-4.0,"b":null},"maybe":5.0,"fraction":0.5}""", null)]
    [InlineData("numbers", """{"maybe":5.5}""", "maybe must be a whole number.")]
    [InlineData("numbers", """{"several":[1,2.5]}""", "several[1] must be a whole number.")]
    [InlineData("person", """{"person":{"name":"2.0","age":30.0,"friends":[{"name":"5e0","age":3e1}]}}""", null)]
    [InlineData("rich", """{"rich":{"day":"2026-13-02"}}""", "rich.day must match ^")]
    [InlineData("rich", """{"rich":{"date":"2026-13-02"}}""", "rich.date must be a date, such as 2026-01-02.")]
    [InlineData("rich", """{"rich":{"id":"x"}}""", "rich.id must be a UUID.")]
    [InlineData("rich", """{"rich":{"data":"-_"}}""", "rich.data must be base64.")]
    [InlineData("rich", """{"rich":{"data":"YQ=="}}""", null)]
    [InlineData("rich", """{"rich":{"many":[1,3000000000]}}""", "rich.many[1] must be 2147483647 at most.")]
    [InlineData("rich", """{"rich":{"few":{"a b":256.0}}}""", "rich.few.a b must be 255 at most.")]
    [InlineData("rich", """{"rich":{"dates":[{"date":"x"}]}}""", "rich.dates[0].date must be a date, such as 2026-01-02.")]
    [InlineData("numbers", """{"long":1e30}""", "long must be 9223372036854775807 at most.")]
    [InlineData("numbers", """{"maybe":1e400}""", "maybe must be 2147483647 at most.")]
    [InlineData("numbers", """{"single":3.4028235e38}""", null)]
    [InlineData("numbers", """{"single":1e39}""", "single must be 3.4028235E+38 at most.")]
    [InlineData("numbers", """{"fraction":1e400}""", "fraction is out of range.")]
    [InlineData("numbers", """{"byte":-1}""", "byte must be 0 at least.")]
    [InlineData("numbers", """{"byte":"256"}""", "byte must be 255 at most.")]
    [InlineData("numbers", """{"unsigned":18446744073709551616}""", "unsigned must be 18446744073709551615 at most.")]
    [InlineData("bounds", """{"low":0,"high":255}""", null)]
    [InlineData("bounds", """{"low":-1}""", "low must be 0 at least.")]
    [InlineData("bounds", """{"low":101}""", "low must be 100 at most.")]
    [InlineData("bounds", """{"high":9}""", "high must be 10 at least.")]
    [InlineData("bounds", """{"high":256}""", "high must be 255 at most.")]
    [InlineData("sequence", """{"tags":["a","b"]}""", null)]
    [InlineData("sequence", """{}""", "tags is required.")]
    [InlineData("exclusive", """{"amount":0.01,"whole":1,"share":0.999}""", null)]
    [InlineData("exclusive", """{"amount":0,"whole":1,"share":0.5}""", "amount must be more than 0.")]
    [InlineData("exclusive", """{"amount":1,"whole":0,"share":0.5}""", "whole must be more than 0.")]
    [InlineData("exclusive", """{"amount":1,"whole":5,"share":0.5}""", "whole must be less than 5.")]
    [InlineData("exclusive", """{"amount":1,"whole":1,"share":1}""", "share must be less than 1.")]
    [InlineData("exclusive", """{"amount":1,"whole":1,"share":0.5,"typed":{"v":2.5}}""", "typed.v must be 2.4 at most.")]
    [InlineData("must", """{"must":{"a":"x","b":1}}""", null)]
    [InlineData("must", """{"must":{"a":"x"}}""", null)]
    [InlineData("must", """{"must":{"b":1}}""", "must.a is required.")]
    [InlineData("allowed", """{"color":"Red","not":"Red","map":{"a":1}}""", null)]
    [InlineData("allowed", """{"color":"Blue"}""", "color must be one of Red.")]
    [InlineData("allowed", """{"color":"Red","not":"Blue"}""", "not must be none of Blue.")]
    [InlineData("allowed", """{"color":"Red","map":{}}""", "map must have 1 at least.")]
    [InlineData("allowed", """{"color":"Red","day":"abc"}""", null)]
    [InlineData("allowed", """{"color":"Red","digits":"١٢"}""", "digits must match ^(?:\\d+)$.")]
    [InlineData("allowed", """{"color":"Red","digits":"12"}""", null)]
    [InlineData("struct", """{"at":{"x":1,"y":2},"within":{"v":{"x":1,"y":2}}}""", null)]
    [InlineData("struct", """{"at":{"x":"a"}}""", "at.x must be a whole number.")]
    [InlineData("patterns", """{"letter":"12-É"}""", null)]
    [InlineData("patterns", """{"letter":"12-1"}""", "letter must match")]
    [InlineData("patterns", """{"price":"5$"}""", null)]
    [InlineData("patterns", """{"price":"5$abc"}""", "price must match ^(?:^[0-9]+\\$)$.")]
    [InlineData("patterns", """{"word":"a"}""", null)]
    [InlineData("patterns", """{"word":"é"}""", "word must match")]
    [InlineData("large", """{"half":1e308}""", "half must be 65500 at most.")]
    [InlineData("large", """{"large":-1}""", "large must be 0 at least.")]
    [InlineData("names", """{"numbers":{"0":"a","-2147483648":"a","2147483647":"a","1000000000":"a","42":"a"}}""", null)]
    [InlineData("names", """{"numbers":{"2147483648":"a"}}""", "numbers.2147483648 is a name that is not taken: it must match ^")]
    [InlineData("names", """{"numbers":{"-2147483649":"a"}}""", "numbers.-2147483649 is a name that is not taken: it must match ^")]
    [InlineData("names", """{"numbers":{"007":"a"}}""", "numbers.007 is a name that is not taken: it must match ^")]
    [InlineData("names", """{"numbers":{"1e2":"a"}}""", "numbers.1e2 is a name that is not taken: it must match ^")]
    [InlineData("names", """{"numbers":{"x":"a"}}""", "numbers.x is a name that is not taken: it must match ^")]
    [InlineData("names", """{"bytes":{"0":1,"9":1,"99":1,"199":1,"200":1,"249":1,"255":1}}""", null)]
    [InlineData("names", """{"bytes":{"256":1}}""", "bytes.256 is a name that is not taken: it must match ^")]
    [InlineData("names", """{"bytes":{"-1":1}}""", "bytes.-1 is a name that is not taken: it must match ^")]
    [InlineData("names", """{"colors":{"Red":1,"Blue":2}}""", null)]
    [InlineData("names", """{"colors":{"red":1}}""", "colors.red is a name that is not taken: it must be one of Red, Blue.")]
    [InlineData("names", """{"ids":{"0b7fd1d3-7a6c-4ab7-9f3e-7a6bdbf1d8f4":1}}""", null)]
    [InlineData("names", """{"ids":{"x":1}}""", "ids.x is a name that is not taken: it must be a UUID.")]
    [InlineData("names", """{"others":{"x":"a"}}""", "others.x is a name that is not taken: it must match ^")]
    [InlineData("flags", """{"flags":"Bold"}""", null)]
    [InlineData("flags", """{"flags":"Bold, Loud"}""", null)]
    [InlineData("flags", """{"flags":"Bold,Both,Loud"}""", null)]
    [InlineData("flags", """{"flags":"bold"}""", "flags must match ^(?:None|Bold|Loud|Both)(?:, ?(?:None|Bold|Loud|Both))*$.")]
    [InlineData("flags", """{"flags":"3"}""", "flags must match ^")]
    [InlineData("flags", """{"flags":""}""", "flags must match ^")]
    [InlineData("person", """{"person":{"Name":"a"}}""", "person.name is required.")]
    [InlineData("person", """{"person":{"name":"a","AGE":200}}""", null)]
    [InlineData("times", """{"time":"2026-01-02T03:04:05+01:00"}""", null)]
    [InlineData("times", """{"time":"2026-01-02"}""", "time must be a time with an offset")]
    [InlineData("times", """{"time":"2026-01-02T03:04:05"}""", "time must be a time with an offset")]
    [InlineData("times", """{"clock":"03:04:05"}""", null)]
    [InlineData("times", """{"clock":"03:04:05.1234567"}""", null)]
    [InlineData("times", """{"clock":"03:04:05Z"}""", "clock must match ^")]
    [InlineData("times", """{"clock":"24:00:00"}""", "clock must match ^")]
    [InlineData("times", """{"place":"a/b"}""", null)]
    [InlineData("times", """{"place":"https://a.example/b"}""", null)]
    [InlineData("times", """{"place":"a b"}""", "place must be a URL or a relative reference.")]
    public async Task What_is_listed_of_a_plain_tool_is_enforced_and_what_breaks_it_is_named(string tool, string arguments, string? mistake)
    {
        var server = shared.Host;
        foreach (var meta in new[] { "", ",\"_meta\":{\"progressToken\":1}" })
        {
            var parameters = $$$"""{"name":"{{{tool}}}","arguments":{{{arguments}}}{{{meta}}}}""";
            var body = $$$"""{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{{parameters}}}}""";
            var result = await PostAsync(server, body);
            var text = result["content"]![0]!["text"]!.ToString();
            Assert.True((mistake is not null) == ((bool?)result["isError"] ?? false), text);
            Assert.True(text.Contains(mistake ?? "ok", StringComparison.Ordinal), text);
        }
    }

    [Fact]
    public async Task What_nothing_sets_is_no_argument_and_what_nobody_can_read_is_no_result()
    {
        var tools = (await AskAsync(shared.Host, "tools/list"))["tools"]!.AsArray();
        var input = tools.Single(tool => tool!["name"]!.ToString() == "computed")!["inputSchema"]!;
        Assert.Equal(["price", "count", "filled", "secret"], Names(input["properties"]!["computed"]!));
        Assert.Equal(["number", "kind"], Names(Follow(input, input["properties"]!["again"]!)));
        var output = tools.Single(tool => tool!["name"]!.ToString() == "give_computed")!["outputSchema"]!;
        Assert.Equal(["price", "count", "total", "phone", "filled"], Names(output));
        Assert.Null(output["properties"]!["price"]!["maximum"]);

        var arguments = JsonNode.Parse("""{"computed":{"price":2,"count":3,"filled":[4],"total":100}}""")!.AsObject();
        var result = await shared.Host.CallAsync("acme", McpCalls.Acme, "computed", arguments);
        Assert.Equal("6 1", result["content"]![0]!["text"]!.ToString());
    }

    [Fact]
    public async Task A_sequence_of_services_is_no_argument_also_where_there_is_none()
    {
        var tools = (await AskAsync(shared.Host, "tools/list"))["tools"]!.AsArray();
        Assert.Empty(tools.Single(tool => tool!["name"]!.ToString() == "plugins")!["inputSchema"]!["properties"]!.AsObject());
        var result = await shared.Host.CallAsync("acme", McpCalls.Acme, "plugins");
        Assert.Equal("0", result["content"]![0]!["text"]!.ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData(",\"_meta\":{\"progressToken\":1}")]
    public async Task Whole_numbers_are_what_they_are_however_they_are_written_and_texts_stay(string meta)
    {
        const string Arguments = """{"person":{"name":"2.0 é","age":1.2e2},"more":9007199254740993.0}""";
        var parameters = $$"""{"name":"sum","arguments":{{Arguments}}{{meta}}}""";
        var result = await PostAsync(shared.Host, $$"""{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{parameters}}}""");
        Assert.Equal("2.0 é 120 9007199254740993", result["content"]![0]!["text"]!.ToString());
    }

    [Fact]
    public async Task Objects_of_several_types_within_each_other_are_looked_at_once()
    {
        var server = shared.Host;
        var part = """{"size":-1,"$type":"leaf"}""";
        for (var depth = 0; depth < 25; depth++)
        {
            part = $$"""{"parts":[{{part}}],"$type":"branch"}""";
        }

        var parameters = $$$"""{"name":"tree","arguments":{"part":{{{part}}}}}""";
        var result = await PostAsync(server, $$"""{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{parameters}}}""");
        Assert.EndsWith(".parts[0].size must be 0 at least.", result["content"]![0]!["text"]!.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"tags":["a"]}""")]
    [InlineData("""{"tags":"[\"a\"]"}""")]
    public async Task What_a_handler_says_of_its_store_is_not_taken_for_arguments_that_cannot_be_read(string arguments)
    {
        var server = shared.Host;
        foreach (var meta in new[] { "", ",\"_meta\":{\"progressToken\":1}" })
        {
            var parameters = $$$"""{"name":"away","arguments":{{{arguments}}}{{{meta}}}}""";
            var body = $$$"""{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{{parameters}}}}""";
            using var request = McpCalls.Post(server.Port, Way.Path, "acme", McpCalls.Acme, body);
            using var response = await server.Client.SendAsync(request, Token);
            Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        }
    }

    [Theory]
    [InlineData("""{}""", "name is required.")]
    [InlineData("""{"name":{}}""", "name has a wrong form.")]
    [InlineData("""{"name":"a","times":"x"}""", "times must be a whole number.")]
    [InlineData("""{"name":"a","isLoud":"x"}""", "isLoud must be true or false.")]
    [InlineData("""{"name":"a","color":"x"}""", "color must be one of Red, Blue.")]
    [InlineData("""{"name":"a","times":"9"}""", "The field times must be between 1 and 3.")]
    [InlineData("""{"name":"a","place":"A"}""", "The field place must match the regular expression")]
    public async Task A_prompts_bad_argument_is_named(string arguments, string mistake)
    {
        var server = shared.Host;
        var body = $$$"""{"jsonrpc":"2.0","id":1,"method":"prompts/get","params":{"name":"greet","arguments":{{{arguments}}}}}""";
        using var request = McpCalls.Post(server.Port, Way.Path, "acme", McpCalls.Acme, body);
        using var response = await server.Client.SendAsync(request, Token);
        var error = (await McpCalls.ReadAsync(response))["error"]!;
        Assert.Equal(-32602, (int)error["code"]!);
        Assert.Contains(mistake, error["message"]!.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("test://numbers/7", null)]
    [InlineData("test://numbers/7?isLoud=true&color=Blue", null)]
    [InlineData("test://numbers/seven", "number must be a whole number.")]
    [InlineData("test://numbers/7.5", "number must be a whole number.")]
    [InlineData("test://numbers/3000000000", "number must be a whole number.")]
    [InlineData("test://numbers/100", "The field number must be between 0 and 99.")]
    [InlineData("test://numbers/7?isLoud=maybe", "isLoud must be true or false.")]
    [InlineData("test://numbers/7?isLoud=true&color=Green", "color must be one of Red, Blue.")]
    public async Task A_bad_variable_of_a_resources_uri_is_named(string uri, string? mistake)
    {
        var body = $$$"""{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"{{{uri}}}"}}""";
        using var request = McpCalls.Post(shared.Host.Port, Way.Path, "acme", McpCalls.Acme, body);
        using var response = await shared.Host.Client.SendAsync(request, Token);
        var answer = await McpCalls.ReadAsync(response);
        Assert.Equal(mistake is null ? null : -32602, (int?)answer["error"]?["code"]);
        Assert.Contains(mistake ?? "\"text\":\"7 ", answer.ToJsonString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_a_resources_method_throws_is_no_mistake_of_its_caller()
    {
        const string Body = """{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"test://numbers/13"}}""";
        using var request = McpCalls.Post(shared.Host.Port, Way.Path, "acme", McpCalls.Acme, Body);
        using var response = await shared.Host.Client.SendAsync(request, Token);
        Assert.Equal(-32603, (int)(await McpCalls.ReadAsync(response))["error"]!["code"]!);
    }

    [Fact]
    public async Task A_prompts_arguments_are_read_from_texts()
    {
        const string Parameters = """{"name":"greet","arguments":{"name":"a","isLoud":"true","times":"2","color":"Blue"}}""";
        var body = $$"""{"jsonrpc":"2.0","id":1,"method":"prompts/get","params":{{Parameters}}}""";
        using var request = McpCalls.Post(shared.Host.Port, Way.Path, "acme", McpCalls.Acme, body);
        using var response = await shared.Host.Client.SendAsync(request, Token);
        Assert.Contains("a! 2 Blue", (await McpCalls.ReadAsync(response)).ToJsonString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_result_agrees_with_its_schema_where_something_is_null()
    {
        var server = shared.Host;
        foreach (var generation in new Generation?[] { null, Generation.Stateless })
        {
            var tools = (await AskAsync(server, "tools/list", generation: generation))["tools"]!.AsArray();
            foreach (var name in new[] { "half_phone", "anything", "object", "with_anything", "open_deal", "chain" })
            {
                var schema = tools.Single(tool => tool!["name"]!.ToString() == name)!["outputSchema"]!;
                var result = await server.CallAsync("acme", McpCalls.Acme, name, generation: generation);
                var content = result["structuredContent"]!;
                AssertHasWhatIsRequired(name, schema, schema, content);
            }
        }
    }

    [Theory]
    [InlineData("null_phones")]
    [InlineData("null_texts")]
    [InlineData("null_named")]
    [InlineData("null_dictionary")]
    [InlineData("null_list")]
    [InlineData("null_object")]
    [InlineData("null_shared")]
    [InlineData("null_numbers")]
    [InlineData("null_shapes")]
    [InlineData("null_colors")]
    [InlineData("null_oblivious")]
    [InlineData("forms")]
    [InlineData("null_odd")]
    [InlineData("null_written")]
    [InlineData("null_family")]
    [InlineData("give_asked")]
    [InlineData("give_computed")]
    [InlineData("give_texts")]
    [InlineData("give_attributed")]
    [InlineData("give_whole")]
    [InlineData("give_node")]
    public async Task A_result_agrees_with_its_schema_in_every_part_also_where_that_is_null(string name)
    {
        var server = shared.Host;
        foreach (var generation in new Generation?[] { null, Generation.Stateless })
        {
            var tools = (await AskAsync(server, "tools/list", generation: generation))["tools"]!.AsArray();
            var schema = tools.Single(tool => tool!["name"]!.ToString() == name)!["outputSchema"];
            var result = await server.CallAsync("acme", McpCalls.Acme, name, generation: generation);
            Assert.Null(result["isError"]);
            if (schema is not null)
            {
                // A client that knows a schema takes a result without structured content for a failure.
                ListedSchemas.AssertAgrees(schema, result["structuredContent"]!);
            }
        }
    }

    [Theory]
    [InlineData("""{"type":"string"}""", "null")]
    [InlineData("""{"type":"array","items":{"type":"object"}}""", "[null]")]
    [InlineData("""{"type":"object","additionalProperties":{"type":"string"}}""", """{"a":1}""")]
    [InlineData("""{"anyOf":[{"type":"string"},{"type":"null"}]}""", "1")]
    [InlineData("""{"type":"string","pattern":"^a$"}""", "\"b\"")]
    [InlineData("""{"type":"string","format":"date-time"}""", "\"2026-01-02T03:04:05\"")]
    public void What_does_not_agree_is_found(string schema, string content) =>
        Assert.ThrowsAny<Exception>(() => ListedSchemas.AssertAgrees(JsonNode.Parse(schema)!, JsonNode.Parse(content)));

    [Theory]
    [InlineData("tier", """{"tier":4}""", "tier must be one of 1, 2, 3.")]
    [InlineData("short", """{"short":"abcdef"}""", "short must have 5 characters at most.")]
    [InlineData("long", """{"long":"ab"}""", "long must have 3 at least.")]
    [InlineData("items", """{"items":{"a":{"name":"x"}}}""", "name must have 2 at least.")]
    [InlineData("tags", """{"tags":[null]}""", "It is null.")]
    [InlineData("color", """{"color":7}""", "It has a value that there is not.")]
    public async Task What_is_listed_of_an_adcp_tool_is_enforced(string member, string arguments, string mistake)
    {
        var server = shared.Host;
        var tools = (await AskAsync(server, "tools/list"))["tools"]!.AsArray();
        var properties = tools.Single(tool => tool!["name"]!.ToString() == "ruled")!["inputSchema"]!["properties"]!;
        Assert.Equal(
            member switch
            {
                "tier" => """{"type":"integer","enum":[1,2,3]}""",
                "short" => """{"type":"string","maxLength":5}""",
                "long" => """{"type":"string","minLength":3}""",
                "tags" => """{"type":"array","items":{"type":"string"},"maxItems":9}""",
                "color" => """{"enum":["Red","Blue"],"type":"string"}""",
                _ => null,
            },
            member == "items" ? null : properties[member]!.ToJsonString()
        );
        var result = await server.CallAsync("acme", McpCalls.Acme, "ruled", JsonNode.Parse(arguments)!.AsObject());
        Assert.True((bool)result["isError"]!);
        Assert.Contains(mistake, result["content"]![0]!["text"]!.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(typeof(StreamTools), "The tool 'stream'", "IAsyncEnumerable", "list")]
    [InlineData(typeof(DelegateTools), "The tool 'callback'", "'job.callback'", "JsonConverter")]
    [InlineData(typeof(TupleTools), "The tool 'pair'", "argument 'paired.pair'", "JsonConverter")]
    [InlineData(typeof(TupleListTools), "The tool 'pairs'", "argument 'pairs'", "JsonConverter")]
    [InlineData(typeof(TupleResultTools), "The tool 'pair_result'", "result 'pair'", "JsonConverter")]
    [InlineData(typeof(ListPrompts), "The prompt 'listed'", "'many'", "Use a text")]
    [InlineData(typeof(NumberPrompts), "The prompt 'number'", "returns Int32", "PromptMessage")]
    [InlineData(typeof(UnnamedResources), "The resource 'test://{number}'", "no variable 'name'", "{name}")]
    [InlineData(typeof(ListResources), "The resource 'test://lists{?many}'", "'many'", "Use a text")]
    [InlineData(typeof(NumberResources), "The resource 'test://number'", "returns Int32", "ResourceContents")]
    [InlineData(typeof(RelativeResources), "The resource 'not a uri'", "no absolute one", "shop://")]
    [InlineData(typeof(InterfaceTools), "The tool 'interface'", "argument 'thing'", "Use another type")]
    [InlineData(typeof(SetTools), "The tool 'sets'", "argument 'holder.v'", "Use another type")]
    [InlineData(typeof(ConstructorsTools), "The tool 'constructors'", "argument 'made'", "Use another type")]
    [InlineData(typeof(ComplexTools), "The tool 'complex'", "argument 'number'", "Use another type")]
    [InlineData(typeof(VoidTools), "The tool 'void'", "VoidTools.Run", "return a Task")]
    [InlineData(typeof(GuidDefaultTools), "The tool 'guid_default'", "GuidDefaultTools.Take", "System.Guid")]
    [InlineData(typeof(PatternTools), "The tool 'pattern'", "'\\A'", "ECMA-262")]
    [InlineData(typeof(BadPatternTools), "The tool 'bad_pattern'", "no regular expression", "text")]
    [InlineData(typeof(WordRangeTools), "The tool 'word_range'", @"'\w-'", "ECMA-262")]
    [InlineData(typeof(MemberPatternTools), "The tool 'member_pattern'", "Patterned.text has [RegularExpression], whose '(?i'", "ECMA-262")]
    [InlineData(typeof(TextsPrompts), "The prompt 'texts'", "returns IEnumerable`1", "PromptMessage")]
    [InlineData(typeof(OptionalResources), "The resource 'test://optional{?name}'", "'name' may be left out", "a default")]
    [InlineData(typeof(RangedTextTools), "The tool 'ranged_text'", "text has [Range]", "a number")]
    [InlineData(typeof(MaxBytesTools), "The tool 'max_bytes'", "data has [MaxLength]", "a text or a list")]
    [InlineData(typeof(OwnRuleTools), "own_rule", "Even", "DataAnnotations")]
    [InlineData(typeof(AdcpRuleTools), "OwnRuleRequest", "even", "DataAnnotations")]
    [InlineData(typeof(AdcpDateTools), "DateRuleRequest", "Range", "DataAnnotations")]
    public async Task What_cannot_be_described_stops_the_start_and_is_named(Type handlers, string tool, string member, string fix)
    {
        var refused = await Assert.ThrowsAnyAsync<Exception>(() =>
            TenancyServer.StartAsync(services: services => services.AddSingleton(new CommonHandlers(platform => Add(platform, handlers))))
        );
        foreach (var part in new[] { tool, member, fix })
        {
            Assert.Contains(part, refused.ToString(), StringComparison.Ordinal);
        }
    }

    private static void Add(IPlatformBuilder platform, Type handlers) =>
        typeof(IPlatformBuilder).GetMethod(nameof(IPlatformBuilder.AddHandlers))!.MakeGenericMethod(handlers).Invoke(platform, null);

    private static IEnumerable<string> Names(JsonNode schema) => schema["properties"]!.AsObject().Select(member => member.Key);

    // References lead from the root, by names.
    private static JsonNode Follow(JsonNode root, JsonNode schema)
    {
        while (schema["$ref"]?.ToString() is { } reference)
        {
            schema = reference[1..].Split('/', StringSplitOptions.RemoveEmptyEntries).Aggregate(root, (found, name) => found[name]!);
        }

        return schema;
    }

    private static void AssertHasWhatIsRequired(string place, JsonNode root, JsonNode schema, JsonNode content)
    {
        schema = Follow(root, schema);
        foreach (var required in schema["required"] as JsonArray ?? [])
        {
            Assert.True(content[required!.ToString()] is not null, $"{place}: {root.ToJsonString()} {content.ToJsonString()}");
        }

        foreach (var (name, member) in schema["properties"] as JsonObject ?? [])
        {
            if (content is JsonObject whole && whole[name] is { } inner)
            {
                AssertHasWhatIsRequired($"{place}.{name}", root, member!, inner);
            }
        }
    }

    private static Task<TenancyServer> StartAsync() =>
        TenancyServer.StartAsync(services: services =>
            services.AddSingleton(
                new CommonHandlers(platform =>
                    platform.AddHandlers<OddTools>().AddHandlers<AwayTools>().AddHandlers<DifferenceTools>().AddHandlers<RuledTools>()
                )
            )
        );

    private static async Task<JsonNode> AskAsync(TenancyServer server, string method, Generation? generation = null)
    {
        using var request = McpCalls.Post(
            server.Port,
            Way.Path,
            "acme",
            McpCalls.Acme,
            McpCalls.Message(method, generation: generation),
            generation
        );
        using var response = await server.Client.SendAsync(request, Token);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return (await McpCalls.ReadAsync(response))["result"]!;
    }

    private static async Task<JsonNode> PostAsync(TenancyServer server, string body)
    {
        using var request = McpCalls.Post(server.Port, Way.Path, "acme", McpCalls.Acme, body);
        using var response = await server.Client.SendAsync(request, Token);
        return (await McpCalls.ReadAsync(response))["result"]!;
    }

    /// <summary>One server for all tests that only ask it something.</summary>
    public sealed class Server : IAsyncLifetime
    {
        internal TenancyServer Host { get; private set; } = null!;

        public async ValueTask InitializeAsync() => Host = await StartAsync();

        public ValueTask DisposeAsync() => Host.DisposeAsync();
    }

    internal sealed record Phone(string Number, string? Kind);

    internal sealed record Party(string Name, IReadOnlyList<string>? Tags);

    // The second of a type is described by a reference to the first.
    internal sealed record Deal(Party Buyer, Party Seller);

    internal sealed record Node(string Name, Node? Next);

    [JsonDerivedType(typeof(Circle), "circle")]
    [JsonDerivedType(typeof(Square), "square")]
    internal abstract record Shape;

    internal sealed record Circle([property: Range(0, 10)] double Radius) : Shape;

    internal sealed record Square(double Side) : Shape;

    [JsonDerivedType(typeof(Leaf), "leaf")]
    [JsonDerivedType(typeof(Branch), "branch")]
    internal abstract record Part;

    internal sealed record Leaf([property: Range(0, 10)] double Size) : Part;

    internal sealed record Branch(IReadOnlyList<Part> Parts) : Part;

    internal sealed record WithAnything(JsonElement Extra, object? More, JsonElement[]? Several);

    internal sealed record Person(
        string Name,
        [property: Range(0, 150)] int? Age = null,
        Color? Color = null,
        IReadOnlyList<Person>? Friends = null,
        Dictionary<string, Phone>? Phones = null
    );

    [JsonConverter(typeof(JsonStringEnumConverter<Color>))]
    internal enum Color
    {
        Red,
        Blue,
    }

    [Flags, JsonConverter(typeof(JsonStringEnumConverter<Flags>))]
    internal enum Flags
    {
        None,
        Bold,
        Loud,
        Both,
    }

    internal sealed record Computed
    {
        public int Price { get; init; }

        public int Count { get; init; }

        public int Total => Price * Count;

        // Described first here.
        public Phone Phone => new("1", null);

        [JsonObjectCreationHandling(JsonObjectCreationHandling.Populate)]
        public List<int> Filled { get; } = [];

        public string Secret
        {
            set => _ = value;
        }
    }

    internal readonly record struct Place(int X, int Y);

    // As a database's entity may have them: nothing looks at them in a result.
    internal sealed record Attributed(
        [property: Phone] string Phone,
        [property: RegularExpression(@"\A(?i)[a-z]\z")] string Code,
        [property: Range(1, 5)] int Count,
        [property: MaxLength(1)] byte[] Data
    );

    internal sealed record Typed([property: Range(typeof(decimal), "0.5", "2.4")] decimal V);

    internal sealed record Must
    {
        public required string A { get; init; }

        public required int? B { get; init; }

        [JsonRequired]
        public string? C { get; init; }
    }

    internal sealed record Texts(
        [property: JsonNumberHandling(JsonNumberHandling.WriteAsString | JsonNumberHandling.AllowReadingFromString)] int A,
        [property: JsonNumberHandling(JsonNumberHandling.WriteAsString), Range(0, 9)] int? B,
        Odd100 Odd
    );

    // A name of which a reference has to be written in another way.
    internal sealed record Odd100
    {
        [JsonPropertyName("a/b~c d%20é")]
        public Odd100? Way { get; init; }
    }

    internal sealed record Holder<T>(T V);

    internal sealed record Nulls(
        List<string?> Texts,
        IReadOnlyList<IReadOnlyList<string?>> Nested,
        Dictionary<string, Phone?> Named,
        List<Phone> Phones,
        Phone?[] Array
    );

    internal sealed record Forms(
        DateTime Day,
        List<DateTime> Days,
        TimeOnly Clock,
        TimeOnly? Later,
        Uri[] Places,
        DateTimeOffset Time,
        DateOnly Date,
        TimeSpan Span
    );

    internal sealed record Rich(
        DateTime? Day = null,
        DateOnly? Date = null,
        Guid? Id = null,
        byte[]? Data = null,
        List<int>? Many = null,
        Dictionary<string, byte?>? Few = null,
        Rich[]? Dates = null
    );

    internal sealed record Odds(
        PhoneList List,
        Dictionary<string, List<Phone?>?> Lists,
        HashSet<string?> Texts,
        Holder<Phone?[]> Held,
        ImmutableArray<string?> Fixed,
        byte[] Bytes,
        Node? Node,
        Tree Tree
    );

    internal sealed record Tree(Tree? Left, Tree? Right, List<Tree?>? Others);

    internal sealed class PhoneList : List<Phone?>;

    // What is null or a default is written where the member says so, and left out elsewhere.
    internal sealed record Written(
        [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? Text,
        [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] int? Number,
        [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] Phone? Phone,
        [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] Phone? Other,
        [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] List<Phone>? List,
        [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] Color? Color,
        [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] object? Thing,
        [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] int Count,
        [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWriting)] int Hidden
    )
    {
        [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
        public string? Later { get; init; }

        [JsonIgnore(Condition = JsonIgnoreCondition.WhenReading)]
        public int Own { get; init; }
    }

    internal sealed record Family(
        string Name,
        List<Family> Children,
        List<Family?>? Lost = null,
        Dictionary<string, Family?>? Named = null
    );

    internal sealed record Asked
    {
        [Required]
        public string? Must { get; init; }

        [EmailAddress]
        public string? Maybe { get; init; }

        [JsonIgnore(Condition = JsonIgnoreCondition.Never), Required]
        public List<Phone>? First { get; init; }

        // Described by the one before it.
        public List<Phone>? Second { get; init; }
    }

    internal sealed record Constructed([Required] string? Text);

    internal sealed record Pair(Family? Maybe, Family Never);

    // The second list is of the type of the first, and by that described by a reference to it.
    internal sealed record Shared(List<Phone> Never, List<Phone?> Maybe, Phone One, List<Phone>? None);

#nullable disable
    internal sealed class Oblivious
    {
        public List<Phone> Phones { get; set; }

        public string Text { get; set; }
    }

#nullable restore

    internal sealed record Job(Action Callback);

    internal sealed class OddTools
    {
        [McpServerTool(Name = "any")]
        public static string Any(
            JsonElement any,
            object thing,
            JsonNode? node = null,
            JsonElement[]? several = null,
            WithAnything? with = null
        ) => "ok";

        [McpServerTool(Name = "nullable")]
        public static string Nullable(string? required, int? number, string? text = null, Color? color = Color.Red, bool? flag = null) =>
            "ok";

        [McpServerTool(Name = "range")]
        public static string Range([Range(1, 90)] int days) => "ok";

        [McpServerTool(Name = "texts")]
        public static string Texts(
            [StringLength(5, MinimumLength = 2)] string name,
            [AllowedValues("x", "y")] string kind,
            [RegularExpression("[a-z][0-9]")] string? code = null,
            [EmailAddress] string? mail = null
        ) => "ok";

        [McpServerTool(Name = "lists")]
        public static string Lists([MinLength(1), MaxLength(2)] string[] tags) => "ok";

        [McpServerTool(Name = "person")]
        public static string Introduce([Description("Who.")] Person person) => "ok";

        [McpServerTool(Name = "deal")]
        public static string Close(Deal deal) => "ok";

        [McpServerTool(Name = "open_deal", UseStructuredContent = true)]
        public static Deal OpenDeal() => new(new("a", null), new("b", null));

        [McpServerTool(Name = "node")]
        public static string Walk(Node node) => "ok";

        [McpServerTool(Name = "chain", UseStructuredContent = true)]
        public static Node Chain() => new("a", new("b", new("c", null)));

        [McpServerTool(Name = "tree")]
        public static string Tree(Part part, List<Part?>? more = null) => "ok";

        [McpServerTool(Name = "area")]
        public static string Area(Shape shape) => "ok";

        [McpServerTool(Name = "when")]
        public static string When(DateTime? day) => "ok";

        [McpServerTool(Name = "numbers")]
        public static string TakeNumbers(
            byte @byte = 0,
            short @short = 0,
            long @long = 0,
            ulong unsigned = 0,
            int? maybe = null,
            List<int>? several = null,
            Dictionary<string, long?>? named = null,
            double fraction = 0,
            float single = 0
        ) => float.IsFinite(single) ? "ok" : "infinite";

        [McpServerTool(Name = "sequence")]
        public static string TakeSequence(IEnumerable<string> tags, IEnumerable<Phone>? phones = null) => tags.Any() ? "ok" : "nothing";

        [McpServerTool(Name = "exclusive")]
        public static string TakeExclusive(
            [Range(0, 1000000, MinimumIsExclusive = true)] decimal amount,
            [Range(0, 5, MinimumIsExclusive = true, MaximumIsExclusive = true)] int whole,
            [Range(0d, 1d, MinimumIsExclusive = true, MaximumIsExclusive = true)] double share,
            Typed? typed = null
        ) => "ok";

        [McpServerTool(Name = "must")]
        public static string TakeMust(Must must) => "ok";

        [McpServerTool(Name = "allowed")]
        public static string TakeAllowed(
            [AllowedValues(Color.Red)] Color color,
            [DeniedValues(Color.Blue)] Color not = Color.Red,
            [MinLength(1)] Dictionary<string, int>? map = null,
            [DataType(DataType.Date)] string? day = null,
            [RegularExpression(@"\d+")] string? digits = null
        ) => "ok";

        [McpServerTool(Name = "struct")]
        public static string TakeStruct(Place? at = null, Holder<Place?>? within = null) => "ok";

        [McpServerTool(Name = "patterns")]
        public static string TakePatterns(
            [RegularExpression(@"^\d{2}-\p{L}$")] string? letter = null,
            [RegularExpression(@"^[0-9]+\$")] string? price = null,
            [RegularExpression(@"[^\W_]+")] string? word = null
        ) => "ok";

        [McpServerTool(Name = "plugins")]
        public static string TakePlugins(IEnumerable<IThing> things) => $"{things.Count()}";

        [McpServerTool(Name = "give_attributed", UseStructuredContent = true)]
        public static Attributed GiveAttributed() => new("no phone", "A1", 9, [1, 2]);

        [McpServerTool(Name = "large")]
        public static string TakeLarge(Half? half = null, UInt128? large = null) => "ok";

        [McpServerTool(Name = "give_texts", UseStructuredContent = true)]
        public static Texts GiveTexts() => new(5, 6, new() { Way = new() });

        [McpServerTool(Name = "give_whole", UseStructuredContent = true)]
        public static CallToolResult GiveWhole() => new() { Content = [new TextContentBlock { Text = "ok" }] };

        [McpServerTool(Name = "give_node", UseStructuredContent = true)]
        public static JsonNode? GiveNode() => null;

        [McpServerTool(Name = "bounds")]
        public static string TakeBounds([Range(-5, 100)] byte low = 0, [Range(10, 500)] byte high = 10) => "ok";

        [McpServerTool(Name = "names")]
        public static string TakeNames(
            Dictionary<int, string>? numbers = null,
            Dictionary<byte, int>? bytes = null,
            Dictionary<Color, int>? colors = null,
            Dictionary<Guid, int>? ids = null,
            Dictionary<int, string>? others = null
        ) => "ok";

        [McpServerTool(Name = "flags")]
        public static string TakeFlags(Flags flags) => "ok";

        [McpServerTool(Name = "computed")]
        public static string TakeComputed(Computed computed, Phone? again = null) => $"{computed.Total} {computed.Filled.Count}";

        [McpServerTool(Name = "give_computed", UseStructuredContent = true)]
        public static Computed GiveComputed() => new() { Price = 2, Secret = "a" };

        [McpServerTool(Name = "sum")]
        public static string Sum(Person person, long more) => $"{person.Name} {person.Age} {more}";

        [McpServerTool(Name = "rich")]
        public static string TakeRich(Rich rich) => "ok";

        [McpServerTool(Name = "times")]
        public static string TakeTimes(DateTimeOffset? time = null, TimeOnly? clock = null, Uri? place = null) => "ok";

        [McpServerTool(Name = "forms", UseStructuredContent = true)]
        public static Forms GiveForms() =>
            new(
                new(2026, 1, 2, 3, 4, 5, DateTimeKind.Unspecified),
                [new(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc), new(2026, 1, 2, 3, 4, 5, 6, DateTimeKind.Local), default],
                new(3, 4, 5),
                TimeOnly.MaxValue,
                [new("a/b", UriKind.Relative), new("https://a.example/a b"), new("", UriKind.Relative)],
                DateTimeOffset.MaxValue,
                DateOnly.MinValue,
                TimeSpan.MinValue
            );

        [McpServerTool(Name = "half_phone", UseStructuredContent = true)]
        public static Phone HalfPhone() => new("1", null);

        [McpServerTool(Name = "anything", UseStructuredContent = true)]
        public static JsonElement Anything() => JsonElement.Parse("""{"a":1}""");

        [McpServerTool(Name = "object", UseStructuredContent = true)]
        public static object Thing() => new Phone("1", null);

        [McpServerTool(Name = "with_anything", UseStructuredContent = true)]
        public static WithAnything With() => new(JsonElement.Parse("5"), null, null);

        [McpServerTool(Name = "null_phones", UseStructuredContent = true)]
        public static Holder<List<Phone?>> NullPhones() => new([null, new("1", null)]);

        [McpServerTool(Name = "null_texts", UseStructuredContent = true)]
        public static Nulls NullTexts() =>
            new(
                [null],
                [
                    [null],
                ],
                new() { ["a"] = null },
                [new("1", null)],
                [null]
            );

        [McpServerTool(Name = "null_named", UseStructuredContent = true)]
        public static Task<Nulls?> NullNamed() => Task.FromResult<Nulls?>(new([], [], new() { ["a"] = null }, [], []));

        [McpServerTool(Name = "null_dictionary", UseStructuredContent = true)]
        public static Dictionary<string, Phone?> NullDictionary() => new() { ["a"] = null, ["b"] = new("1", null) };

        [McpServerTool(Name = "null_list", UseStructuredContent = true)]
        public static List<Phone>? NullList() => null;

        [McpServerTool(Name = "null_object", UseStructuredContent = true)]
        public static Phone? NullObject() => null;

        [McpServerTool(Name = "null_shared", UseStructuredContent = true)]
        public static Shared NullShared() => new([new("1", null)], [null], new("2", null), null);

        [McpServerTool(Name = "null_numbers", UseStructuredContent = true)]
        public static ValueTask<int?[]> NullNumbers() => ValueTask.FromResult<int?[]>([null, 1]);

        [McpServerTool(Name = "null_shapes", UseStructuredContent = true)]
        public static List<Shape?> NullShapes() => [null, new Circle(1)];

        [McpServerTool(Name = "null_colors", UseStructuredContent = true)]
        public static Dictionary<string, Color?> NullColors() => new() { ["a"] = null, ["b"] = Color.Red };

        [McpServerTool(Name = "null_oblivious", UseStructuredContent = true)]
        public static Oblivious NullOblivious() => new() { Phones = [null!] };

        [McpServerTool(Name = "null_odd", UseStructuredContent = true)]
        public static Odds NullOdd() =>
            new(
                [null],
                new() { ["a"] = [null], ["b"] = null },
                [null],
                new([null]),
                [null],
                [1],
                new("a", new("b", null)),
                new(new(null, null, [null]), null, null)
            );

        [McpServerTool(Name = "null_written", UseStructuredContent = true)]
        public static Written NullWritten() => new(null, null, null, null, null, null, null, 0, 5);

        [McpServerTool(Name = "asked")]
        public static string TakeAsked(Asked asked, [Required] string? name, Constructed? constructed = null) => "ok";

        [McpServerTool(Name = "give_asked", UseStructuredContent = true)]
        public static Asked GiveAsked() => new() { Maybe = "no address" };

        [McpServerTool(Name = "null_family", UseStructuredContent = true)]
        public static List<Family?> NullFamily() => [null, new("a", [], [null, new("b", [])], new() { ["c"] = null })];

        [McpServerTool(Name = "family")]
        public static string TakeFamily(Family? family, List<Family?>? more = null, Pair? pair = null) => "ok";

        [McpServerTool(Name = "nulls")]
        public static string TakeNulls(
            Dictionary<string, Phone?>? phones = null,
            string[]? tags = null,
            List<string?>? texts = null,
            Shared? shared = null
        ) => "ok";

        [McpServerPrompt(Name = "greet")]
        public static string Greet(
            string name,
            string? title,
            bool? isLoud = null,
            [Range(1, 3)] int times = 1,
            Color color = Color.Red,
            [RegularExpression("[a-z]+")] string? place = null
        ) => $"{title} {name}{(isLoud is true ? "!" : "")} {times} {color}{place}";

        [McpServerResource(UriTemplate = "test://one", Name = "one")]
        public static string One() => "one";

        [McpServerResource(UriTemplate = "test://numbers/{number}{?isLoud,color}", Name = "numbers")]
        public static string Number([Range(0, 99)] int number, bool isLoud = false, Color color = Color.Red) =>
            number == 13 ? throw new FormatException("13 is no number of ours.") : $"{number} {isLoud} {color}";

        [McpServerResource(UriTemplate = "test://{name}/some", Name = "some")]
        public static string Some(string name) => name;
    }

    internal sealed class ListPrompts
    {
        [McpServerPrompt(Name = "listed")]
        public static string Listed(string[] many) => $"{many.Length}";
    }

    internal sealed class NumberPrompts
    {
        [McpServerPrompt(Name = "number")]
        public static int Number() => 5;
    }

    internal sealed class UnnamedResources
    {
        [McpServerResource(UriTemplate = "test://{number}", Name = "unnamed")]
        public static string Read(string name) => name;
    }

    internal sealed class ListResources
    {
        [McpServerResource(UriTemplate = "test://lists{?many}", Name = "lists")]
        public static string Read(string[] many) => $"{many.Length}";
    }

    internal sealed class NumberResources
    {
        [McpServerResource(UriTemplate = "test://number", Name = "number")]
        public static Task<int> ReadAsync() => Task.FromResult(5);
    }

    internal sealed class RelativeResources
    {
        [McpServerResource(UriTemplate = "not a uri", Name = "relative")]
        public static string Read() => "";
    }

    internal interface IThing
    {
        string Name { get; }
    }

    internal sealed class InterfaceTools
    {
        [McpServerTool(Name = "interface")]
        public static string Take(IThing thing) => thing.Name;
    }

    internal sealed class SetTools
    {
        [McpServerTool(Name = "sets")]
        public static string Take(Holder<System.Collections.Frozen.FrozenSet<int>?> holder) => $"{holder.V?.Count}";
    }

    internal sealed class Made
    {
        public Made(string name) => Name = name;

        public Made(string name, int count)
            : this(name + count) { }

        public string Name { get; }
    }

    internal sealed class ConstructorsTools
    {
        [McpServerTool(Name = "constructors")]
        public static string Take(Made made) => made.Name;
    }

    internal sealed class ComplexTools
    {
        [McpServerTool(Name = "complex")]
        public static string Take(System.Numerics.BigInteger number) => $"{number}";
    }

    internal sealed class VoidTools
    {
        [McpServerTool(Name = "void")]
#pragma warning disable VSTHRD100, S3168 // That is what it is about.
        public static async void Run() => await Task.Yield();
#pragma warning restore VSTHRD100, S3168
    }

    internal sealed record GuidDefault(int Number, Guid Id = default);

    internal sealed class GuidDefaultTools
    {
        [McpServerTool(Name = "guid_default")]
        public static string Take(GuidDefault one) => $"{one.Id}";
    }

    internal sealed class PatternTools
    {
        [McpServerTool(Name = "pattern")]
        public static string Take([RegularExpression(@"\A[a-z]+\Z")] string text) => text;
    }

    internal sealed class BadPatternTools
    {
        [McpServerTool(Name = "bad_pattern")]
        public static string Take([RegularExpression("[a")] string text) => text;
    }

    internal sealed record Patterned([property: RegularExpression("(?i)[a-z]+")] string Text);

    internal sealed class MemberPatternTools
    {
        [McpServerTool(Name = "member_pattern")]
        public static string Take(Patterned one) => one.Text;
    }

    internal sealed class WordRangeTools
    {
        [McpServerTool(Name = "word_range")]
        public static string Take([RegularExpression(@"^[\w-\.]+@([\w-]+\.)+[\w-]{2,4}$")] string text) => text;
    }

    internal sealed class TextsPrompts
    {
        [McpServerPrompt(Name = "texts")]
        public static IEnumerable<string> Texts() => ["a"];
    }

    internal sealed class OptionalResources
    {
        [McpServerResource(UriTemplate = "test://optional{?name}", Name = "optional")]
        public static string Read(string? name) => $"{name}";
    }

    internal sealed class RangedTextTools
    {
        [McpServerTool(Name = "ranged_text")]
        public static string Take([Range(1, 5)] string text) => text;
    }

    internal sealed class MaxBytesTools
    {
        [McpServerTool(Name = "max_bytes")]
        public static string Take([MaxLength(3)] byte[] data) => $"{data.Length}";
    }

    internal sealed class AwayTools
    {
        public AwayTools() => throw new StoreUnavailableException(new TimeoutException());

        // Its schema takes everything, so that what cannot be read is found late.
        [McpServerTool(Name = "away")]
        public string Away(Odd tags) => $"{tags}";
    }

    [JsonConverter(typeof(OddConverter))]
    internal sealed record Odd;

    internal sealed class OddConverter : JsonConverter<Odd>
    {
        public override Odd Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => throw new JsonException();

        public override void Write(Utf8JsonWriter writer, Odd value, JsonSerializerOptions options) => writer.WriteNullValue();
    }

    internal sealed record RuledRequest : AdcpRequest
    {
        [AllowedValues(1, 2, 3)]
        public int? Tier { get; init; }

        [StringLength(5)]
        public string? Short { get; init; }

        [MinLength(3)]
        public string? Long { get; init; }

        public Dictionary<string, RuledItem>? Items { get; init; }

        [MaxLength(9)]
        public IReadOnlyList<string>? Tags { get; init; }

        public Color? Color { get; init; }
    }

    internal sealed record RuledItem
    {
        [MinLength(2)]
        public required string Name { get; init; }
    }

    internal sealed record RuledResponse : AdcpResponse;

    internal sealed class RuledTools
    {
        [AdcpTool("ruled")]
        public Task<RuledResponse> RunAsync(RuledRequest request, ToolContext context, CancellationToken cancellationToken) =>
            Task.FromResult(new RuledResponse());
    }

    internal sealed class StreamTools
    {
        [McpServerTool(Name = "stream", UseStructuredContent = true)]
        public static async IAsyncEnumerable<int> StreamAsync()
        {
            await Task.Yield();
            yield return 1;
        }
    }

    internal sealed class DelegateTools
    {
        [McpServerTool(Name = "callback")]
        public static string Call(Job job) => "ok";
    }

    internal sealed record Paired((int Number, string Text)? Pair);

    internal sealed class TupleTools
    {
        [McpServerTool(Name = "pair")]
        public static string Take(Paired paired) => "ok";
    }

    internal sealed class TupleListTools
    {
        [McpServerTool(Name = "pairs")]
        public static string Take(List<(int, string)> pairs) => "ok";
    }

    internal sealed class TupleResultTools
    {
        [McpServerTool(Name = "pair_result", UseStructuredContent = true)]
        public static Paired Give() => new((1, "a"));
    }

    [AttributeUsage(AttributeTargets.Parameter | AttributeTargets.Property)]
    internal sealed class EvenAttribute : ValidationAttribute
    {
        public override bool IsValid(object? value) => value is null || (value is int number && number % 2 == 0);
    }

    internal sealed class OwnRuleTools
    {
        [McpServerTool(Name = "own_rule")]
        public static string Own([Even] int even) => "ok";
    }

    internal sealed record OwnRuleRequest : AdcpRequest
    {
        [Even]
        public int? Even { get; init; }
    }

    internal sealed class AdcpRuleTools
    {
        [AdcpTool("own_rule")]
        public Task<RuledResponse> RunAsync(OwnRuleRequest request, ToolContext context, CancellationToken cancellationToken) =>
            Task.FromResult(new RuledResponse());
    }

    internal sealed record DateRuleRequest : AdcpRequest
    {
        [Range(typeof(DateTime), "2020-01-01", "2030-01-01")]
        public DateTime? Day { get; init; }
    }

    internal sealed class AdcpDateTools
    {
        [AdcpTool("date_rule")]
        public Task<RuledResponse> RunAsync(DateRuleRequest request, ToolContext context, CancellationToken cancellationToken) =>
            Task.FromResult(new RuledResponse());
    }
}
