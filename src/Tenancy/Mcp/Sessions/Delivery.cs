using System.Buffers.Text;
using System.Security.Claims;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Tenancy.Mcp.Sessions;

/// <summary>
/// What a client told a session, on its way to the node that can act upon it. The node that took it has checked that the session is the
/// caller's.
/// </summary>
/// <param name="Id">By which the node that acts upon it says so.</param>
/// <param name="Handle">The hash of the session's id.</param>
/// <param name="Kind">What is told.</param>
/// <param name="Subject">The request that is cancelled or the question that is answered, as <c>RequestIds</c> reads it.</param>
/// <param name="User">Who tells it, as the MCP SDK compares users; null where it has none.</param>
/// <param name="Message">The message, as the client sent it; of a log level that alone.</param>
internal sealed record Delivery(string Id, string Handle, DeliveryKind Kind, string Subject, DeliveryUser? User, byte[] Message)
{
    /// <summary>Writes it without blanks, as messages between nodes are.</summary>
    public string Write() => Base64Url.EncodeToString(JsonSerializer.SerializeToUtf8Bytes(this, DeliveryJson.Default.Delivery));

    /// <summary>Reads it; null for one of a release that knows more.</summary>
    public static Delivery? Read(string text)
    {
        try
        {
            return JsonSerializer.Deserialize(Base64Url.DecodeFromChars(text), DeliveryJson.Default.Delivery);
        }
        catch (Exception exception) when (exception is JsonException or FormatException)
        {
            return null;
        }
    }
}

/// <summary>What is told to a session.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<DeliveryKind>))]
internal enum DeliveryKind
{
    /// <summary>That a request is cancelled.</summary>
    Cancellation,

    /// <summary>The answer to a question.</summary>
    Answer,

    /// <summary>What the client wants to hear of the server's log.</summary>
    LogLevel,
}

/// <summary>A user as the MCP SDK tells whether two are the same.</summary>
internal sealed record DeliveryUser(string Type, string Value, string Issuer)
{
    public static DeliveryUser? Of(ClaimsPrincipal user) =>
        user.Identity?.IsAuthenticated is true
        && (user.FindFirst(ClaimTypes.NameIdentifier) ?? user.FindFirst("sub") ?? user.FindFirst(ClaimTypes.Upn)) is { } claim
            ? new(claim.Type, claim.Value, claim.Issuer)
            : null;

    public ClaimsPrincipal ToPrincipal() => new(new ClaimsIdentity([new Claim(Type, Value, ClaimValueTypes.String, Issuer)], "node"));
}

[JsonSourceGenerationOptions(
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true
)]
[JsonSerializable(typeof(Delivery))]
internal sealed partial class DeliveryJson : JsonSerializerContext;
