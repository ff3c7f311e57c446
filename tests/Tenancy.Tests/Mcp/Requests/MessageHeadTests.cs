using System.Text;

namespace Tenancy.Tests.Mcp.Requests;

/// <summary>
/// What the gate reads of a message: what is plain is read whole, what is unusual is left to the MCP SDK, what is ambiguous is refused.
/// </summary>
public sealed class MessageHeadTests
{
    private const string Version = "\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\"";
    private const string Capabilities = "\"io.modelcontextprotocol/clientCapabilities\":{\"elicitation\":{}}";
    private const string Client = "\"io.modelcontextprotocol/clientInfo\":{\"name\":\"c\",\"version\":\"1\"}";

    [Theory]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":{"a":[1]}}}""", "1", "{\"a\":[1]}")]
    [InlineData("""{"params":{"arguments":{"a":[1]},"name":"echo"},"method":"tools/call","id":1,"jsonrpc":"2.0"}""", "1", "{\"a\":[1]}")]
    [InlineData(
        """ { "jsonrpc" : "2.0" , "id" : 1 , "method" : "tools/call" , "params" : { "name" : "echo" , "arguments" : { } } } """,
        "1",
        "{ }"
    )]
    [InlineData("""{"jsonrpc":"2.0","id":"a b","method":"tools/call","params":{"name":"echo"}}""", "\"a b\"", "")]
    [InlineData("""{"jsonrpc":"2.0","id":"é","method":"tools/call","params":{"name":"echo"}}""", "\"é\"", "")]
    [InlineData("""{"jsonrpc":"2.0","id":"","method":"tools/call","params":{"name":"echo"}}""", "\"\"", "")]
    [InlineData("""{"jsonrpc":"2.0","id":0,"method":"tools/call","params":{"name":"echo"}}""", "0", "")]
    [InlineData(
        """{"jsonrpc":"2.0","id":-9223372036854775808,"method":"tools/call","params":{"name":"echo"}}""",
        "-9223372036854775808",
        ""
    )]
    [InlineData("""{"jsonrpc":"2.0","id":9223372036854775807,"method":"tools/call","params":{"name":"echo"}}""", "9223372036854775807", "")]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"tools\/call","params":{"name":"echo"}}""", "1", "")]
    [InlineData("""{"jsonrpc":"\u0032.0","id":1,"method":"tools/call","params":{"name":"echo"}}""", "1", "")]
    [InlineData(
        """{"jsonrpc":"2.0","\u0069d":1,"m\u0065thod":"tools/call","par\u0061ms":{"n\u0061me":"echo","\u0061rguments":{}}}""",
        "1",
        "{}"
    )]
    public void A_plain_call_is_read_whole_wherever_its_members_stand_and_however_their_names_are_written(
        string body,
        string id,
        string arguments
    )
    {
        var head = Read(body);
        Assert.True(
            head is { IsPlain: true, IsAmbiguous: false, IsCall: true, IsRequest: true, DeclaresVersion: false, HasReservedMeta: false },
            body
        );
        Assert.Equal((id, "\"echo\"", arguments), (Text(body, head.Id), Text(body, head.Name), Text(body, head.Arguments)));
    }

    [Theory]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"tools/list"}""")]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{}}""")]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{"traceparent":"x","a":{"progressToken":1}}}}""")]
    public void A_plain_list_is_one_without_a_cursor(string body)
    {
        var head = Read(body);
        Assert.True(head is { IsPlain: true, IsAmbiguous: false, IsCall: false, Method: "tools/list" }, body);
    }

    [Fact]
    public void What_a_message_says_of_its_client_is_found_in_its_meta()
    {
        const string Meta = $$"""{"a":1,{{Client}},{{Version}},{{Capabilities}},"b":[{}]}""";
        const string Body = $$$"""{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","_meta":{{{Meta}}}}}""";
        var head = Read(Body);
        Assert.True(head is { IsPlain: true, IsAmbiguous: false, DeclaresVersion: true, HasReservedMeta: true });
        Assert.Equal(
            ("\"2026-07-28\"", "{\"elicitation\":{}}", "{\"name\":\"c\",\"version\":\"1\"}", Meta),
            (Text(Body, head.Version), Text(Body, head.Capabilities), Text(Body, head.Client), Text(Body, head.Meta))
        );
    }

    [Theory]
    [InlineData("""{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"a\u0062","reason":"r"}}""", "\"a\\u0062\"")]
    [InlineData("""{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":7}}""", "7")]
    [InlineData("""{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":null}}""", "")]
    [InlineData("""{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":{}}}""", "")]
    [InlineData("""{"jsonrpc":"2.0","method":"notifications/cancelled"}""", "")]
    public void A_cancellation_names_its_request(string body, string id)
    {
        var head = Read(body);
        Assert.True(head is { IsPlain: false, IsRequest: false, IsAmbiguous: false });
        Assert.Equal(id, Text(body, head.CancelledId));
    }

    // The ids that the SDK reads in another way than they stand, or not at all.
    [Theory]
    [InlineData("1.0")]
    [InlineData("1e2")]
    [InlineData("-0")]
    [InlineData("9223372036854775808")]
    [InlineData("-9223372036854775809")]
    [InlineData("\"a\\u0062\"")]
    [InlineData("\"\\n\"")]
    [InlineData("null")]
    [InlineData("true")]
    [InlineData("[1]")]
    [InlineData("{}")]
    public void An_id_that_an_answer_cannot_repeat_as_it_stands_is_unusual(string id) =>
        AssertUnusual($$$"""{"jsonrpc":"2.0","id":{{{id}}},"method":"tools/call","params":{"name":"echo"}}""");

    [Theory]
    [InlineData("\"cursor\":\"x\"")]
    [InlineData("\"task\":{\"ttl\":1}")]
    [InlineData("\"requestState\":\"x\"")]
    [InlineData("\"inputResponses\":{}")]
    [InlineData("\"requestId\":1")]
    [InlineData("\"of a later revision\":1")]
    [InlineData("\"arguments\":null")]
    [InlineData("\"arguments\":[1]")]
    [InlineData("\"arguments\":\"x\"")]
    [InlineData("\"_meta\":null")]
    [InlineData("\"_meta\":[]")]
    [InlineData("\"_meta\":{\"progressToken\":1}")]
    [InlineData("\"_meta\":{\"progressToken\":null}")]
    [InlineData("\"_meta\":{\"progress\\u0054oken\":1}")]
    [InlineData("\"_meta\":{\"\\u0061\":1}")]
    [InlineData("\"_meta\":{\"io.modelcontextprotocol/logLevel\":\"debug\"}")]
    [InlineData("\"_meta\":{\"io.modelcontextprotocol/future\":{}}")]
    [InlineData("\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":2026}")]
    [InlineData("\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":null}")]
    [InlineData("\"_meta\":{\"io.modelcontextprotocol/clientCapabilities\":\"x\"}")]
    [InlineData("\"_meta\":{\"io.modelcontextprotocol/clientInfo\":[]}")]
    public void A_parameter_that_the_direct_way_does_not_know_is_unusual(string parameter) =>
        AssertUnusual($$$"""{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo",{{{parameter}}}}}""");

    [Theory]
    [InlineData("""{"id":1,"method":"tools/call","params":{"name":"echo"}}""")]
    [InlineData("""{"jsonrpc":"1.0","id":1,"method":"tools/call","params":{"name":"echo"}}""")]
    [InlineData("""{"jsonrpc":2.0,"id":1,"method":"tools/call","params":{"name":"echo"}}""")]
    [InlineData("""{"jsonrpc":"2.0","method":"tools/call","params":{"name":"echo"}}""")]
    [InlineData("""{"jsonrpc":"2.0","id":1,"params":{"name":"echo"}}""")]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":5,"params":{"name":"echo"}}""")]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":null,"params":{"name":"echo"}}""")]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"ping"}""")]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"Tools/Call","params":{"name":"echo"}}""")]
    [InlineData("""{"jsonrpc":"2.0","id":1,"result":{}}""")]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo"},"result":{}}""")]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo"},"x":1}""")]
    [InlineData("""{"jsonrpc":"2.0","id":1,"Method":"tools/call","params":{"name":"echo"}}""")]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"tools/call"}""")]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{}}""")]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":5}}""")]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"\u0065cho"}}""")]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"tools/call","params":[]}""")]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"tools/call","params":null}""")]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"tools/call","params":"echo"}""")]
    [InlineData("{}")]
    public void A_message_that_is_no_usual_call_is_left_to_the_sdk(string body) => AssertUnusual(body);

    [Theory]
    [InlineData("""{"jsonrpc":"2.0","jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo"}}""")]
    [InlineData("""{"jsonrpc":"2.0","id":1,"id":2,"method":"tools/call","params":{"name":"echo"}}""")]
    [InlineData("""{"jsonrpc":"2.0","id":null,"id":2,"method":"tools/call","params":{"name":"echo"}}""")]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"tools/list","method":"tools/call","params":{"name":"echo"}}""")]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"tools/list","m\u0065thod":"tools/call","params":{"name":"echo"}}""")]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo"},"params":{"name":"other"}}""")]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","name":"echo"}}""")]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","n\u0061me":"other"}}""")]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":5,"name":"other"}}""")]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"Name":"echo"}}""")]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","NAME":"other"}}""")]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","\u004eame":"other"}}""")]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","Arguments":{}}}""")]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":{},"arguments":{}}}""")]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","_META":{}}}""")]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","_meta":{},"_meta":{}}}""")]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","Task":{}}}""")]
    [InlineData("""{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1,"requestId":2}}""")]
    [InlineData(
        """
            {"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo",
            "_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28",
            "io.modelcontextprotocol/protocolVersion":"2025-11-25"}}}
            """
    )]
    [InlineData(
        """
            {"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo",
            "_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28",
            "io.modelcontextprotocol/protocol\u0056ersion":"2025-11-25"}}}
            """
    )]
    [InlineData(
        """
            {"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","_meta":{"io.modelcontextprotocol/clientInfo":{},
            "io.modelcontextprotocol/clientInfo":null}}}
            """
    )]
    [InlineData(
        """
            {"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","_meta":{"io.modelcontextprotocol/clientCapabilities":{},
            "io.modelcontextprotocol/clientCapabilities":{}}}}
            """
    )]
    public void A_member_that_two_readers_could_take_for_two_is_ambiguous(string body)
    {
        var head = Read(body);
        Assert.True(head is { IsAmbiguous: true, IsPlain: false }, body);
    }

    [Fact]
    public void What_is_called_so_within_something_else_is_not_taken_for_a_member_of_the_message()
    {
        const string Body = """
            {"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo",
            "arguments":{"id":2,"method":"x","params":{"name":"y"},"name":"other","_meta":{"progressToken":1},"Name":1,"cursor":1},
            "_meta":{"name":"z","arguments":{},"id":3,"a":{"progressToken":1,"io.modelcontextprotocol/logLevel":"debug"}}}}
            """;
        var head = Read(Body);
        Assert.True(head is { IsPlain: true, IsAmbiguous: false, HasReservedMeta: false });
        Assert.Equal(("1", "\"echo\""), (Text(Body, head.Id), Text(Body, head.Name)));
    }

    [Theory]
    [InlineData(61, true)]
    [InlineData(62, false)]
    public void A_message_may_be_64_levels_deep(int levels, bool isRead)
    {
        // The message, its parameters, the arguments, and what is in them.
        var body = Encoding.UTF8.GetBytes(
            $$$$"""{"jsonrpc":"2.0","id":1"""
                + $$$$""","method":"tools/call","params":{"name":"echo","arguments":{"a":"""
                + $$$$"""{{{{new string('[', levels)}}}}{{{{new string(']', levels)}}}}}}}"""
        );
        Assert.Equal(isRead, MessageHead.TryRead(body, out var head));
        Assert.Equal(isRead, head.IsPlain && head.IsCall && !MessageHead.IsEmpty(head.Arguments) && head.IsRequest);
    }

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData("[")]
    [InlineData("[]]")]
    [InlineData("{")]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo"}""")]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo"}}x""")]
    [InlineData("""{"jsonrpc":"2.0"}{"jsonrpc":"2.0"}""")]
    [InlineData("""{"jsonrpc":"2.0",}""")]
    [InlineData("""{"jsonrpc":"2.0"/**/}""")]
    [InlineData("""{"jsonrpc":"\ud800"}""")]
    [InlineData("\ufeff{}")]
    public void What_is_not_one_text_of_json_is_not_read(string body) =>
        Assert.False(MessageHead.TryRead(Encoding.UTF8.GetBytes(body), out _));

    [Theory]
    [InlineData("null", "one object")]
    [InlineData("[]", "one by one")]
    [InlineData("""[{"jsonrpc":"2.0","id":1,"method":"ping"}]""", "one by one")]
    [InlineData("\"tools/call\"", "one object")]
    [InlineData("{}", "jsonrpc")]
    [InlineData("""{"id":1,"method":"ping"}""", "jsonrpc")]
    [InlineData("""{"jsonrpc":"1.0","id":1,"method":"ping"}""", "jsonrpc")]
    [InlineData("""{"jsonrpc":2.0,"id":1,"method":"ping"}""", "jsonrpc")]
    [InlineData("""{"jsonrpc":"2.0","id":null,"method":"ping"}""", "id")]
    [InlineData("""{"jsonrpc":"2.0","id":1.5,"method":"ping"}""", "id")]
    [InlineData("""{"jsonrpc":"2.0","id":1e400,"method":"ping"}""", "id")]
    [InlineData("""{"jsonrpc":"2.0","id":9223372036854775808,"method":"ping"}""", "id")]
    [InlineData("""{"jsonrpc":"2.0","id":{},"method":"ping"}""", "id")]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":5}""", "method")]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":null}""", "method")]
    [InlineData("""{"jsonrpc":"2.0","id":1}""", "method")]
    [InlineData("""{"jsonrpc":"2.0","id":1,"result":{},"error":{"code":1,"message":""}}""", "method")]
    [InlineData("""{"jsonrpc":"2.0","result":{}}""", "id is missing")]
    [InlineData("""{"jsonrpc":"2.0","id":1,"error":"no"}""", "error")]
    public void What_is_no_message_of_json_rpc_is_told_why(string body, string reason)
    {
        var head = Read(body);
        Assert.False(head.IsPlain);
        Assert.Contains(reason, head.Mistake, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("[]", true)]
    [InlineData("\"x\"", true)]
    [InlineData("5", true)]
    [InlineData("null", false)]
    [InlineData("{}", false)]
    public void Parameters_are_an_object_or_none(string parameters, bool areOdd)
    {
        var head = Read($$"""{"jsonrpc":"2.0","id":1,"method":"ping","params":{{parameters}}}""");
        Assert.Equal((areOdd, null), (head.HasOddParameters, head.Mistake));
    }

    private static MessageHead Read(string body)
    {
        Assert.True(MessageHead.TryRead(Encoding.UTF8.GetBytes(body), out var head), body);
        return head;
    }

    private static void AssertUnusual(string body)
    {
        var head = Read(body);
        Assert.True(head is { IsPlain: false, IsAmbiguous: false }, body);
    }

    private static string Text(string body, Range range) => Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(body)[range]);
}
