using System.Buffers;
using System.Text.Json;
using System.Text.Json.Nodes;
using ModelContextProtocol.Protocol;

namespace Tenancy.Mcp.Requests;

/// <summary>
/// What a message says at its beginning, read while the rest of its body still arrives: who may not call what it calls, or sends no JSON,
/// is told so before all of it is there. What is let pass is read once more as a whole, by <see cref="MessageHead"/>.
/// </summary>
/// <remarks>
/// Where a member stands twice, the first one counts here: it can only be a reason to refuse, as the whole would be refused for the second.
/// </remarks>
internal struct ArrivingHead
{
    private const int MaxReadAgain = 4096;

    private JsonReaderState _state;
    private Member _member;
    private long _read;
    private long _next;

    private enum Member
    {
        Other,
        Id,
        Method,
        Parameters,
        Name,
    }

    /// <summary>Gets the id; null where it did not come yet.</summary>
    public JsonNode? Id { get; private set; }

    /// <summary>Gets the method; null where it did not come yet.</summary>
    public string? Method { get; private set; }

    /// <summary>Gets the name of the tool that is called; null where it did not come yet.</summary>
    public string? Tool { get; private set; }

    /// <summary>Gets whether what came is no JSON, whatever follows.</summary>
    public bool IsBroken { get; private set; }

    /// <summary>Gets whether it is known what is called.</summary>
    public readonly bool IsKnown => Method is not null && (Method is not RequestMethods.ToolsCall || Tool is not null);

    /// <summary>Reads on.</summary>
    /// <param name="body">All that came of the body.</param>
    /// <returns>Whether it was looked at: of a long text more has to come first.</returns>
    public bool Read(ReadOnlySequence<byte> body)
    {
        if (IsKnown || IsBroken || body.Length < _next || (_read == 0 && !TryPassMark(body)))
        {
            return false;
        }

        var reader = new Utf8JsonReader(body.Slice(_read), isFinalBlock: false, _state);
        try
        {
            while (!IsKnown && reader.Read())
            {
                Note(ref reader);
            }
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            // The latter is what a text throws that is no Unicode.
            IsBroken = true;
        }

        _read += reader.BytesConsumed;
        _state = reader.CurrentState;

        // A text that has not ended is read from its beginning the next time. So of a long one that is when there is twice as much of it.
        var rest = body.Length - _read;
        _next = rest > MaxReadAgain ? body.Length + rest : 0;
        return true;
    }

    // False where more has to come before it is known whether the body begins with one.
    private bool TryPassMark(ReadOnlySequence<byte> body)
    {
        Span<byte> beginning = stackalloc byte[RequestBody.ByteOrderMark.Length];
        beginning = beginning[..(int)Math.Min(body.Length, beginning.Length)];
        body.Slice(0, beginning.Length).CopyTo(beginning);
        if (!RequestBody.ByteOrderMark.StartsWith(beginning))
        {
            return true;
        }

        if (beginning.Length < RequestBody.ByteOrderMark.Length)
        {
            return false;
        }

        _read = beginning.Length;
        return true;
    }

    private void Note(ref Utf8JsonReader reader)
    {
        if (reader.TokenType == JsonTokenType.PropertyName)
        {
            _member = reader.CurrentDepth switch
            {
                1 => MemberOf(ref reader),
                2 when _member is Member.Parameters or Member.Name => reader.ValueTextEquals("name"u8) ? Member.Name : Member.Parameters,
                _ => _member,
            };
            return;
        }

        switch (_member, reader.CurrentDepth, reader.TokenType)
        {
            case (Member.Method, 1, JsonTokenType.String):
                Method ??= reader.GetString();
                break;
            case (Member.Name, 2, JsonTokenType.String):
                Tool ??= reader.GetString();
                break;
            case (Member.Id, 1, JsonTokenType.String):
                Id ??= JsonValue.Create(reader.GetString());
                break;
            case (Member.Id, 1, JsonTokenType.Number):
                Id ??= JsonNode.Parse(reader.HasValueSequence ? reader.ValueSequence.ToArray() : reader.ValueSpan);
                break;
            default:
                // Not before its place.
                break;
        }
    }

    private static Member MemberOf(ref Utf8JsonReader name) =>
        name.ValueTextEquals("id"u8) ? Member.Id
        : name.ValueTextEquals("method"u8) ? Member.Method
        : name.ValueTextEquals("params"u8) ? Member.Parameters
        : Member.Other;
}
