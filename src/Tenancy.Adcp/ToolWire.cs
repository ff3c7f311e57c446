using System.Buffers;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using Tenancy.Mcp;
using Tenancy.State;

namespace Tenancy.Adcp;

/// <summary>
/// What a tool reads and writes, all of it: the schema of its request, how a request's bytes become its type and what is refused of them,
/// what tells a request from another with the same key, and how an answer becomes bytes again, with the buyer's own data in it.
/// </summary>
/// <remarks>
/// How types become JSON at all is <see cref="AdcpSerializer"/>'s, and what stands as attributes on their fields <see cref="WireRules"/>':
/// both are the same for all tools.
/// </remarks>
internal sealed class ToolWire<TRequest, TResponse>(AdcpSerializer serializer)
    where TRequest : AdcpRequest
    where TResponse : AdcpResponse
{
    // It has an envelope of its own for what it refuses.
    private static readonly bool IsTestController = typeof(TResponse) == typeof(TestControllerResponse);

    private static readonly bool CanCancel = typeof(TRequest).IsAssignableTo(typeof(UpdateMediaBuyRequest));

    private readonly JsonTypeInfo<TResponse> _responseType = WithoutEnvelope(serializer.TypeInfo<TResponse>());

    // An answer may have a status of its own. One that has none is complete.
    private readonly Func<object, object?>? _status = serializer
        .TypeInfo<TResponse>()
        .Properties.FirstOrDefault(property => property.Name == "status")
        ?.Get;

    /// <summary>Gets whether a request changes something, and carries a key for that.</summary>
    public static bool IsIdempotent { get; } = typeof(TRequest).IsAssignableTo(typeof(IIdempotentRequest));

    /// <summary>Gets the schema of a request, for models.</summary>
    public JsonElement Schema { get; } = serializer.Schema<TRequest>();

    /// <summary>Reads the arguments of a call.</summary>
    /// <exception cref="AdcpException">They are malformed; the field is named.</exception>
    public ToolArguments<TRequest> Read(ReadOnlySpan<byte> json)
    {
        var read = CanCancel ? CancelRequest.Reduce(json) : json;
        var request = Parse(read);
        RefuseOtherVersions(request.AdcpMajorVersion);
        RefuseOtherReleases(request.AdcpVersion);
        RefuseLargeContext(request.Context);
        serializer.Check(request);
        if (request is not IIdempotentRequest { IdempotencyKey: var key })
        {
            return new(request, null);
        }

        return RequestMembers.IsKey(key)
            ? new(request, Hash(json, read))
            : throw new AdcpException(
                AdcpError.InvalidRequest,
                "idempotency_key must have 16 to 255 characters of A-Z, a-z, 0-9 and _.:-",
                "idempotency_key"
            )
            {
                Keyword = "pattern",
            };
    }

    /// <summary>Checks a handler's answer.</summary>
    /// <exception cref="InvalidOperationException">It breaks a rule of its type, and the settings are strict.</exception>
    public TResponse Check(TResponse response)
    {
        serializer.CheckAnswer(response);
        return response;
    }

    /// <summary>The answer to a request.</summary>
    public ToolAnswer Answer(TResponse response, TRequest request) =>
        new TypedAnswer(this, response, request.Context)
        {
            IsError = IsTestController && response is TestControllerResponse { Success: false },
        };

    /// <summary>The answer to a request that is refused.</summary>
    public static ToolAnswer Refuse(AdcpException exception, TRequest request) => AdcpAnswers.Error(exception, request.Context);

    /// <summary>The answer to arguments that could not be read.</summary>
    public static ToolAnswer Refuse(AdcpException exception, ReadOnlySpan<byte> json) =>
        AdcpAnswers.Error(
            exception,
            RequestMembers.TryFind(json, "context"u8, out var context) && Length(context) <= AdcpAnswers.MaxContextBytes ? context : null
        );

    /// <summary>Writes an answer as it is stored: without what belongs to one request alone.</summary>
    public byte[] Write(TResponse response)
    {
        var output = new ArrayBufferWriter<byte>(1024);
        Write(response, output);
        output.Write("}"u8);
        return output.WrittenSpan.ToArray();
    }

    /// <summary>A stored answer, to one of the requests that get it.</summary>
    public static ToolAnswer Answer(KeyedOutcome.Done stored, string key, TRequest request) =>
        new StoredAnswer(stored, key, request.Context);

    private TRequest Parse(ReadOnlySpan<byte> json)
    {
        try
        {
            return serializer.Read<TRequest>(json);
        }
        catch (AdcpException)
        {
            // Who speaks another version may well send something else: that is what to say first.
            RefuseOtherVersions(
                RequestMembers.TryFind(json, "adcp_major_version"u8, out var value)
                && value.ValueKind == JsonValueKind.Number
                && value.TryGetDouble(out var version)
                && version is >= int.MinValue and <= int.MaxValue
                && double.IsInteger(version)
                    ? (int)version
                    : null
            );
            throw;
        }
    }

    private static void RefuseOtherVersions(int? version)
    {
        if (version is { } other && other != Capabilities.MajorVersion)
        {
            throw new AdcpException(
                AdcpError.VersionUnsupported,
                $"This seller speaks AdCP {Capabilities.MajorVersion}, not {other}.",
                "adcp_major_version"
            );
        }
    }

    // A buyer of a later release of the same major version is answered by this one, and told so.
    private static void RefuseOtherReleases(string? release)
    {
        if (release is not null && release != "3" && !release.StartsWith("3.", StringComparison.Ordinal))
        {
            throw new AdcpException(
                AdcpError.VersionUnsupported,
                $"This seller speaks AdCP {Capabilities.Release}, not {release}.",
                "adcp_version"
            )
            {
                Details = new() { ["supported_versions"] = new JsonArray(Capabilities.Release) },
            };
        }
    }

    // Before anything is done: an answer that has no room for it would say so when all is.
    private static void RefuseLargeContext(JsonElement? context)
    {
        if (context is { } value && Length(value) is var length and > AdcpAnswers.MaxContextBytes)
        {
            throw new AdcpException(
                AdcpError.ValidationError,
                $"context has {length} bytes, and {AdcpAnswers.MaxContextBytes} are the most: keep your data, and send what finds it.",
                "context"
            );
        }
    }

    // As it is written into an answer, whichever of JSON's forms it came in: what is one byte there may be six then, as an escape.
    private static int Length(JsonElement json)
    {
        if (JsonMarshal.GetRawUtf8Value(json).Length is var raw && raw <= AdcpAnswers.MaxContextBytes / 6)
        {
            return raw;
        }

        using var scratch = JsonScratch.Rent();
        json.WriteTo(scratch.Writer);
        scratch.Writer.Flush();
        return scratch.Written.Length;
    }

    // Where a cancellation is all that is read of a request, nothing beside it can refuse it. It still tells two requests apart.
    private static string Hash(ReadOnlySpan<byte> json, ReadOnlySpan<byte> read)
    {
        try
        {
            return RequestHash.Compute(json, AdcpRequestHash.Omitted);
        }
        catch (FormatException) when (json.Length != read.Length)
        {
            return Hash(read, read);
        }
        catch (FormatException)
        {
            throw new AdcpException(
                AdcpError.InvalidRequest,
                "The request has a text that is no Unicode, a number that no double can hold, or a member twice."
            );
        }
    }

    // Without its last brace: what belongs to the request follows.
    private void Write(TResponse response, IBufferWriter<byte> output)
    {
        using var json = JsonScratch.Rent();
        JsonSerializer.Serialize(json.Writer, WithoutEnvelope(response), _responseType);
        json.Writer.Flush();
        output.Write(json.Written[..^1]);
        if (_status?.Invoke(response) is null && response.Extensions?.ContainsKey("status") is not true)
        {
            output.Write(json.Written.Length > 2 ? ",\"status\":\"completed\""u8 : "\"status\":\"completed\""u8);
        }
    }

    private static JsonTypeInfo<TResponse> WithoutEnvelope(JsonTypeInfo<TResponse> type) =>
        type.Properties.FirstOrDefault(property => AdcpAnswers.Has(property.Name, IsIdempotent)) is { } field
            ? throw new InvalidOperationException(
                $"{typeof(TResponse).Name} has a field '{field.Name}', which every answer has of the request: give it another name."
            )
            : type;

    // A handler may pass on an extension that has the name of such a member: the one of the request counts.
    private static TResponse WithoutEnvelope(TResponse response) =>
        response.Extensions is { Count: > 0 } extensions && extensions.Keys.Any(name => AdcpAnswers.Has(name, IsIdempotent))
            ? (TResponse)(
                (AdcpResponse)response with
                {
                    Extensions = extensions
                        .Where(extension => !AdcpAnswers.Has(extension.Key, IsIdempotent))
                        .ToDictionary(StringComparer.Ordinal),
                }
            )
            : response;

    private sealed class TypedAnswer(ToolWire<TRequest, TResponse> wire, TResponse response, JsonElement? context) : ToolAnswer
    {
        public override void WriteTo(IBufferWriter<byte> output)
        {
            wire.Write(response, output);
            AdcpAnswers.WriteEnvelope(output, context);
            output.Write("}"u8);
        }
    }

    private sealed class StoredAnswer(KeyedOutcome.Done stored, string key, JsonElement? context) : ToolAnswer
    {
        public override void WriteTo(IBufferWriter<byte> output)
        {
            output.Write(stored.Answer.Span[..^1]);
            AdcpAnswers.WriteKey(output, key, stored.IsReplay);
            AdcpAnswers.WriteEnvelope(output, context);
            output.Write("}"u8);
        }
    }
}

/// <summary>The arguments of a call as they were read.</summary>
/// <param name="Request">The request; it is valid.</param>
/// <param name="Hash">What tells it from another request with the same idempotency key; null where it has no such key.</param>
internal readonly record struct ToolArguments<TRequest>(TRequest Request, string? Hash);
