using Microsoft.AspNetCore.Http;

namespace Tenancy.Tests.Mcp.Requests;

public sealed class AcceptedRepliesTests
{
    public static TheoryData<string[], string> Accepts { get; } =
        new()
        {
            { ["application/json, text/event-stream"], nameof(AcceptedReply.EventStream) },
            { ["text/event-stream, application/json"], nameof(AcceptedReply.EventStream) },
            { ["application/json,text/event-stream"], nameof(AcceptedReply.EventStream) },
            { ["APPLICATION/JSON, Text/Event-Stream"], nameof(AcceptedReply.EventStream) },
            { ["application/json", "text/event-stream"], nameof(AcceptedReply.EventStream) },
            { ["application/json;q=0.5, text/event-stream;q=1"], nameof(AcceptedReply.EventStream) },
            { ["text/event-stream, */*"], nameof(AcceptedReply.EventStream) },
            { [], nameof(AcceptedReply.Json) },
            { [""], nameof(AcceptedReply.Json) },
            { ["application/json"], nameof(AcceptedReply.Json) },
            { ["*/*"], nameof(AcceptedReply.Json) },
            { ["application/*"], nameof(AcceptedReply.Json) },
            { ["application/json, */*"], nameof(AcceptedReply.Json) },
            { ["application/json, text/html"], nameof(AcceptedReply.Json) },
            { ["text/event-stream"], nameof(AcceptedReply.Unclear) },
            { ["text/html"], nameof(AcceptedReply.Unclear) },
            { ["nonsense"], nameof(AcceptedReply.Unclear) },
            { ["application/json, text/event-streams"], nameof(AcceptedReply.Unclear) },
        };

    [Theory, MemberData(nameof(Accepts))]
    public void A_client_gets_an_event_stream_where_it_names_that_and_json_where_it_reads_json_only(string[] accept, string reply)
    {
        var request = new DefaultHttpContext().Request;
        if (accept.Length > 0)
        {
            request.Headers.Accept = accept;
        }

        Assert.Equal(reply, AcceptedReplies.Of(request).ToString());
    }
}
