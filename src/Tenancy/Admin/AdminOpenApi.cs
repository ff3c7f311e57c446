using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.OpenApi;
using Tenancy.Diagnostics;

namespace Tenancy.Admin;

/// <summary>Describes the admin API by OpenAPI 3.1: ASP.NET Core makes it of the endpoints and of the types of their answers.</summary>
internal static class AdminOpenApi
{
    private const string DocumentName = "tenancy-admin";
    private const string KeyScheme = "adminKey";

    public static void Add(IServiceCollection services) => services.AddOpenApi(DocumentName, static options =>
        {
            options.OpenApiVersion = OpenApiSpecVersion.OpenApi3_1;

            // An application may describe endpoints of its own, in a document of its own.
            options.ShouldInclude = static description => description.ActionDescriptor.EndpointMetadata.OfType<AdminOperation>().Any();
            options.AddDocumentTransformer(DescribeAsync);
            options.AddOperationTransformer(DescribeAsync);
        });

    public static void Map(AdminRoutes routes) => routes.Map(HttpMethods.Get, "", WriteAsync);

    private static async Task WriteAsync(HttpContext context, [FromKeyedServices(DocumentName)] IOpenApiDocumentProvider provider)
    {
        var document = await provider.GetOpenApiDocumentAsync(context.RequestAborted);

        // Where a proxy serves it is for the client to know.
        document.Servers = [];
        using var output = new MemoryStream();
        await document.SerializeAsJsonAsync(output, OpenApiSpecVersion.OpenApi3_1, context.RequestAborted);
        context.Response.ContentType = "application/json";
        await context.Response.Body.WriteAsync(output.GetBuffer().AsMemory(0, (int)output.Length), context.RequestAborted);
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
            operation.Parameters.Add(Parameter(ParameterLocation.Query, name, AdminOperation.Parameters[name]));
        }

        if (described.IsKeyed)
        {
            operation.Parameters.Add(
                Parameter(
                    ParameterLocation.Header,
                    AdminIdempotency.HeaderName,
                    "16 to 255 visible ASCII characters: the same request with it is done once, and answered again for 24 hours"
                )
            );
        }

        if (described.Body is { } body)
        {
            operation.RequestBody = new OpenApiRequestBody
            {
                Required = true,
                Content = await ContentAsync(described.BodyType, body, context, cancellationToken),
            };
        }

        operation.Responses = new OpenApiResponses();
        foreach (var status in new[] { described.Status, described.Also }.OfType<int>())
        {
            operation.Responses[Text(status)] = new OpenApiResponse
            {
                Description = ReasonPhrases.GetReasonPhrase(status),
                Content = described.Answer is { } answer
                    ? await ContentAsync(described.AnswerType, answer, context, cancellationToken)
                    : null,
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

    private static OpenApiParameter Parameter(ParameterLocation place, string name, string description) =>
        new()
        {
            In = place,
            Name = name,
            Description = description,
            Schema = new OpenApiSchema { Type = JsonSchemaType.String },
        };

    private static string Text(int status) => status.ToString(CultureInfo.InvariantCulture);
}
