using System.Buffers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Tenancy.Mcp;
using Tenancy.State;

namespace Tenancy.Adcp;

/// <summary>What a tool reads and writes: the one place where a request's bytes become its type, and an answer's type its bytes.</summary>
internal sealed class ToolWire<TRequest, TResponse>(AdcpSerializer serializer)
    where TRequest : AdcpRequest
    where TResponse : AdcpResponse
{
    private static readonly bool IsIdempotent = typeof(TRequest).IsAssignableTo(typeof(IIdempotentRequest));

    // Members that belong to one request, and not to the answer that may be replayed: they are written behind it.
    private static readonly string[] Envelope = IsIdempotent ? ["context", "idempotency_key", "replayed"] : ["context"];

    // It has an envelope of its own for what it refuses.
    private static readonly bool IsTestController = typeof(TResponse) == typeof(TestControllerResponse);

    private readonly JsonTypeInfo<TResponse> _responseType = WithoutEnvelope(serializer.TypeInfo<TResponse>());

    // An answer may have a status of its own. One that has none is complete.
    private readonly Func<object, object?>? _status = serializer
        .TypeInfo<TResponse>()
        .Properties.FirstOrDefault(property => property.Name == "status")
        ?.Get;

    /// <summary>Reads the arguments of a call.</summary>
    /// <exception cref="AdcpException">They are malformed; the field is named.</exception>
    public ToolArguments<TRequest> Read(ReadOnlySpan<byte> json) => new(serializer.Read<TRequest>(json), IsIdempotent ? Hash(json) : null);

    /// <summary>Checks a handler's answer.</summary>
    /// <exception cref="InvalidOperationException">It breaks a rule of its type, and the settings are strict.</exception>
    public TResponse Check(TResponse response)
    {
        serializer.Check(response);
        return response;
    }

    /// <summary>The answer to a request.</summary>
    public ToolAnswer Answer(TResponse response, AdcpRequest request) =>
        new TypedAnswer(this, response, request.Context)
        {
            IsError = IsTestController && response is TestControllerResponse { Success: false },
        };

    /// <summary>Writes an answer as it is stored: without what belongs to one request alone.</summary>
    public byte[] Write(TResponse response)
    {
        var output = new ArrayBufferWriter<byte>(1024);
        Write(response, output);
        output.Write("}"u8);
        return output.WrittenSpan.ToArray();
    }

    // Without its last brace: what belongs to the request follows.
    private void Write(TResponse response, IBufferWriter<byte> output)
    {
        using (var json = JsonScratch.Rent())
        {
            JsonSerializer.Serialize(json.Writer, WithoutEnvelope(response), _responseType);
            json.Writer.Flush();
            output.Write(json.Written[..^1]);
            if (_status?.Invoke(response) is null && response.Extensions?.ContainsKey("status") is not true)
            {
                output.Write(json.Written.Length > 2 ? ",\"status\":\"completed\""u8 : "\"status\":\"completed\""u8);
            }
        }
    }

    private static JsonTypeInfo<TResponse> WithoutEnvelope(JsonTypeInfo<TResponse> type) =>
        type.Properties.FirstOrDefault(property => Envelope.Contains(property.Name)) is { } field
            ? throw new InvalidOperationException(
                $"{typeof(TResponse).Name} has a field '{field.Name}', which every answer has of the request: give it another name."
            )
            : type;

    // A handler may pass on an extension that has the name of such a member: the one of the request counts.
    private static TResponse WithoutEnvelope(TResponse response) =>
        response.Extensions is { Count: > 0 } extensions && Array.Exists(Envelope, extensions.ContainsKey)
            ? (TResponse)(
                (AdcpResponse)response with
                {
                    Extensions = extensions.Where(extension => !Envelope.Contains(extension.Key)).ToDictionary(StringComparer.Ordinal),
                }
            )
            : response;

    private static string Hash(ReadOnlySpan<byte> json)
    {
        try
        {
            return RequestHash.Compute(json, AdcpRequestHash.Omitted);
        }
        catch (FormatException)
        {
            throw new AdcpException(
                AdcpError.InvalidRequest,
                "The request has a text that is no Unicode, a number that no double can hold, or a member twice."
            );
        }
    }

    private sealed class TypedAnswer(ToolWire<TRequest, TResponse> wire, TResponse response, JsonElement? context) : ToolAnswer
    {
        public override void WriteTo(IBufferWriter<byte> output)
        {
            wire.Write(response, output);
            AdcpAnswers.WriteContext(output, context);
            output.Write("}"u8);
        }
    }
}

/// <summary>The arguments of a call as they were read.</summary>
/// <param name="Request">The request; it is valid.</param>
/// <param name="Hash">What tells it from another request with the same idempotency key; null where it has no such key.</param>
internal readonly record struct ToolArguments<TRequest>(TRequest Request, string? Hash);
