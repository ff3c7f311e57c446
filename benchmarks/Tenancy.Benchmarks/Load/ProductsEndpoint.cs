using System.Buffers;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Tenancy.Adcp;
using Tenancy.Mcp;

namespace Tenancy.Benchmarks.Load;

/// <summary>
/// What is left of a call of <c>get_products</c> without MCP and without tenants: the typed request is read, and the answer of the scaffold
/// is written.
/// </summary>
internal static class ProductsEndpoint
{
    private static readonly string Version = typeof(ITenantPlatform<>).Assembly.GetName().Version!.ToString(3);

    public static async Task AnswerAsync(HttpContext context)
    {
        var body = await context.Request.BodyReader.ReadAtLeastAsync((int)context.Request.ContentLength!);
        var (id, request) = Read(body.Buffer);
        context.Request.BodyReader.AdvanceTo(body.Buffer.End);
        context.Response.ContentType = "text/event-stream";
        var answer = ProductTools.Of(request.BuyingMode!, request.Brief, request.Brand);
        var json = new ArrayBufferWriter<byte>(2048);
        using (var writer = new Utf8JsonWriter(json))
        {
            JsonSerializer.Serialize(writer, answer, ProductsJson.Default.ProductsAnswer);
        }

        Write(context, id, json.WrittenSpan);
        await context.Response.BodyWriter.FlushAsync();
    }

    private static (int Id, GetProductsRequest Request) Read(ReadOnlySequence<byte> body)
    {
        var reader = new Utf8JsonReader(body);
        var (id, request) = (0, (GetProductsRequest?)null);
        while (reader.Read())
        {
            if (reader.TokenType == JsonTokenType.PropertyName && reader.ValueTextEquals("id"u8) && reader.Read())
            {
                id = reader.GetInt32();
            }
            else if (reader.TokenType == JsonTokenType.PropertyName && reader.ValueTextEquals("arguments"u8))
            {
                reader.Read();
                request = JsonSerializer.Deserialize(ref reader, ProductsJson.Default.GetProductsRequest);
            }
        }

        return (id, request!);
    }

    private static void Write(HttpContext context, int id, ReadOnlySpan<byte> answer)
    {
        var output = context.Response.BodyWriter;
        output.Write("event: message\ndata: "u8);
        using (var writer = new Utf8JsonWriter(output))
        {
            writer.WriteStartObject();
            writer.WriteStartObject("result"u8);
            writer.WriteStartArray("content"u8);
            writer.WriteStartObject();
            writer.WriteString("type"u8, "text"u8);
            writer.WriteString("text"u8, answer);
            writer.WriteEndObject();
            writer.WriteEndArray();
            writer.WritePropertyName("structuredContent"u8);
            writer.WriteRawValue(answer, skipInputValidation: true);
            writer.WriteBoolean("isError"u8, false);
            if (context.Request.Headers["MCP-Protocol-Version"] == Row.Stateless)
            {
                WriteServer(writer, (string)context.Request.RouteValues["tenant"]!);
            }

            writer.WriteEndObject();
            writer.WriteNumber("id"u8, id);
            writer.WriteString("jsonrpc"u8, "2.0"u8);
            writer.WriteEndObject();
        }

        output.Write("\n\n"u8);
    }

    // 2026-07-28 says in each answer what earlier revisions say once.
    private static void WriteServer(Utf8JsonWriter writer, string tenant)
    {
        writer.WriteString("resultType"u8, "complete"u8);
        writer.WriteStartObject("_meta"u8);
        writer.WriteStartObject("io.modelcontextprotocol/serverInfo"u8);
        writer.WriteString("name"u8, tenant);
        writer.WriteString("version"u8, Version);
        writer.WriteEndObject();
        writer.WriteEndObject();
    }
}
