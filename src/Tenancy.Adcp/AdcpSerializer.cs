using System.ComponentModel;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Schema;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Tenancy.Adcp;

/// <summary>
/// How types become JSON, and JSON becomes types. Types of one's own are read and written by the same rules as those of this library. What
/// a tool reads and writes is a <see cref="ToolWire{TRequest, TResponse}"/>.
/// </summary>
internal sealed partial class AdcpSerializer
{
    private readonly AdcpOptions _settings;
    private readonly ILogger _logger;
    private readonly WireRules _rules;
    private int _hasToldOfWebhooks;

    // A type whose contract is changed for writing is no longer written by generated code, which is fastest. So what goes for all types is
    // changed in the options for reading only.
    private readonly JsonSerializerOptions _options = NewOptions(WriteOnce);
    private readonly JsonSerializerOptions _reading = NewReadingOptions();

    public AdcpSerializer(IOptions<AdcpOptions> settings, ILogger<AdcpSerializer> logger)
    {
        (_settings, _logger) = (settings.Value, logger);
        _rules = new(_options);
    }

    /// <summary>Reads a request.</summary>
    /// <exception cref="AdcpException">It is malformed; the field is named.</exception>
    public TRequest Read<TRequest>(ReadOnlySpan<byte> json)
        where TRequest : AdcpRequest
    {
        try
        {
            return JsonSerializer.Deserialize(json, (JsonTypeInfo<TRequest>)_reading.GetTypeInfo(typeof(TRequest)))!;
        }
        catch (JsonException exception)
        {
            throw Explain(exception);
        }
    }

    /// <summary>Checks a request by the rules of its type.</summary>
    /// <exception cref="AdcpException">It breaks one, and the settings are strict.</exception>
    public void Check<TRequest>(TRequest request)
        where TRequest : AdcpRequest
    {
        if (FindMistake(request, _settings.Requests) is var (pointer, message))
        {
            var mistakes = AllMistakes.Find(request, _options, _rules);
            throw mistakes.Count > 0 ? new AdcpException(mistakes) : new AdcpException(AdcpError.InvalidRequest, message, pointer);
        }

        Secrets.CheckNotificationConfig(request);
        if (request.PushNotificationConfig is not null && Interlocked.Exchange(ref _hasToldOfWebhooks, 1) == 0)
        {
            _logger.LogNoWebhooks();
        }
    }

    /// <summary>Checks an answer by the rules of its type.</summary>
    /// <exception cref="InvalidOperationException">It breaks one, and the settings are strict.</exception>
    public void CheckAnswer<TResponse>(TResponse response)
        where TResponse : AdcpResponse
    {
        if (FindMistake(response, _settings.Responses) is var (pointer, message))
        {
            throw new InvalidOperationException($"The answer is malformed at {pointer}: {message}");
        }
    }

    /// <summary>Gets how types are written.</summary>
    public JsonSerializerOptions Options => _options;

    /// <summary>How a type is written.</summary>
    public JsonTypeInfo<T> TypeInfo<T>() => (JsonTypeInfo<T>)_options.GetTypeInfo(typeof(T));

    /// <summary>The JSON schema of a request, for models.</summary>
    public JsonElement Schema<TRequest>()
        where TRequest : AdcpRequest
    {
        var schema = _options
            .GetJsonSchemaAsNode(typeof(TRequest), new() { TreatNullObliviousAsNonNullable = true, TransformSchemaNode = Describe })
            .AsObject();
        schema["type"] = "object";
        return JsonSerializer.SerializeToElement(schema, AdcpJson.Default.JsonObject);
    }

    // What is said of a type or a field beside its JSON type: what it is for, and which values keep its rules.
    private JsonObject Describe(JsonSchemaExporterContext context, JsonNode node)
    {
        // Clients refuse the short form of "anything", true.
        var schema = context.PropertyInfo?.CustomConverter is IOneOrMany converter
            ? converter.Schema(type => _options.GetJsonSchemaAsNode(type)).AsObject()
            : node as JsonObject ?? [];
        var provider = context.PropertyInfo is null ? context.TypeInfo.Type : context.PropertyInfo.AttributeProvider;
        if (provider?.GetCustomAttributes(typeof(DescriptionAttribute), true) is [DescriptionAttribute description, ..])
        {
            schema.Insert(0, "description", description.Description);
        }

        foreach (var rule in context.PropertyInfo is { } field ? _rules.Of(field) : [])
        {
            rule.WriteTo(schema, $"{context.PropertyInfo!.DeclaringType.Name}.{context.PropertyInfo.Name}");
        }

        return schema;
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

    private static JsonSerializerOptions NewOptions(Action<JsonTypeInfo> change) =>
        new(AdcpJson.Default.Options)
        {
            TypeInfoResolver = JsonTypeInfoResolver.Combine(AdcpJson.Default, new DefaultJsonTypeInfoResolver()).WithAddedModifier(change),
        };

    private static JsonSerializerOptions NewReadingOptions()
    {
        var options = NewOptions(ReadRest);
        JsonConverter[] wholes =
        [
            new WireWhole<int>(),
            new WireWhole<long>(),
            new WireWhole<short>(),
            new WireWhole<byte>(),
            new WireWhole<sbyte>(),
            new WireWhole<uint>(),
            new WireWhole<ulong>(),
            new WireWhole<ushort>(),
        ];
        foreach (var whole in wholes)
        {
            options.Converters.Add(whole);
        }

        return options;
    }

    // A handler may copy extension members from elsewhere, and one of them may have the name of a declared field. It is left out then:
    // otherwise the JSON would have the member twice.
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
            return new(
                NamePattern()
                    .Matches(missing.Groups[1].Value)
                    .Select(name => name.Groups[1].Value)
                    .Select(name => new AdcpException(AdcpError.InvalidRequest, $"{name} is required.", $"{pointer}/{name}")
                    {
                        Keyword = "required",
                    })
            );
        }

        return new(AdcpError.InvalidRequest, "The value has a wrong type or form.", pointer.Length > 0 ? pointer : null)
        {
            Keyword = "type",
        };
    }

    [GeneratedRegex("missing required properties[^']*(('[^']+'[^']*)+)")]
    private static partial Regex MissingPattern();

    [GeneratedRegex("'([^']+)'")]
    private static partial Regex NamePattern();
}
