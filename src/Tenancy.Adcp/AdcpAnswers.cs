using System.Buffers;
using System.Text.Json;
using System.Text.Json.Nodes;
using Tenancy.Mcp;

namespace Tenancy.Adcp;

/// <summary>
/// What stands in AdCP's answers beside what a handler says. An answer is kept and may be replayed to a later request, so that members
/// which belong to one request are not kept with it, but written behind it anew for each.
/// </summary>
internal static class AdcpAnswers
{
    /// <summary>
    /// The most bytes of a request's <c>context</c>, as it comes back in each answer; that is bounded, too.
    /// </summary>
    public const int MaxContextBytes = 64 * 1024;

    /// <summary>The most bytes of what stands around a stored answer: that, the key, and a few names.</summary>
    public const int MaxEnvelopeBytes = MaxContextBytes + 4096;

    /// <summary>Whether an answer has a member of a name from its request.</summary>
    /// <param name="name">The name.</param>
    /// <param name="isIdempotent">Whether the request carries a key.</param>
    public static bool Has(string name, bool isIdempotent) =>
        name is "adcp_version" or "context" || (isIdempotent && name is "idempotency_key" or "replayed");

    /// <summary>An answer that refuses a request.</summary>
    public static ToolAnswer Error(AdcpException exception, JsonElement? context)
    {
        var output = new ArrayBufferWriter<byte>();
        using (var json = JsonScratch.Rent())
        {
            new JsonObject
            {
                ["adcp_error"] = Describe(exception, Issues(exception)),
                ["errors"] = new JsonArray([.. exception.Mistakes.Select(mistake => Describe(mistake, Issues(mistake)))]),
                ["status"] = "failed",
            }.WriteTo(json.Writer);
            json.Writer.Flush();
            output.Write(json.Written[..^1]);
        }

        WriteEnvelope(output, context);
        output.Write("}"u8);
        return ToolAnswer.FromJson(output.WrittenMemory, isError: true);
    }

    private static JsonObject Describe(AdcpException mistake, JsonArray issues)
    {
        var error = new JsonObject { ["code"] = mistake.Error.Code, ["message"] = mistake.Message };

        // AdCP, idempotency: a conflict says code and message only, so that a stolen key tells nothing.
        if (mistake.Error != AdcpError.IdempotencyConflict)
        {
            error["recovery"] = mistake.Error.Recovery;
        }

        Set(error, "field", mistake.Field);
        Set(error, "retry_after", mistake.RetryAfter);
        Set(error, "suggestion", mistake.Suggestion);
        Set(error, "issues", issues.Count > 0 ? issues : null);
        Set(error, "details", mistake.Details?.DeepClone());
        return error;
    }

    // AdCP: the first issue is at the error's own field.
    private static JsonArray Issues(AdcpException exception) =>
        new([
            .. exception
                .Mistakes.Where(_ => exception is { Keyword: not null, Field: not null })
                .Where(mistake => mistake is { Keyword: not null, Field: not null })
                .Select(mistake => new JsonObject
                {
                    ["pointer"] = FieldPath.ToPointer(mistake.Field!),
                    ["message"] = mistake.Message,
                    ["keyword"] = mistake.Keyword,
                }),
        ]);

    private static void Set(JsonObject target, string name, JsonNode? value)
    {
        if (value is not null)
        {
            target[name] = value;
        }
    }

    /// <summary>
    /// Writes what every answer has as further members of an object: which AdCP it is of, and the buyer's own data as it was.
    /// </summary>
    public static void WriteEnvelope(IBufferWriter<byte> output, JsonElement? context)
    {
        output.Write(",\"adcp_version\":\"3.0\""u8);
        if (context is not { ValueKind: not JsonValueKind.Null } value)
        {
            return;
        }

        using var json = JsonScratch.Rent();
        value.WriteTo(json.Writer);
        json.Writer.Flush();
        output.Write(",\"context\":"u8);
        output.Write(json.Written);
    }

    /// <summary>Writes the key of the request, and whether the answer was there before, as further members of an object.</summary>
    public static void WriteKey(IBufferWriter<byte> output, string key, bool isReplay)
    {
        if (isReplay)
        {
            output.Write(",\"replayed\":true"u8);
        }

        using var json = JsonScratch.Rent();
        json.Writer.WriteStringValue(key);
        json.Writer.Flush();
        output.Write(",\"idempotency_key\":"u8);
        output.Write(json.Written);
    }
}
