using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc.ApiExplorer;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.OpenApi;
using Tenancy.Configuration;
using Tenancy.Diagnostics;

namespace Tenancy.Admin;

/// <summary>Describes the admin API by OpenAPI 3.1: ASP.NET Core makes it of the endpoints and of the types of their answers.</summary>
internal static class AdminOpenApi
{
    private const string DocumentName = "tenancy-admin";
    private const string KeyScheme = "adminKey";

    /// <summary>
    /// Makes what describes the API. It has services of its own: how an application's other endpoints write JSON, and describe themselves,
    /// says nothing of this API's answers.
    /// </summary>
    public static void Add(IServiceCollection services)
    {
        services.AddEndpointsApiExplorer();
        services.TryAddKeyedSingleton(DocumentName, static (provider, _) => Services(provider));
    }

    private static ServiceProvider Services(IServiceProvider application)
    {
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddSingleton(application.GetRequiredService<IHostEnvironment>());
        services.AddSingleton(application.GetRequiredService<IApiDescriptionGroupCollectionProvider>());

        // Numbers are read from numbers alone.
        services.ConfigureHttpJsonOptions(static options => options.SerializerOptions.NumberHandling = JsonNumberHandling.Strict);
        AddDocument(services);
        return services.BuildServiceProvider();
    }

    private static void AddDocument(IServiceCollection services) => services.AddOpenApi(DocumentName, static options =>
        {
            options.OpenApiVersion = OpenApiSpecVersion.OpenApi3_1;

            // An application may describe endpoints of its own, in a document of its own.
            options.ShouldInclude = static description => description.ActionDescriptor.EndpointMetadata.OfType<AdminOperation>().Any();
            options.AddSchemaTransformer(DescribeAsync);
            options.AddDocumentTransformer(DescribeAsync);
            options.AddOperationTransformer(DescribeAsync);
        });

    public static void Map(AdminRoutes routes) => routes.Map(HttpMethods.Get, "", WriteAsync);

    private static async Task WriteAsync(HttpContext context, [FromKeyedServices(DocumentName)] ServiceProvider services)
    {
        var provider = services.GetRequiredKeyedService<IOpenApiDocumentProvider>(DocumentName);
        var document = await provider.GetOpenApiDocumentAsync(context.RequestAborted);

        // Where a proxy serves it is for the client to know.
        document.Servers = [];
        using var output = new MemoryStream();
        await document.SerializeAsJsonAsync(output, OpenApiSpecVersion.OpenApi3_1, context.RequestAborted);
        var description = JsonNode.Parse(output.GetBuffer().AsSpan(0, (int)output.Length))!.AsObject();
        AddPatch(description["components"]!["schemas"]!.AsObject());
        context.Response.ContentType = "application/json";
        await context.Response.WriteAsync(description.ToJsonString(), context.RequestAborted);
    }

    // A patch has the fields of a tenant, and none that it must have. Null would take one out: a generated client writes it for what was
    // not set, where the description lets it.
    private static void AddPatch(JsonObject schemas)
    {
        var patch = ToPatch(schemas[nameof(TenantConfig)]!, schemas).AsObject();
        patch["description"] = "What is to be changed. Null, which generated clients do not send, takes a field out (RFC 7396).";
        patch["properties"]!["version"] = new JsonObject
        {
            ["type"] = "integer",
            ["format"] = "int64",
            ["description"] = "The version that the tenant was read with: where it has another, nothing is changed",
        };
        schemas[AdminOperation.Patch] = patch;
    }

    private static JsonNode ToPatch(JsonNode schema, JsonObject schemas)
    {
        if (schema["$ref"] is { } reference)
        {
            return ToPatch(schemas[((string)reference!).Split('/')[^1]]!, schemas);
        }

        if (schema["oneOf"] is JsonArray choices)
        {
            return ToPatch(choices.Single(choice => (string?)choice!["type"] != "null")!, schemas);
        }

        var patch = schema.DeepClone().AsObject();
        patch.Remove("required");
        if (patch["type"] is JsonArray types)
        {
            var others = types.Select(static type => (string)type!).Where(static type => type != "null").ToArray();
            patch["type"] = others is [var one] ? one : new JsonArray([.. others.Select(static type => JsonValue.Create(type))]);
        }

        if (patch["additionalProperties"] is JsonObject each)
        {
            patch["additionalProperties"] = ToPatch(each, schemas);
        }

        foreach (var (name, property) in patch["properties"] as JsonObject ?? [])
        {
            patch["properties"]![name] = ToPatch(property!, schemas);
        }

        return patch;
    }

    // Secrets are read and written by code of their own, of which ASP.NET Core knows no form.
    private static Task DescribeAsync(OpenApiSchema schema, OpenApiSchemaTransformerContext context, CancellationToken cancellationToken)
    {
        if (context.JsonTypeInfo.Type == typeof(TenantSecrets))
        {
            schema.Type = JsonSchemaType.Object | JsonSchemaType.Null;
            schema.AdditionalProperties = new OpenApiSchema { Type = JsonSchemaType.String };
        }

        return Task.CompletedTask;
    }

    private static async Task DescribeAsync(
        OpenApiDocument document,
        OpenApiDocumentTransformerContext context,
        CancellationToken cancellationToken
    )
    {
        document.Info = new()
        {
            Title = "Tenancy admin API",
            Version = Release.Version,
            Description = "Tenants, and who may call them. Errors are problem+json (RFC 9457) and name the field.",
        };
        document.Components ??= new();
        document.Components.SecuritySchemes ??= new Dictionary<string, IOpenApiSecurityScheme>(StringComparer.Ordinal);
        document.Components.SecuritySchemes[KeyScheme] = new OpenApiSecurityScheme
        {
            Type = SecuritySchemeType.ApiKey,
            In = ParameterLocation.Header,
            Name = AdminKeys.HeaderName,
        };
        document.Security = [new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference(KeyScheme, document)] = [] }];
        document.Tags = null;
        await Task.CompletedTask;
    }

    private static async Task DescribeAsync(
        OpenApiOperation operation,
        OpenApiOperationTransformerContext context,
        CancellationToken cancellationToken
    )
    {
        var described = context.Description.ActionDescriptor.EndpointMetadata.OfType<AdminOperation>().Last();
        (operation.OperationId, operation.Summary, operation.Tags) = (described.Id, described.Summary, null);
        operation.Parameters ??= [];
        foreach (var name in described.Query)
        {
            operation.Parameters.Add(
                new OpenApiParameter
                {
                    In = ParameterLocation.Query,
                    Name = name,
                    Description = AdminOperation.Parameters[name],
                    Schema = SchemaOf(name),
                }
            );
        }

        if (described.IsKeyed)
        {
            operation.Parameters.Add(
                new OpenApiParameter
                {
                    In = ParameterLocation.Header,
                    Name = AdminIdempotency.HeaderName,
                    Description =
                        "16 to 255 visible ASCII characters: the same request with it is done once, and answered again for 24 hours",
                    Schema = new OpenApiSchema { Type = JsonSchemaType.String },
                }
            );
        }

        if (described.Body is { } body)
        {
            operation.RequestBody = new OpenApiRequestBody
            {
                Required = true,
                Content = await ContentAsync(described.BodyType, body, context, cancellationToken),
            };
            if (described.BodyName is { } name)
            {
                operation.RequestBody.Content![described.BodyType].Schema = new OpenApiSchemaReference(name, context.Document);
            }
        }

        operation.Responses = new OpenApiResponses();
        foreach (var status in new[] { described.Status, described.Also }.OfType<int>())
        {
            var content = described.Answer is { } answer
                ? await ContentAsync(described.AnswerType, answer, context, cancellationToken)
                : null;
            if (described.Query.Contains("format"))
            {
                content!["text/csv"] = new OpenApiMediaType { Schema = new OpenApiSchema { Type = JsonSchemaType.String } };
            }

            operation.Responses[Text(status)] = new OpenApiResponse
            {
                Description = ReasonPhrases.GetReasonPhrase(status),
                Content = content,
            };
        }

        operation.Responses["default"] = new OpenApiResponse
        {
            Description = "An error, which names the field",
            Content = await ContentAsync("application/problem+json", typeof(AdminProblem), context, cancellationToken),
        };
    }

    private static async Task<Dictionary<string, OpenApiMediaType>> ContentAsync(
        string mediaType,
        Type type,
        OpenApiOperationTransformerContext context,
        CancellationToken cancellationToken
    )
    {
        var document = context.Document!;
        if (document.Components?.Schemas?.ContainsKey(type.Name) is not true)
        {
            document.AddComponent(type.Name, await context.GetOrCreateSchemaAsync(type, parameterDescription: null, cancellationToken));
        }

        return new(StringComparer.Ordinal) { [mediaType] = new() { Schema = new OpenApiSchemaReference(type.Name, document) } };
    }

    private static OpenApiSchema SchemaOf(string parameter) =>
        new()
        {
            Type = parameter switch
            {
                "wait" or "adopt" or "force" => JsonSchemaType.Boolean,
                "take" or "hours" or "overlap" => JsonSchemaType.Integer,
                _ => JsonSchemaType.String,
            },
        };

    private static string Text(int status) => status.ToString(CultureInfo.InvariantCulture);
}
