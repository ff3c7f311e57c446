using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Schema;
using System.Text.Json.Serialization.Metadata;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Tenancy.Adcp;

/// <summary>
/// Reads requests and writes answers. Types of one's own are read and written by the same rules as those of this library.
/// </summary>
internal sealed partial class AdcpSerializer
{
    private readonly AdcpOptions _settings;
    private readonly ILogger _logger;
    private readonly WireRules _rules;
    private readonly RuleSchema _schemas;
    private int _hasToldOfWebhooks;

    // A type whose contract is changed for writing is no longer written by generated code, which is fastest. So what goes for all types is
    // changed in the options for reading only.
    private readonly JsonSerializerOptions _options = Options(WriteOnce);
    private readonly JsonSerializerOptions _reading = Options(ReadRest);

    public AdcpSerializer(IOptions<AdcpOptions> settings, ILogger<AdcpSerializer> logger)
    {
        (_settings, _logger) = (settings.Value, logger);
        (_rules, _schemas) = (new(_options), new(_options));
    }

    /// <summary>Reads a request.</summary>
    /// <exception cref="AdcpException">It is malformed; the field is named.</exception>
    public TRequest Read<TRequest>(ReadOnlySpan<byte> json)
        where TRequest : AdcpRequest
    {
        var request = Deserialize<TRequest>(json);
        RefuseOtherVersions(request.AdcpMajorVersion);
        if (FindMistake(request, _settings.Requests) is var (pointer, message))
        {
            throw new AdcpException(AdcpError.ValidationError, message, pointer);
        }

        if (request is IIdempotentRequest { IdempotencyKey: var key } && !KeyPattern().IsMatch(key))
        {
            throw new AdcpException(
                AdcpError.InvalidRequest,
                "idempotency_key must have 16 to 255 characters of A-Z, a-z, 0-9 and _.:-",
                "/idempotency_key"
            );
        }

        if (request.PushNotificationConfig is not null && Interlocked.Exchange(ref _hasToldOfWebhooks, 1) == 0)
        {
            _logger.LogNoWebhooks();
        }

        return request;
    }

    /// <summary>Checks an answer.</summary>
    /// <exception cref="InvalidOperationException">It breaks a rule of its type, and the settings are strict.</exception>
    public void Check<TResponse>(TResponse response)
        where TResponse : AdcpResponse
    {
        if (FindMistake(response, _settings.Responses) is var (pointer, message))
        {
            throw new InvalidOperationException($"The answer is malformed at {pointer}: {message}");
        }
    }

    public JsonTypeInfo<T> TypeInfo<T>() => (JsonTypeInfo<T>)_options.GetTypeInfo(typeof(T));

    /// <summary>The JSON schema of a request, for models.</summary>
    public JsonElement Schema<TRequest>()
        where TRequest : AdcpRequest
    {
        var schema = _options
            .GetJsonSchemaAsNode(
                typeof(TRequest),
                new()
                {
                    TreatNullObliviousAsNonNullable = true,
                    TransformSchemaNode = (context, node) =>
                    {
                        // Clients refuse the short form of "anything", true.
                        node =
                            context.PropertyInfo?.CustomConverter is IOneOrMany converter
                                ? converter.Schema(type => _options.GetJsonSchemaAsNode(type))
                            : node is JsonObject ? node
                            : new JsonObject();
                        var provider = context.PropertyInfo is null ? context.TypeInfo.Type : context.PropertyInfo.AttributeProvider;
                        if (
                            node is JsonObject schema
                            && provider?.GetCustomAttributes(typeof(DescriptionAttribute), true) is [DescriptionAttribute description, ..]
                        )
                        {
                            schema.Insert(0, "description", description.Description);
                        }

                        if (node is JsonObject ruled && context.PropertyInfo is { AttributeProvider: { } property })
                        {
                            _schemas.Write(
                                ruled,
                                property.GetCustomAttributes(typeof(ValidationAttribute), inherit: true),
                                $"{context.PropertyInfo.DeclaringType.Name}.{context.PropertyInfo.Name}"
                            );
                        }

                        return node;
                    },
                }
            )
            .AsObject();
        schema["type"] = "object";
        return JsonSerializer.SerializeToElement(schema, AdcpJson.Default.JsonObject);
    }

    private (string Pointer, string Message)? FindMistake<T>(T message, AdcpChecking checking)
        where T : notnull
    {
        if (checking == AdcpChecking.Off || _rules.FindMistake(message, typeof(T)) is not { } mistake)
        {
            return null;
        }

        if (checking == AdcpChecking.Strict)
        {
            return mistake;
        }

        _logger.LogMalformed(typeof(T).Name, mistake.Pointer, mistake.Message);
        return null;
    }

    private TRequest Deserialize<TRequest>(ReadOnlySpan<byte> json)
        where TRequest : AdcpRequest
    {
        try
        {
            return JsonSerializer.Deserialize(json, (JsonTypeInfo<TRequest>)_reading.GetTypeInfo(typeof(TRequest)))!;
        }
        catch (JsonException exception)
        {
            // Who speaks another version may well send something else: that is what to say first.
            RefuseOtherVersions(FindVersion(json));
            throw Explain(exception);
        }
    }

    private static JsonSerializerOptions Options(Action<JsonTypeInfo> change) =>
        new(AdcpJson.Default.Options)
        {
            TypeInfoResolver = JsonTypeInfoResolver.Combine(AdcpJson.Default, new DefaultJsonTypeInfoResolver()).WithAddedModifier(change),
        };

    // What a handler takes over from elsewhere as an extension may have the name of a field. The field is what counts.
    private static void WriteOnce(JsonTypeInfo type)
    {
        if (Extensions(type) is not { } extensions)
        {
            return;
        }

        var get = extensions.Get;
        var fields = type
            .Properties.Where(property => property is { IsExtensionData: false, Get: not null })
            .ToDictionary(property => property.Name, property => property.Get!, StringComparer.Ordinal);
        extensions.Get = value =>
            get?.Invoke(value) is var all && all is IDictionary<string, JsonElement> { Count: > 0 } some
                ? WithoutFields(some, fields, value)
                : all;
    }

    private static IDictionary<string, JsonElement> WithoutFields(
        IDictionary<string, JsonElement> extensions,
        Dictionary<string, Func<object, object?>> fields,
        object value
    )
    {
        return extensions.Keys.Any(IsField)
            ? extensions.Where(extension => !IsField(extension.Key)).ToDictionary(StringComparer.Ordinal)
            : extensions;

        bool IsField(string name) => fields.TryGetValue(name, out var field) && field(value) is not null;
    }

    // No name may stand twice in what is read. What a type neither knows nor keeps is read all the same, so that it is refused there, too.
    private static void ReadRest(JsonTypeInfo type)
    {
        if (type.Kind != JsonTypeInfoKind.Object || Extensions(type) is not null)
        {
            return;
        }

        var rest = type.CreateJsonPropertyInfo(typeof(Dictionary<string, JsonElement>), "~");
        rest.IsExtensionData = true;
        rest.Get = static _ => null;
        rest.Set = static (_, _) => { };
        type.Properties.Add(rest);
    }

    private static JsonPropertyInfo? Extensions(JsonTypeInfo type) => type.Properties.FirstOrDefault(property => property.IsExtensionData);

    private static int? FindVersion(ReadOnlySpan<byte> json)
    {
        try
        {
            return
                JsonElement.Parse(json).TryGetProperty("adcp_major_version", out var value)
                && value.ValueKind == JsonValueKind.Number
                && value.TryGetInt32(out var version)
                ? version
                : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static void RefuseOtherVersions(int? version)
    {
        if (version is { } other && other != Capabilities.MajorVersion)
        {
            throw new AdcpException(
                AdcpError.VersionUnsupported,
                $"This seller speaks AdCP {Capabilities.MajorVersion}, not {other}.",
                "/adcp_major_version"
            );
        }
    }

    private static AdcpException Explain(JsonException exception)
    {
        var pointer = exception.Path is { Length: > 1 } path
            ? "/"
                + path[2..]
                    .Replace("[", "/", StringComparison.Ordinal)
                    .Replace("]", "", StringComparison.Ordinal)
                    .Replace('.', '/')
                    .TrimStart('/')
            : "";
        if (MissingPattern().Match(exception.Message) is { Success: true } missing)
        {
            var name = missing.Groups[1].Value;
            return new(AdcpError.InvalidRequest, $"{name} is required.", $"{pointer}/{name}");
        }

        return new(AdcpError.InvalidRequest, "The value has a wrong type or form.", pointer.Length > 0 ? pointer : null);
    }

    [GeneratedRegex("^[A-Za-z0-9_.:-]{16,255}$")]
    private static partial Regex KeyPattern();

    [GeneratedRegex("missing required properties[^']*'([^']+)'")]
    private static partial Regex MissingPattern();
}
