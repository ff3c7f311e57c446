using System.Text;

namespace Tenancy.Tests.Mcp.Requests;

/// <summary>What the MCP SDK cannot read is refused before it tries.</summary>
public sealed class MessageParametersTests
{
    [Theory]
    [InlineData("initialize", """{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"a","version":"1"}}""")]
    [InlineData("tools/list", "")]
    [InlineData("tools/list", "{}")]
    [InlineData("tools/list", """{"cursor":null}""")]
    [InlineData("tools/list", """{"cursor":"x","unknown":[1]}""")]
    [InlineData("tools/call", """{"name":"x"}""")]
    [InlineData("tools/call", """{"name":"x","arguments":null}""")]
    [InlineData("tools/call", """{"name":"x","arguments":{"a":[]},"_meta":{"progressToken":1}}""")]
    [InlineData("prompts/get", """{"name":"x","arguments":{"a":"b"}}""")]
    [InlineData("resources/read", """{"uri":"test://x"}""")]
    [InlineData("completion/complete", """{"ref":{"type":"ref/prompt","name":"x"},"argument":{"name":"a","value":"b"}}""")]
    [InlineData("logging/setLevel", """{"level":"warning"}""")]
    // What the SDK does not know it refuses by itself.
    [InlineData("unknown/method", "5")]
    [InlineData("", "5")]
    [InlineData("TOOLS/CALL", "5")]
    public void Parameters_that_their_method_takes_are_readable(string method, string parameters) =>
        Assert.True(AreReadable(method, parameters));

    [Theory]
    [InlineData("initialize", "")]
    [InlineData("initialize", """{"protocolVersion":null,"capabilities":{},"clientInfo":{"name":"a","version":"1"}}""")]
    [InlineData("initialize", """{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":null}""")]
    [InlineData("initialize", """{"protocolVersion":7,"capabilities":{},"clientInfo":{"name":"a","version":"1"}}""")]
    [InlineData("initialize", """{"protocolVersion":"2025-11-25","capabilities":[],"clientInfo":{"name":"a","version":"1"}}""")]
    [InlineData("tools/list", "null")]
    [InlineData("tools/list", "[]")]
    [InlineData("tools/list", "\"x\"")]
    [InlineData("tools/list", """{"cursor":5}""")]
    [InlineData("tools/list", """{"_meta":5}""")]
    [InlineData("tools/call", "")]
    [InlineData("tools/call", "{}")]
    [InlineData("tools/call", """{"name":null}""")]
    [InlineData("tools/call", """{"name":{}}""")]
    [InlineData("tools/call", """{"name":"x","arguments":[]}""")]
    [InlineData("tools/call", """{"name":"x","arguments":"{}"}""")]
    [InlineData("tools/call", """{"name":"\ud800"}""")]
    [InlineData("prompts/get", """{"name":null}""")]
    [InlineData("resources/read", """{"uri":null}""")]
    [InlineData("resources/read", """{"uri":7}""")]
    [InlineData("resources/subscribe", "{}")]
    [InlineData("resources/unsubscribe", "{}")]
    [InlineData("subscriptions/listen", "{}")]
    [InlineData("completion/complete", """{"ref":null,"argument":{"name":"a","value":"b"}}""")]
    [InlineData("completion/complete", """{"ref":{"type":"ref/prompt","name":"x"},"argument":null}""")]
    [InlineData("completion/complete", """{"ref":{"type":"ref/prompt","name":null},"argument":{"name":"a","value":"b"}}""")]
    [InlineData("completion/complete", """{"ref":{"type":"ref/prompt","name":"x"},"argument":{"name":null,"value":"b"}}""")]
    [InlineData("completion/complete", """{"ref":{"type":"ref/prompt","name":"x"},"argument":{"name":"a","value":null}}""")]
    [InlineData("completion/complete", """{"ref":{"type":"ref/nothing"},"argument":{"name":"a","value":"b"}}""")]
    [InlineData("logging/setLevel", """{"level":"loud"}""")]
    public void Parameters_that_the_SDK_would_fail_on_are_not(string method, string parameters) =>
        Assert.False(AreReadable(method, parameters));

    [Theory]
    [InlineData("initialize", true)]
    [InlineData("logging/setLevel", true)]
    [InlineData("resources/subscribe", true)]
    [InlineData("resources/unsubscribe", true)]
    [InlineData("tools/call", false)]
    [InlineData("completion/complete", false)]
    public void What_2026_07_28_does_without_is_left_to_the_SDK_to_refuse_there(string method, bool isGone)
    {
        Assert.Equal(isGone, MessageParameters.AreReadable(method, "5"u8, isModern: true));
        Assert.False(MessageParameters.AreReadable(method, "5"u8, isModern: false));
    }

    [Theory]
    [InlineData("""{"jsonrpc":"2.0","id":1,"result":{}}""", true)]
    [InlineData("""{"jsonrpc":"2.0","id":"a","error":{"code":-1,"message":"no"}}""", true)]
    [InlineData("""{"jsonrpc":"2.0","id":1,"error":{"code":"x","message":"no"}}""", false)]
    [InlineData("""{"jsonrpc":"2.0","id":1,"error":"no"}""", false)]
    [InlineData("""{"jsonrpc":"2.0","id":1,"error":{}}""", false)]
    [InlineData("""{"jsonrpc":"2.0","id":{},"result":{}}""", false)]
    [InlineData("""{"jsonrpc":"2.0","id":1}""", false)]
    [InlineData("""{"id":1,"result":{}}""", false)]
    [InlineData("[]", false)]
    [InlineData("null", false)]
    public void An_answer_is_one_that_the_SDK_can_read(string message, bool isAnswer) =>
        Assert.Equal(isAnswer, MessageParameters.IsAnswer(Encoding.UTF8.GetBytes(message)));

    private static bool AreReadable(string method, string parameters) =>
        MessageParameters.AreReadable(method, Encoding.UTF8.GetBytes(parameters), isModern: false);
}
