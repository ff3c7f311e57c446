using System.Text;
using Microsoft.AspNetCore.Http;
using Tenancy.Mcp.Sdk;

namespace Tenancy.Tests.Mcp;

public sealed class SdkReplyTests
{
    private const string Answer = "event: message\ndata: {\"result\":{}}\n\n";
    private const string Error = "event: message\ndata: {\"error\":{}}\n\n";
    private const string Progress = "event: message\ndata: {\"method\":\"notifications/progress\"}\n\n";

    private readonly MemoryStream _written = new();
    private readonly DefaultHttpContext _http = new();

    public SdkReplyTests() => _http.Response.Body = _written;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(Progress)]
    [InlineData(Answer)]
    public async Task A_reply_whose_request_is_over_takes_nothing_any_more(string late)
    {
        var reply = new SdkReply(_http, isJson: false);
        await WriteAsync(reply, "event: message\ndata: {\"method\":\"first\"}\n\n");
        var before = _written.Length;
        Assert.NotEqual(0, before);
        await reply.DisposeAsync();

        await WriteAsync(reply, late);
        await _http.Response.BodyWriter.FlushAsync(Token);
        Assert.Equal(before, _written.Length);
    }

    [Theory]
    [InlineData(Error, true, true)]
    [InlineData(Error, true, false)]
    [InlineData(Answer, false, true)]
    [InlineData(Answer, false, false)]
    public async Task What_is_written_after_an_answer_makes_no_other_answer_of_it(string answer, bool isError, bool isJson)
    {
        using var reply = Begin(isJson);
        await WriteAsync(reply, Progress);
        Assert.False(reply.IsAnswered);
        await WriteAsync(reply, answer);
        await WriteAsync(reply, Progress);
        Assert.True(reply.IsAnswered);
        Assert.Equal(isError, reply.IsError);
    }

    [Theory]
    [InlineData("")]
    [InlineData(Progress)]
    public async Task An_answer_that_was_written_before_its_request_was_cancelled_is_sent(string before)
    {
        using var reply = Begin(isJson: true);
        if (before.Length > 0)
        {
            await WriteAsync(reply, before);
        }

        await WriteAsync(reply, Answer);
        reply.EndUnanswered();
        Assert.Null(await reply.EndAsync());
        Assert.Equal((200, "{\"result\":{}}"), (_http.Response.StatusCode, Written()));
        Assert.Equal("application/json", _http.Response.ContentType);
    }

    [Fact]
    public async Task A_cancelled_request_that_has_no_answer_is_accepted_without_one()
    {
        using var reply = Begin(isJson: true);
        await WriteAsync(reply, Progress);
        reply.EndUnanswered();
        Assert.Null(await reply.EndAsync());
        Assert.Equal((202, ""), (_http.Response.StatusCode, Written()));
    }

    [Theory]
    [InlineData("""{"id":null,"error":{"code":1}}""", """{"error":{"code":1}}""")]
    [InlineData("""{"id":1,"error":{"code":1}}""", """{"id":1,"error":{"code":1}}""")]
    [InlineData("No.", "No.")]
    [InlineData("""{"id":null""", """{"id":null""")]
    [InlineData("""{"id":null,"id":null}""", """{"id":null,"id":null}""")]
    [InlineData("""[null]""", """[null]""")]
    [InlineData("{\"id\":null,\"\u00ff\":1}", "{\"id\":null,\"\u00ff\":1}")]
    public async Task A_refusal_that_cannot_be_read_passes_as_it_is(string refusal, string sent)
    {
        using var reply = Begin(isJson: true);
        (_http.Response.StatusCode, _http.Response.ContentType) = (403, "application/json");

        // Latin-1, so that one of them is no UTF-8.
        await reply.WriteAsync(Encoding.Latin1.GetBytes(refusal), Token);
        Assert.Null(await reply.EndAsync());
        Assert.Equal((403, sent), (_http.Response.StatusCode, Written()));
        Assert.Equal(sent.Length, _http.Response.ContentLength);
    }

    private static async Task WriteAsync(SdkReply reply, string text)
    {
        await reply.WriteAsync(Encoding.UTF8.GetBytes(text), Token);
        await reply.FlushAsync(Token);
    }

    private SdkReply Begin(bool isJson)
    {
        var reply = new SdkReply(_http, isJson);
        _http.Response.ContentType = "text/event-stream";
        return reply;
    }

    private string Written() => Encoding.Latin1.GetString(_written.ToArray());
}
