using System.Text;
using System.Text.Json;
using ModelContextProtocol.Protocol;

namespace Tenancy.Mcp.Requests;

/// <summary>
/// What is read of a JSON-RPC message before anybody acts on it: its method, its id, and where in the body the parts of a tool call stand.
/// It is read in one pass, without a tree.
/// </summary>
/// <remarks>
/// The reader refuses only what two readers could take for two different messages: a member that stands twice, or in another spelling. What
/// is merely unusual is not <see cref="IsPlain"/>, and is left to the MCP SDK, which says what is wrong with it.
/// </remarks>
internal struct MessageHead
{
    private const string Notifications = "notifications/";

    private const string Reserved = "io.modelcontextprotocol/";

    // The MCP SDK reads the members of "params" without regard to case.
    private static readonly string[] ParameterNames = ["name", "arguments", "_meta", "task"];

    private bool _hasOutcome;

    [Flags]
    private enum Member
    {
        Other = 0,
        JsonRpc = 1,
        Id = 2,
        Method = 4,
        Parameters = 8,
        Name = 16,
        Arguments = 32,
        Meta = 64,
        RequestId = 128,
        Version = 256,
        Capabilities = 512,
        Client = 1024,
        Result = 2048,
        Error = 4096,
    }

    /// <summary>Gets the method; null in an answer to a question of the server's, and where there is none.</summary>
    public string? Method { get; private set; }

    /// <summary>
    /// Gets whether a member stands twice, or in a spelling that differs by case only: readers differ in which one counts (RFC 8259,
    /// section 4), and the MCP SDK has three rules for it: findings/mcp-csharp-sdk-repeated-member.sh.
    /// </summary>
    public bool IsAmbiguous { get; private set; }

    /// <summary>Gets why the JSON is no message of JSON-RPC 2.0; null where it is one.</summary>
    public string? Mistake { get; private set; }

    /// <summary>Gets whether there are parameters, and no object of them.</summary>
    public bool HasOddParameters { get; private set; }

    /// <summary>Gets whether nothing about the message is unusual, so that it can be answered without the MCP SDK.</summary>
    public bool IsPlain { get; private set; }

    /// <summary>Gets whether the message says which revision of the protocol it speaks, as messages do since 2026-07-28.</summary>
    public bool DeclaresVersion { get; private set; }

    /// <summary>Gets whether <c>_meta</c> has a name that the protocol reserves, which means nothing before 2026-07-28.</summary>
    public bool HasReservedMeta { get; private set; }

    /// <summary>Gets where the id stands: a JSON text or number; empty where there is none.</summary>
    public Range Id { get; private set; }

    /// <summary>Gets where the parameters stand: a JSON object; empty where there are none.</summary>
    public Range Parameters { get; private set; }

    /// <summary>Gets where the tool's name stands, in its quotes; empty where there is none.</summary>
    public Range Name { get; private set; }

    /// <summary>Gets where the arguments stand: a JSON object; empty where there are none.</summary>
    public Range Arguments { get; private set; }

    /// <summary>Gets where <c>_meta</c> stands; empty where there is none.</summary>
    public Range Meta { get; private set; }

    /// <summary>Gets where the revision stands that <c>_meta</c> declares, in its quotes; empty where there is none.</summary>
    public Range Version { get; private set; }

    /// <summary>Gets where the client's capabilities stand; empty where there are none.</summary>
    public Range Capabilities { get; private set; }

    /// <summary>Gets where the client says what it is; empty where it does not.</summary>
    public Range Client { get; private set; }

    /// <summary>Gets where the id of the request stands that a cancellation is about; empty where there is none.</summary>
    public Range CancelledId { get; private set; }

    /// <summary>Gets whether the message asks for an answer.</summary>
    public readonly bool IsRequest => Method is not null && !IsEmpty(Id);

    /// <summary>Gets whether the message answers a question of the server's.</summary>
    public readonly bool IsAnswer => Method is null && _hasOutcome && !IsEmpty(Id);

    /// <summary>Gets whether the message calls a tool.</summary>
    public readonly bool IsCall => Method is RequestMethods.ToolsCall;

    /// <summary>Whether nothing stands there.</summary>
    public static bool IsEmpty(Range range) => range.Equals(default);

    /// <summary>Reads a body.</summary>
    /// <returns>False where it is not one JSON text, or has a text in it that is no Unicode.</returns>
    public static bool TryRead(ReadOnlySpan<byte> body, out MessageHead head)
    {
        head = new() { IsPlain = true };
        if (!UnicodeTexts.AreIn(body))
        {
            return false;
        }

        var reader = new Utf8JsonReader(body);
        try
        {
            if (!reader.Read())
            {
                return false;
            }

            head.ReadRoot(ref reader);
            return !reader.Read();
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private void ReadRoot(ref Utf8JsonReader reader)
    {
        if (reader.TokenType == JsonTokenType.StartObject)
        {
            ReadMessage(ref reader);
            return;
        }

        (IsPlain, Mistake) = (false, "it must be one object, and several are sent one by one");
        reader.Skip();
    }

    private void ReadMessage(ref Utf8JsonReader reader)
    {
        var seen = Member.Other;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var member =
                reader.ValueTextEquals("jsonrpc"u8) ? Member.JsonRpc
                : reader.ValueTextEquals("id"u8) ? Member.Id
                : reader.ValueTextEquals("method"u8) ? Member.Method
                : reader.ValueTextEquals("params"u8) ? Member.Parameters
                : reader.ValueTextEquals("result"u8) ? Member.Result
                : reader.ValueTextEquals("error"u8) ? Member.Error
                : Member.Other;
            _hasOutcome |= member is Member.Result or Member.Error;
            Note(member, ref seen);
            reader.Read();
            ReadMember(member, ref reader);
        }

        const Member Needed = Member.JsonRpc | Member.Id | Member.Method;
        const Member Answers = Member.Result | Member.Error;
        Mistake ??=
            (seen & Member.JsonRpc) == 0 ? "its jsonrpc must be \"2.0\""
            : (seen & Member.Method) == 0 && (seen & Answers) is 0 or Answers ? "it needs a method, or else a result or an error"
            : (seen & (Member.Method | Member.Id)) == 0 ? "its id is missing"
            : (seen & Member.Id) == 0 && Method?.StartsWith(Notifications, StringComparison.Ordinal) is false
                ? $"its id is missing: without one, {Method} would be a notification"
            : null;
        IsPlain &= (seen & Needed) == Needed && !IsAmbiguous && Mistake is null && (!IsCall || !IsEmpty(Name));
    }

    private void ReadMember(Member member, ref Utf8JsonReader reader)
    {
        switch (member, reader.TokenType)
        {
            case (Member.JsonRpc, JsonTokenType.String) when reader.ValueTextEquals("2.0"u8):
                break;
            case (Member.Id, JsonTokenType.String):
                // The answer repeats the id as it stands, which is what the SDK writes where it has no escapes.
                IsPlain &= !reader.ValueIsEscaped;
                Id = Token(ref reader);
                break;
            case (Member.Id, JsonTokenType.Number) when reader.TryGetInt64(out _):
                IsPlain &= reader.ValueSpan is not [(byte)'-', (byte)'0', ..];
                Id = Token(ref reader);
                break;
            case (Member.Method, JsonTokenType.String):
                Method = ReadMethod(ref reader);
                IsPlain &= Method is RequestMethods.ToolsCall or RequestMethods.ToolsList;
                break;
            case (Member.Parameters, JsonTokenType.StartObject):
                var start = (int)reader.TokenStartIndex;
                ReadParameters(ref reader);
                Parameters = start..(int)reader.BytesConsumed;
                break;
            default:
                IsPlain = false;
                HasOddParameters |= member == Member.Parameters && reader.TokenType != JsonTokenType.Null;
                Mistake ??= Explain(member, reader.TokenType);
                reader.Skip();
                break;
        }
    }

    private static string? Explain(Member member, JsonTokenType token) =>
        (member, token) switch
        {
            (Member.JsonRpc, _) => "its jsonrpc must be \"2.0\"",
            (Member.Id, _) => "its id must be a text or a whole number",
            (Member.Method, _) => "its method must be a text",
            (Member.Result, not JsonTokenType.StartObject) => "its result must be an object",
            (Member.Error, not JsonTokenType.StartObject) => "its error must be an object",
            _ => null,
        };

    // The methods that come often are texts that are there already.
    private static string? ReadMethod(ref Utf8JsonReader reader) =>
        reader.ValueTextEquals("tools/call"u8) ? RequestMethods.ToolsCall
        : reader.ValueTextEquals("tools/list"u8) ? RequestMethods.ToolsList
        : reader.ValueTextEquals("initialize"u8) ? RequestMethods.Initialize
        : reader.ValueTextEquals("ping"u8) ? RequestMethods.Ping
        : reader.GetString();

    private void ReadParameters(ref Utf8JsonReader reader)
    {
        var seen = Member.Other;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var member =
                reader.ValueTextEquals("name"u8) ? Member.Name
                : reader.ValueTextEquals("arguments"u8) ? Member.Arguments
                : reader.ValueTextEquals("_meta"u8) ? Member.Meta
                : reader.ValueTextEquals("requestId"u8) ? Member.RequestId
                : Member.Other;
            IsAmbiguous |= member == Member.Other && IsMisspelt(ref reader);
            Note(member, ref seen);
            reader.Read();
            ReadParameter(member, ref reader);
        }
    }

    private void ReadParameter(Member member, ref Utf8JsonReader reader)
    {
        switch (member, reader.TokenType)
        {
            case (Member.Name, JsonTokenType.String):
                IsPlain &= !reader.ValueIsEscaped;
                Name = Token(ref reader);
                break;
            case (Member.Arguments, JsonTokenType.StartObject):
                Arguments = Value(ref reader);
                break;
            case (Member.Meta, JsonTokenType.StartObject):
                ReadMeta(ref reader);
                break;
            case (Member.RequestId, JsonTokenType.String or JsonTokenType.Number):
                CancelledId = Token(ref reader);
                IsPlain = false;
                break;
            default:
                // A cursor, a task, an answer to a question of the server's, or what a later revision brings.
                IsPlain = false;
                reader.Skip();
                break;
        }
    }

    private void ReadMeta(ref Utf8JsonReader reader)
    {
        var (seen, start) = (Member.Other, (int)reader.TokenStartIndex);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var member = MetaMember(ref reader);
            Note(member, ref seen);
            reader.Read();
            ReadMetaMember(member, ref reader);
        }

        Meta = start..(int)reader.BytesConsumed;
    }

    // A call that asks for progress needs the SDK's server, and so does whatever else the protocol reserves. A name with escapes could be
    // any of them.
    private Member MetaMember(ref Utf8JsonReader reader)
    {
        var isReserved = reader.ValueSpan.StartsWith("io.modelcontextprotocol/"u8);
        HasReservedMeta |= isReserved || (reader.ValueIsEscaped && reader.GetString()!.StartsWith(Reserved, StringComparison.Ordinal));
        IsPlain &= !reader.ValueIsEscaped && !reader.ValueTextEquals("progressToken"u8);
        var member =
            reader.ValueTextEquals("io.modelcontextprotocol/protocolVersion"u8) ? Member.Version
            : reader.ValueTextEquals("io.modelcontextprotocol/clientCapabilities"u8) ? Member.Capabilities
            : reader.ValueTextEquals("io.modelcontextprotocol/clientInfo"u8) ? Member.Client
            : Member.Other;
        IsPlain &= !isReserved || member != Member.Other;
        DeclaresVersion |= member == Member.Version;
        return member;
    }

    private void ReadMetaMember(Member member, ref Utf8JsonReader reader)
    {
        switch (member, reader.TokenType)
        {
            case (Member.Version, JsonTokenType.String):
                Version = Token(ref reader);
                break;
            case (Member.Capabilities, JsonTokenType.StartObject):
                Capabilities = Value(ref reader);
                break;
            case (Member.Client, JsonTokenType.StartObject):
                Client = Value(ref reader);
                break;
            default:
                IsPlain &= member == Member.Other;
                reader.Skip();
                break;
        }
    }

    private void Note(Member member, ref Member seen)
    {
        IsAmbiguous |= (seen & member) != 0;
        seen |= member;
    }

    private static bool IsMisspelt(ref Utf8JsonReader reader)
    {
        // As it stands, which takes no string. Only a name with escapes or beyond ASCII has to be read for that.
        if (reader.ValueIsEscaped || !Ascii.IsValid(reader.ValueSpan))
        {
            return ParameterNames.Contains(reader.GetString(), StringComparer.OrdinalIgnoreCase);
        }

        foreach (var name in ParameterNames)
        {
            if (Ascii.EqualsIgnoreCase(reader.ValueSpan, name) && !Ascii.Equals(reader.ValueSpan, name))
            {
                return true;
            }
        }

        return false;
    }

    private static Range Token(ref Utf8JsonReader reader) => (int)reader.TokenStartIndex..(int)reader.BytesConsumed;

    private static Range Value(ref Utf8JsonReader reader)
    {
        var start = (int)reader.TokenStartIndex;
        reader.Skip();
        return start..(int)reader.BytesConsumed;
    }
}
