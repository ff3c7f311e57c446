using System.Buffers;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Tenancy.Adcp;
using Tenancy.Mcp;

namespace Tenancy.Tests.Adcp;

/// <summary>What stands in an answer beside what a handler says, and that nothing stands there twice.</summary>
public sealed class ToolWireTests
{
    private const string Version = ",\"adcp_version\":\"3.0\"";
    private static readonly AdcpSerializer Serializer = new(Options.Create(new AdcpOptions()), NullLogger<AdcpSerializer>.Instance);
    private static readonly ToolWire<ReadRequest, OwnResponse> Reads = new(Serializer);
    private static readonly ToolWire<WriteRequest, OwnResponse> Writes = new(Serializer);

    [Theory]
    [InlineData("{}", """{"status":"completed"}""")]
    [InlineData("""{"text":"a"}""", """{"text":"a","status":"completed"}""")]
    [InlineData("""{"status":"submitted"}""", """{"status":"submitted"}""")]
    [InlineData("""{"status":null}""", """{"status":"completed"}""")]
    [InlineData("""{"x":1}""", """{"x":1,"status":"completed"}""")]
    public void An_answer_that_has_no_status_is_complete(string answer, string written) =>
        Assert.Equal($"{written[..^1]}{Version}}}", Answer(answer));

    [Fact]
    public void A_status_that_the_type_does_not_know_is_the_answers_own()
    {
        var wire = new ToolWire<ReadRequest, GetProductsResponse>(Serializer);
        var response = new GetProductsResponse { Products = [], Extensions = Extensions("""{"status":"submitted","task_id":"t"}""") };
        Assert.Equal($$"""{"products":[],"status":"submitted","task_id":"t"{{Version}}}""", Text(wire.Answer(response, new ReadRequest())));
    }

    [Theory]
    [InlineData("{\"a\":[1.0,\"\\u00e9<\\\"\",null]}", "{\"a\":[1.0,\"é<\\\"\",null]}")]
    [InlineData("\"x\"", "\"x\"")]
    [InlineData("0", "0")]
    [InlineData("false", "false")]
    [InlineData("[]", "[]")]
    [InlineData("null", null)]
    [InlineData(null, null)]
    public void The_buyers_context_comes_back(string? context, string? written)
    {
        var expected = Version + (written is null ? "" : $",\"context\":{written}");
        Assert.Equal($"{{\"status\":\"completed\"{expected}}}", Answer("{}", context));
        Assert.Equal(
            $"{{\"status\":\"completed\",\"idempotency_key\":\"key\"{expected}}}",
            Text(Stored(new OwnResponse(), false, Context(context)))
        );
        Assert.Equal(
            $"{{\"status\":\"completed\",\"replayed\":true,\"idempotency_key\":\"key\"{expected}}}",
            Text(Stored(new OwnResponse(), true, Context(context)))
        );
        var error = $"{{\"code\":\"CONFLICT\",\"message\":\"m\",\"recovery\":\"{AdcpError.Conflict.Recovery}\"}}";
        Assert.Equal(
            $"{{\"adcp_error\":{error},\"errors\":[{error}],\"status\":\"failed\"{expected}}}",
            Text(ToolWire<ReadRequest, OwnResponse>.Refuse(new(AdcpError.Conflict, "m"), new ReadRequest { Context = Context(context) }))
        );
    }

    [Theory]
    [InlineData("""{"context":{"mine":1}}""", "1", """{"status":"completed","context":1}""")]
    [InlineData("""{"context":{"mine":1}}""", null, """{"status":"completed"}""")]
    [InlineData("""{"text":"declared","status":"s"}""", null, """{"status":"s","text":"declared"}""")]
    public void An_extension_with_the_name_of_a_member_of_the_envelope_does_not_stand_there(
        string extensions,
        string? context,
        string written
    ) =>
        AssertSame(
            written,
            Text(Reads.Answer(new OwnResponse { Extensions = Extensions(extensions) }, new ReadRequest { Context = Context(context) }))
        );

    [Fact]
    public void An_extension_with_the_name_of_a_field_that_is_written_does_not_stand_there_at_any_depth()
    {
        var response = new OwnResponse
        {
            Text = "mine",
            Status = "submitted",
            Part = new() { Name = "part", Extensions = Extensions("""{"name":"another","more":1}""") },
            Parts = [new() { Name = "first", Extensions = Extensions("""{"name":[],"more":2}""") }],
            Extensions = Extensions(
                """{"text":"another","status":"failed","part":{},"context":1,"replayed":false,"idempotency_key":"x","more":3}"""
            ),
        };
        const string Own = """
            "text":"mine","status":"submitted","part":{"name":"part","more":1},"parts":[{"name":"first","more":2}],"more":3
            """;
        AssertSame($$"""{{{Own}},"context":{"a":1} }""", Text(Stored(response, false, Context("{\"a\":1}"))), "idempotency_key");
        AssertSame(
            $$"""{{{Own}},"replayed":false,"idempotency_key":"x","context":{"a":1} }""",
            Text(Reads.Answer(response, new ReadRequest { Context = Context("{\"a\":1}") }))
        );

        // The handler may use its own object again.
        Assert.Equal(7, response.Extensions!.Count);
    }

    [Fact]
    public void A_response_type_that_declares_a_member_of_the_envelope_is_refused_when_its_tool_is_built()
    {
        Assert.Contains(
            "'context'",
            Assert.Throws<InvalidOperationException>(() => new ToolWire<ReadRequest, ContextResponse>(Serializer)).Message,
            StringComparison.Ordinal
        );
        Assert.Contains(
            "'replayed'",
            Assert.Throws<InvalidOperationException>(() => new ToolWire<WriteRequest, ReplayedResponse>(Serializer)).Message,
            StringComparison.Ordinal
        );

        // Answers without a key are not replayed.
        _ = new ToolWire<ReadRequest, ReplayedResponse>(Serializer);
    }

    [Fact]
    public void An_answer_that_breaks_off_leaves_nothing_in_the_next_one()
    {
        // A value that is none cannot be written, which is noticed half-way.
        var broken = Reads.Answer(
            new OwnResponse
            {
                Text = "half",
                Extensions = new Dictionary<string, JsonElement> { ["x"] = default },
            },
            new ReadRequest()
        );
        Assert.Throws<InvalidOperationException>(() => Text(broken));
        Assert.Equal($$"""{"text":"a","status":"completed"{{Version}}}""", Answer("""{"text":"a"}"""));
    }

    private static string Answer(string answer, string? context = null) =>
        Text(
            Reads.Answer(
                JsonSerializer.Deserialize(answer, Serializer.TypeInfo<OwnResponse>())!,
                new ReadRequest { Context = Context(context) }
            )
        );

    private static ToolAnswer Stored(OwnResponse response, bool isReplay, JsonElement? context) =>
        ToolWire<WriteRequest, OwnResponse>.Answer(new(Writes.Write(response), isReplay), "key", new WriteRequest { Context = context });

    private static string Text(ToolAnswer answer)
    {
        var output = new ArrayBufferWriter<byte>();
        answer.WriteTo(output);
        return Encoding.UTF8.GetString(output.WrittenSpan);
    }

    // The same members, each of them once.
    private static void AssertSame(string expected, string written, string? but = null)
    {
        using var document = JsonDocument.Parse(written, new() { AllowDuplicateProperties = false });
        var members = document
            .RootElement.EnumerateObject()
            .Where(member => member.Name != but && member.Name != "adcp_version")
            .Select(member => $"{member.Name} {member.Value.GetRawText()}");
        Assert.Equal(
            JsonElement
                .Parse(expected)
                .EnumerateObject()
                .Select(member => $"{member.Name} {member.Value.GetRawText()}")
                .Order(StringComparer.Ordinal),
            members.Order(StringComparer.Ordinal)
        );
    }

    [Theory]
    [InlineData("""{"int":5.0,"long":9007199254740993.0,"maybe":1e2,"list":[1,2.0],"part":{"byte":255.00}}""")]
    [InlineData("""{"int":50e-1,"long":9007199254740993,"maybe":100,"list":[1E0,2],"part":{"byte":25.5e1}}""")]
    [InlineData("""{"int":5,"long":9007199254740993,"maybe":100,"list":[1,2],"part":{"byte":255}}""")]
    public void A_whole_number_is_the_same_request_however_it_is_written(string json)
    {
        var wire = new ToolWire<NumbersRequest, OwnResponse>(Serializer);
        var (request, hash) = wire.Read(Encoding.UTF8.GetBytes(json[..^1] + ",\"idempotency_key\":\"0123456789abcdef\"}"));
        Assert.Equal((5, 9007199254740993, 100), (request.Int, request.Long, request.Maybe));
        Assert.Equal([1, 2], request.List!);
        Assert.Equal((byte)255, request.Part!.Byte);
        var plain = """{"int":5,"list":[1,2],"long":9007199254740993,"maybe":100,"part":{"byte":255}}""";
        var other = wire.Read(Encoding.UTF8.GetBytes(plain[..^1] + ",\"idempotency_key\":\"fedcba9876543210\"}"));
        Assert.Equal(other.Hash, hash);
    }

    [Theory]
    [InlineData("""{"int":5.5}""", "int")]
    [InlineData("""{"int":2147483648.0}""", "int")]
    [InlineData("""{"int":2147483648}""", "int")]
    [InlineData("""{"int":1e400}""", "int")]
    [InlineData("""{"int":1e-400}""", "int")]
    [InlineData("""{"int":"5"}""", "int")]
    [InlineData("""{"maybe":0.1}""", "maybe")]
    [InlineData("""{"list":[1,2.5]}""", "list[1]")]
    [InlineData("""{"part":{"byte":256.0}}""", "part.byte")]
    [InlineData("""{"part":{"byte":-1}}""", "part.byte")]
    public void A_number_that_is_not_whole_or_too_large_is_refused_at_its_place(string json, string field)
    {
        var refused = Assert.Throws<AdcpException>(() =>
            new ToolWire<NumbersRequest, OwnResponse>(Serializer).Read(Encoding.UTF8.GetBytes(json))
        );
        Assert.Equal(AdcpError.InvalidRequest, refused.Error);
        Assert.Equal(field, refused.Field);
    }

    [Fact]
    public void A_page_has_as_many_as_a_whole_number_says() =>
        Assert.Equal(
            5,
            new ToolWire<GetProductsRequest, GetProductsResponse>(Serializer)
                .Read("""{"brief":"x","pagination":{"max_results":5.0}}"""u8)
                .Request.Pagination!.MaxResults
        );

    private static JsonElement? Context(string? json) => json is null ? null : JsonElement.Parse(json);

    private static Dictionary<string, JsonElement> Extensions(string json) =>
        JsonElement.Parse(json).EnumerateObject().ToDictionary(member => member.Name, member => member.Value);

    internal sealed record ReadRequest : AdcpRequest;

    internal sealed record WriteRequest : AdcpRequest, IIdempotentRequest
    {
        public string IdempotencyKey { get; init; } = "";
    }

    internal sealed record NumbersRequest : AdcpRequest, IIdempotentRequest
    {
        public string IdempotencyKey { get; init; } = "";

        public int Int { get; init; }

        public long Long { get; init; }

        public int? Maybe { get; init; }

        public IReadOnlyList<int>? List { get; init; }

        public NumbersPart? Part { get; init; }
    }

    internal sealed record NumbersPart
    {
        public byte? Byte { get; init; }
    }

    internal sealed record Part : AdcpObject
    {
        public required string Name { get; init; }
    }

    internal sealed record OwnResponse : AdcpResponse
    {
        public string? Text { get; init; }

        public string? Status { get; init; }

        public Part? Part { get; init; }

        public IReadOnlyList<Part>? Parts { get; init; }
    }

    internal sealed record ContextResponse : AdcpResponse
    {
        public string? Context { get; init; }
    }

    internal sealed record ReplayedResponse : AdcpResponse
    {
        public bool Replayed { get; init; }
    }
}
