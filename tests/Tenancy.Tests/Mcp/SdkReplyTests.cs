using Microsoft.AspNetCore.Http;
using Tenancy.Mcp.Sdk;

namespace Tenancy.Tests.Mcp;

public sealed class SdkReplyTests
{
    [Theory]
    [InlineData("event: message\ndata: {\"method\":\"notifications/progress\"}\n\n")]
    [InlineData("event: message\ndata: {\"result\":{}}\n\n")]
    public async Task A_reply_whose_request_is_over_takes_nothing_any_more(string late)
    {
        var written = new MemoryStream();
        var context = new DefaultHttpContext();
        context.Response.Body = written;
        var reply = new SdkReply(context, isJson: false);
        await WriteAsync("event: message\ndata: {\"method\":\"first\"}\n\n");
        var before = written.Length;
        Assert.NotEqual(0, before);
        await reply.DisposeAsync();

        await WriteAsync(late);
        await context.Response.BodyWriter.FlushAsync(TestContext.Current.CancellationToken);
        Assert.Equal(before, written.Length);

        async Task WriteAsync(string text)
        {
            await reply.WriteAsync(System.Text.Encoding.UTF8.GetBytes(text), TestContext.Current.CancellationToken);
            await reply.FlushAsync(TestContext.Current.CancellationToken);
        }
    }
}
