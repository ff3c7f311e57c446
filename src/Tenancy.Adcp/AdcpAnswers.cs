using System.Buffers;
using System.Text.Json;
using System.Text.Json.Nodes;
using Tenancy.Mcp;

namespace Tenancy.Adcp;

/// <summary>What stands in AdCP's answers beside what a handler says.</summary>
internal static class AdcpAnswers
{
    /// <summary>An answer that refuses a request.</summary>
    public static ToolAnswer Error(AdcpException exception, JsonElement? context)
    {
        var error = new JsonObject { ["code"] = exception.Error.Code, ["message"] = exception.Message };

        // AdCP, idempotency: a conflict says code and message only, so that a stolen key tells nothing.
        if (exception.Error != AdcpError.IdempotencyConflict)
        {
            error["recovery"] = exception.Error.Recovery;
        }

        if (exception.Field is not null)
        {
            error["field"] = exception.Field;
        }

        if (exception.RetryAfter is not null)
        {
            error["retry_after"] = exception.RetryAfter;
        }

        var output = new ArrayBufferWriter<byte>();
        using (var json = JsonScratch.Rent())
        {
            new JsonObject { ["adcp_error"] = error }.WriteTo(json.Writer);
            json.Writer.Flush();
            output.Write(json.Written[..^1]);
        }

        WriteContext(output, context);
        output.Write("}"u8);
        return ToolAnswer.FromJson(output.WrittenMemory, isError: true);
    }

    /// <summary>Writes the buyer's own data, which comes back as it was, as a further member of an object.</summary>
    public static void WriteContext(IBufferWriter<byte> output, JsonElement? context)
    {
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

    /// <summary>Writes a text as a further member of an object.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="name">The member's name, with its quotes, colon and the comma before it.</param>
    /// <param name="text">The text.</param>
    public static void WriteText(IBufferWriter<byte> output, ReadOnlySpan<byte> name, string text)
    {
        using var json = JsonScratch.Rent();
        json.Writer.WriteStringValue(text);
        json.Writer.Flush();
        output.Write(name);
        output.Write(json.Written);
    }

    /// <summary>Finds the buyer's own data in arguments that could not be read as what they should be.</summary>
    public static JsonElement? FindContext(ReadOnlySpan<byte> json)
    {
        try
        {
            return JsonElement.Parse(json).TryGetProperty("context", out var context) ? context : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

/// <summary>An answer that is stored under an idempotency key, for one of the requests that get it.</summary>
internal sealed class StoredAnswer(KeyedOutcome.Done outcome, string key, JsonElement? context) : ToolAnswer
{
    public override void WriteTo(IBufferWriter<byte> output)
    {
        output.Write(outcome.Answer.Span[..^1]);
        if (outcome.IsReplay)
        {
            output.Write(",\"replayed\":true"u8);
        }

        AdcpAnswers.WriteText(output, ",\"idempotency_key\":"u8, key);
        AdcpAnswers.WriteContext(output, context);
        output.Write("}"u8);
    }
}
