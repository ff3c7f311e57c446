using System.ComponentModel;
using System.Reflection;
using System.Text.Json;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;
using Tenancy.Mcp;

namespace McpFixtures.Handlers;

/// <summary>Tools whose schemas say more than their parameters.</summary>
internal sealed class SchemaTools
{
    [McpServerTool(Name = "test_header_parameter"), Description("Has a parameter that travels as a header, too.")]
    public static string CallIn([McpHeader("Region")] string region) => $"The region is {region}.";

    // A schema that nobody generates: JSON Schema as it is written down.
    [WrittenSchema]
    public static string Call() => "The schema is what matters.";

    [AttributeUsage(AttributeTargets.Method)]
    private sealed class WrittenSchemaAttribute : TenantToolAttribute
    {
        public override TenantTool CreateTool(Type handlers, MethodInfo method, IServiceProvider services) =>
            new WrittenSchemaTool(method.CreateDelegate<Func<string>>());
    }

    private sealed class WrittenSchemaTool(Func<string> call) : TenantTool
    {
        public override Tool ProtocolTool { get; } =
            new()
            {
                Name = "json_schema_2020_12_tool",
                Description = "Has a schema with many keywords.",
                InputSchema = JsonElement.Parse(
                    """
                    {
                      "$schema": "https://json-schema.org/draft/2020-12/schema",
                      "type": "object",
                      "$defs": { "address": { "$anchor": "addressDef", "type": "object", "properties": { "street": { "type": "string" },
                      "city": { "type": "string" } } } },
                      "properties": {
                        "name": { "type": "string" },
                        "address": { "$ref": "#/$defs/address" },
                        "contactMethod": { "type": "string", "enum": ["phone", "email"] },
                        "phone": { "type": "string" },
                        "email": { "type": "string" }
                      },
                      "allOf": [{ "anyOf": [{ "required": ["phone"] }, { "required": ["email"] }] }],
                      "if": { "properties": { "contactMethod": { "const": "phone" } }, "required": ["contactMethod"] },
                      "then": { "required": ["phone"] },
                      "else": { "required": ["email"] },
                      "additionalProperties": false
                    }
                    """
                ),
            };

        public override ToolRun Read(ReadOnlySpan<byte> arguments) =>
            ToolRun.Answered(ToolAnswer.FromResult(new() { Content = [new TextContentBlock { Text = call() }] }));
    }
}
