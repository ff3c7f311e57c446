using System.Buffers;
using System.Text;
using Tenancy.Mcp.Requests;

namespace Tenancy.Tests.Mcp.Requests;

/// <summary>What a message says at its beginning, however it is cut into pieces on its way.</summary>
public sealed class ArrivingHeadTests
{
    [Theory]
    [InlineData("""{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"who","arguments":{"a":"b""", "tools/call", "who", "7")]
    [InlineData(
        """{"method":"tools/call","params":{"_meta":{"name":"x"},"arguments":{"name":"y"},"name":"who" """,
        "tools/call",
        "who",
        null
    )]
    [InlineData("""{"params":{"n\u0061me":"who"},"id":"a\u0062","method":"tools/call",""", "tools/call", "who", "\"ab\"")]
    [InlineData("""{"x":{"method":"a","params":{"name":"q"}},"method":"ping",""", "ping", null, null)]
    [InlineData("""{"name":"x","method":"tools/call","params":[{"name":"q"}],""", "tools/call", null, null)]
    [InlineData("""{"method":5,"params":{"name":5},""", null, null, null)]
    [InlineData("""{"method":"tools/call","params":{"arguments":{"a":"and so on""", "tools/call", null, null)]
    public void What_is_called_is_known_as_soon_as_it_is_said(string beginning, string? method, string? tool, string? id)
    {
        foreach (var piece in new[] { 1, 2, 7, 1000 })
        {
            var head = Read(beginning, piece);
            Assert.Equal((method, tool, id), (head.Method, head.Tool, head.Id?.ToJsonString()));
            Assert.False(head.IsBroken);
            Assert.Equal(method is not null && (method != "tools/call" || tool is not null), head.IsKnown);
        }
    }

    [Fact]
    public void A_byte_order_mark_is_passed_over_however_it_is_cut()
    {
        foreach (var piece in new[] { 1, 2, 3, 4, 1000 })
        {
            var head = Read("\uFEFF{\"id\":7,\"method\":\"ping\",", piece);
            Assert.Equal(("ping", "7", false), (head.Method, head.Id?.ToJsonString(), head.IsBroken));
            Assert.True(Read("\uFEFF\uFEFF{}", piece).IsBroken);
            Assert.True(Read("{\uFEFF\"id\":7,", piece).IsBroken);
        }
    }

    [Theory]
    [InlineData("nonsense")]
    [InlineData("{]")]
    [InlineData("{\"id\":\"a\" \"method\":\"b\"")]
    [InlineData("""{"method":"\ud800",""")]
    public void What_is_no_json_is_known_before_its_end(string beginning)
    {
        foreach (var piece in new[] { 1, 3, 1000 })
        {
            Assert.True(Read(beginning, piece).IsBroken, beginning);
        }
    }

    [Fact]
    public void A_text_without_end_is_not_read_again_with_each_of_its_pieces()
    {
        var body = Encoding.UTF8.GetBytes("{\"params\":{\"arguments\":\"" + new string('a', 4_000_000));
        var head = new ArrivingHead();
        var before = GC.GetAllocatedBytesForCurrentThread();
        var looks = 0;
        for (var length = 1000; length < body.Length; length += 1000)
        {
            looks += head.Read(new ReadOnlySequence<byte>(body, 0, length)) ? 1 : 0;
        }

        Assert.InRange(looks, 1, 20);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 100_000);
    }

    // Whatever came before is there again with each piece, in two segments, cut where the last one began.
    private static ArrivingHead Read(string text, int piece)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        var head = new ArrivingHead();
        for (var length = Math.Min(piece, bytes.Length); ; length = Math.Min(length + piece, bytes.Length))
        {
            var first = new Segment(bytes.AsMemory(0, length / 2));
            var last = first.Append(bytes.AsMemory(length / 2, length - (length / 2)));
            head.Read(new ReadOnlySequence<byte>(first, 0, last, last.Memory.Length));
            if (length == bytes.Length)
            {
                return head;
            }
        }
    }

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        public Segment(ReadOnlyMemory<byte> memory) => Memory = memory;

        public Segment Append(ReadOnlyMemory<byte> memory)
        {
            var next = new Segment(memory) { RunningIndex = RunningIndex + Memory.Length };
            Next = next;
            return next;
        }
    }
}
