using System.Buffers;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Tenancy.Resolution;

namespace Tenancy.Mcp;

/// <summary>What the gate reads of a message: as strictly as nothing behind it, so that nobody sees another message than the gate did.</summary>
internal sealed record McpRequest(string? Method, string? ToolName, bool DeclaresVersion, PlainRequest? Plain)
{
    private JsonNode? _id;

    /// <summary>Gets the message's id, for who refuses it.</summary>
    public JsonNode? Id
    {
        get => _id ??= Plain?.Message.Id.Id switch
        {
            string text => JsonValue.Create(text),
            long number => JsonValue.Create(number),
            _ => null,
        };
        private init => _id = value;
    }

    // RFC 8259 leaves repeated names to the reader, and readers differ.
    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false, MaxDepth = 64 };

    // The SDK reads the members of "params" without regard to case.
    private static readonly string[] Members = ["name", "arguments", "_meta", "task"];

    /// <summary>Reads the message and leaves the body as if it had not been read.</summary>
    /// <returns>The message, or why it is refused.</returns>
    public static async ValueTask<(McpRequest? Request, Refusal? Refusal)> ReadAsync(HttpRequest request, BodyLimits limits)
    {
        if (await limits.ReadAsync(request) is not { } body)
        {
            return (null, Refusal.SlowBody);
        }

        try
        {
            return limits.IsTooLarge(body) ? (null, Refusal.TooLarge) : Read(body.Buffer, request.Headers.ContainsKey(SessionGuard.HeaderName));
        }
        finally
        {
            request.BodyReader.AdvanceTo(body.Buffer.Start);
        }
    }

    private static (McpRequest? Request, Refusal? Refusal) Read(in ReadOnlySequence<byte> body, bool hasSession)
    {
        try
        {
            using var document = JsonDocument.Parse(body, Strict);
            var root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object)
            {
                return (null, Refusal.BadJson);
            }

            var parameters = root.TryGetProperty("params", out var value) && value.ValueKind == JsonValueKind.Object ? value : default;
            if (HasMisspeltMember(parameters))
            {
                return (null, Refusal.AmbiguousJson);
            }

            var plain = hasSession ? null : PlainRequest.From(root);
            return (
                new(plain?.Message.Method ?? Text(root, "method"), Text(parameters, "name"), HasVersion(parameters), plain) { Id = plain is null ? ReadId(root) : null },
                null);
        }
        catch (JsonException exception)
        {
            return (null, IsDuplicate(exception) ? Refusal.AmbiguousJson : Refusal.BadJson);
        }
        catch (InvalidOperationException)
        {
            // A text that is no Unicode, or no UTF-8, where one is read.
            return (null, Refusal.BadJson);
        }
    }

    private static bool HasMisspeltMember(JsonElement parameters)
    {
        if (parameters.ValueKind != JsonValueKind.Object)
        {
            return false;
        }

        foreach (var property in parameters.EnumerateObject())
        {
            if (IsMisspelt(property))
            {
                return true;
            }
        }

        return false;
    }

    private static bool IsMisspelt(JsonProperty property)
    {
        foreach (var member in Members)
        {
            if (property.NameEquals(member))
            {
                return false;
            }
        }

        // As it stands, which takes no string; only a name with escapes or beyond ASCII has to be read for that.
        var name = JsonMarshal.GetRawUtf8PropertyName(property);
        return Ascii.IsValid(name) && !name.Contains((byte)'\\') ? IsMember(name) : IsMember(property.Name);
    }

    private static bool IsMember(ReadOnlySpan<byte> name)
    {
        foreach (var member in Members)
        {
            if (Ascii.EqualsIgnoreCase(name, member))
            {
                return true;
            }
        }

        return false;
    }

    private static bool IsMember(string name) => Members.Contains(name, StringComparer.OrdinalIgnoreCase);

    private static string? Text(JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static JsonValue? ReadId(JsonElement root) => !root.TryGetProperty("id", out var id) ? null : id.ValueKind switch
    {
        JsonValueKind.String => JsonValue.Create(id.GetString()),
        JsonValueKind.Number => id.TryGetInt64(out var number) ? JsonValue.Create(number) : JsonValue.Create(id.Clone()),
        _ => null,
    };

    private static bool HasVersion(JsonElement parameters) =>
        parameters.ValueKind == JsonValueKind.Object && parameters.TryGetProperty("_meta", out var meta)
        && meta.ValueKind == JsonValueKind.Object && meta.TryGetProperty("io.modelcontextprotocol/protocolVersion", out _);

    private static bool IsDuplicate(JsonException exception) => exception.Message.Contains("uplicate", StringComparison.Ordinal);
}
