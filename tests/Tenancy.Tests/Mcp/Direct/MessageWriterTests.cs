using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using CsCheck;

namespace Tenancy.Tests.Mcp.Direct;

/// <summary>JSON that is written into a JSON text comes out of it as it was, whatever is in it and wherever.</summary>
public sealed class MessageWriterTests
{
    private static readonly JsonSerializerOptions[] Encoders = [new(), new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }];

    [Fact]
    public void A_mark_is_escaped_at_every_place_of_every_length()
    {
        for (var length = 0; length <= 200; length++)
        {
            var json = new byte[length];
            Array.Fill(json, (byte)'x');
            AssertComesBack(json);
            for (var place = 0; place < length; place++)
            {
                foreach (var mark in "\"\\"u8)
                {
                    json[place] = mark;
                    AssertComesBack(json);
                }

                json[place] = (byte)'x';
            }
        }
    }

    [Fact]
    public void Texts_of_marks_only_are_escaped_mark_by_mark()
    {
        for (var length = 0; length <= 200; length++)
        {
            AssertComesBack([.. Enumerable.Repeat((byte)'"', length)]);
            AssertComesBack([.. Enumerable.Repeat((byte)'\\', length)]);
            AssertComesBack([
                .. Enumerable
                    .Range(0, length)
                    .Select(place =>
                        place % 3 == 0 ? (byte)'\\'
                        : place % 3 == 1 ? (byte)'"'
                        : (byte)'a'
                    ),
            ]);
        }
    }

    [Fact]
    public void What_any_json_says_is_what_its_text_says() =>
        Gen.Select(Gen.String.Array[0, 12], Gen.Int[0, 1])
            .Sample(
                (texts, encoder) =>
                {
                    // Pairs only: half a surrogate has no UTF-8 and comes in no answer.
                    JsonNode node = new JsonArray([.. texts.Select(text => (JsonNode)new JsonObject { [Well(text)] = Well(text) })]);
                    AssertComesBack(Encoding.UTF8.GetBytes(node.ToJsonString(Encoders[encoder])));
                },
                iter: 5_000
            );

    [Theory]
    [InlineData((64 * 1024) - 1)]
    [InlineData(64 * 1024)]
    [InlineData((64 * 1024) + 1)]
    [InlineData(1024 * 1024)]
    public void A_long_message_arrives_whole_and_its_neighbours_are_left_alone(int length)
    {
        var output = new ExactPipe();
        var expected = new byte[length];
        new Random(length).NextBytes(expected);
        foreach (var part in new[] { 1, length })
        {
            var message = new MessageWriter(output, part);
            message.Write(expected.AsSpan(0, part));
            message.Complete();
        }

        Assert.Equal([expected[0], .. expected], output.Written);
    }

    private static string Well(string text) => Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text));

    // As an answer has it: the length is known before, and there is not a byte more room.
    private static void AssertComesBack(byte[] json)
    {
        var output = new ExactPipe();
        var marks = (json.AsSpan().Count((byte)'"') * (MessageWriter.Quote.Length - 1)) + json.AsSpan().Count((byte)'\\');
        var message = new MessageWriter(output, json.Length + marks + 2);
        message.Write("\""u8);
        message.WriteEscaped(json);
        message.Write("\""u8);
        message.Complete();
        Assert.Equal(json.Length + marks + 2, output.Written.Length);
        Assert.Equal(json, Encoding.UTF8.GetBytes(JsonSerializer.Deserialize<string>(output.Written)!));

        // The SDK writes a quote so, and a backslash as JSON's shortest form is.
        Assert.Equal(
            Encoding
                .UTF8.GetString(json)
                .Replace("\\", "\\\\", StringComparison.Ordinal)
                .Replace("\"", JsonSerializer.Serialize("\"").Trim('"'), StringComparison.Ordinal),
            Encoding.UTF8.GetString(output.Written)[1..^1]
        );
    }

    /// <summary>Gives exactly as much room as was asked for, so that who writes beyond it is found out.</summary>
    private sealed class ExactPipe : PipeWriter
    {
        private readonly ArrayBufferWriter<byte> _written = new();
        private byte[] _span = [];

        public byte[] Written => _written.WrittenSpan.ToArray();

        public override Memory<byte> GetMemory(int sizeHint = 0) => _span = new byte[sizeHint == 0 ? 4096 : sizeHint];

        public override Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

        public override void Advance(int bytes) => _written.Write(_span.AsSpan(0, bytes));

        public override void CancelPendingFlush() { }

        public override void Complete(Exception? exception = null) { }

        public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) => default;
    }
}
