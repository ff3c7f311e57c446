using System.Reflection;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;
using Tenancy.Registry;
using Tenancy.State;

namespace Tenancy.Mcp.Platforms;

/// <summary>
/// The arguments of a method that is a tool: those of its parameters that come from the message. The MCP SDK says of what it cannot read
/// only that it failed; here the argument is named, so that a model can mend its call, and what the tool's schema says holds.
/// </summary>
internal sealed class MethodArguments
{
    /// <summary>
    /// How arguments are read: as the MCP SDK does, but by their listed names alone, since no rule would hold for a name in another case;
    /// and the name of an object's type may stand anywhere in it.
    /// </summary>
    public static readonly JsonSerializerOptions Options = NewOptions();

    private static readonly JsonElement Null = JsonElement.Parse("null");

    private readonly int _parameters;
    private readonly Argument[] _arguments;

    /// <summary>Reads what the MCP SDK says of a method.</summary>
    public MethodArguments(MethodInfo method, Tool tool)
    {
        var schema = ArgumentSchema.Read(NullAgreement.Separate(tool.InputSchema));
        var required = tool.InputSchema.TryGetProperty("required", out var names)
            ? names.EnumerateArray().Select(name => name.GetString()!).ToHashSet(StringComparer.Ordinal)
            : [];
        var parameters = method.GetParameters();
        _parameters = parameters.Length;
        _arguments =
        [
            .. parameters
                .Where(parameter => schema.Of(parameter.Name!) is not null)
                .Select(parameter => new Argument(parameter, schema.Of(parameter.Name!)!, required.Contains(parameter.Name!))),
        ];
    }

    /// <summary>Whether a parameter gets what the message says.</summary>
    public bool Fill(ParameterInfo parameter) => Array.Exists(_arguments, argument => argument.Position == parameter.Position);

    /// <summary>Reads the arguments of a direct call, each once and into its own type.</summary>
    /// <param name="json">One JSON object; empty for none.</param>
    /// <returns>What the parameters get, by their positions; the rest is null.</returns>
    /// <exception cref="McpException">An argument is not as the schema says; the message names it.</exception>
    /// <exception cref="JsonException">A name stands twice.</exception>
    public Values Read(ReadOnlySpan<byte> json)
    {
        var values = new Values(new object?[_parameters]);
        Span<bool> seen = stackalloc bool[_arguments.Length];
        var mayRepeat = false;
        var reader = new Utf8JsonReader(json.IsEmpty ? "{}"u8 : json);
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var index = IndexOf(ref reader);
            mayRepeat |= index < 0 || seen[index];
            reader.Read();
            if (index < 0)
            {
                reader.Skip();
                continue;
            }

            seen[index] = true;
            _arguments[index].Read(json, ref reader, values, ref mayRepeat);
        }

        if (mayRepeat)
        {
            // Names that nobody knows were not looked at, and one may stand there twice.
            JsonSerializer.Deserialize(json, ToolJson.Default.JsonElement);
        }

        for (var i = 0; i < _arguments.Length; i++)
        {
            if (!seen[i])
            {
                values.All[_arguments[i].Position] = _arguments[i].GetLeftOut();
            }
        }

        return values;
    }

    /// <summary>Looks at the arguments of a call that the MCP SDK reads, and adds what was left out and may be null.</summary>
    /// <exception cref="McpException">An argument is not as the schema says; the message names it.</exception>
    public void Complete(CallToolRequestParams call)
    {
        foreach (var (name, value) in call.Arguments ?? new Dictionary<string, JsonElement>())
        {
            Array.Find(_arguments, argument => argument.Name == name)?.Check(value);
        }

        foreach (var argument in _arguments)
        {
            if (call.Arguments?.TryGetValue(argument.Name, out var value) is true)
            {
                if (argument.Plain(value) is { } plain)
                {
                    Set(call, argument.Name, plain);
                }
            }
            else if (argument.MustBeNull())
            {
                Set(call, argument.Name, Null);
            }
        }
    }

    private static void Set(CallToolRequestParams call, string name, JsonElement value) =>
        call.Arguments = new Dictionary<string, JsonElement>(call.Arguments ?? new Dictionary<string, JsonElement>()) { [name] = value };

    /// <summary>Says which argument the method could not have been called with; null where the mistake is another one.</summary>
    public string? FindUnreadable(CallToolRequestParams call) =>
        _arguments
            .Select(argument => call.Arguments?.TryGetValue(argument.Name, out var value) is true ? argument.FindUnreadable(value) : null)
            .FirstOrDefault(mistake => mistake is not null);

    /// <summary>
    /// Whether arguments that cannot be read may be why a call failed. What only code that runs can throw is its own failure, such as that
    /// of the constructor of the handlers, which comes before the arguments are read.
    /// </summary>
    public static bool MayCause(Exception exception) =>
        exception is not (McpException or OperationCanceledException or CallRefusedException or StoreUnavailableException);

    /// <summary>Whether a value can be read as an argument of a type.</summary>
    public static bool IsReadable(JsonElement value, Type type) => FailureOf(value, type) is null;

    /// <summary>Reads a value as an argument of a type; false where that cannot be done.</summary>
    public static bool TryRead(JsonElement value, Type type, out object? read) => FailureOf(value, type, out read) is null;

    private static Exception? FailureOf(JsonElement value, Type type) => FailureOf(value, type, out _);

    private static Exception? FailureOf(JsonElement value, Type type, out object? read)
    {
        try
        {
            read = value.Deserialize(Options.GetTypeInfo(type));
            return null;
        }
        catch (Exception exception) when (IsOfReading(exception))
        {
            read = null;
            return exception;
        }
    }

    // What a type throws that cannot read a value. Whatever else a type of the application's own throws is its own failure.
    private static bool IsOfReading(Exception exception) =>
        exception is JsonException or FormatException or ArgumentException or InvalidOperationException or NotSupportedException;

    private static JsonSerializerOptions NewOptions()
    {
        var options = new JsonSerializerOptions(McpJsonUtilities.DefaultOptions)
        {
            AllowOutOfOrderMetadataProperties = true,
            PropertyNameCaseInsensitive = false,
            TypeInfoResolver = McpJsonUtilities.DefaultOptions.TypeInfoResolver!.WithAddedModifier(LetNullBeLeftOut),
        };
        options.MakeReadOnly();
        return options;
    }

    // What may be null may be left out, also where its type asks for it.
    private static void LetNullBeLeftOut(JsonTypeInfo type)
    {
        foreach (var property in type.Properties.Where(property => property.IsRequired && property.IsSetNullable))
        {
            property.IsRequired = property.PropertyType.IsValueType && Nullable.GetUnderlyingType(property.PropertyType) is null;
        }
    }

    private int IndexOf(ref Utf8JsonReader name)
    {
        for (var i = 0; i < _arguments.Length; i++)
        {
            if (name.ValueTextEquals(_arguments[i].Utf8Name))
            {
                return i;
            }
        }

        return -1;
    }

    /// <summary>What a method is called with, as far as the message says it.</summary>
    internal sealed class Values(object?[] all)
    {
        private Exception? _failure;

        /// <summary>Gets the values, by the positions of the parameters.</summary>
        public object?[] All => all;

        /// <summary>Notes the first argument that its type did not read.</summary>
        public void Note(Exception failure) => _failure ??= failure;

        /// <summary>
        /// Throws what was noted. The handlers are made before that, as by the MCP SDK: what they say of a store that is away comes first.
        /// </summary>
        public void ThrowIfUnreadable()
        {
            if (_failure is not null)
            {
                ExceptionDispatchInfo.Throw(_failure);
            }
        }
    }

    /// <summary>A parameter that comes from the message.</summary>
    private sealed class Argument(ParameterInfo parameter, ArgumentSchema schema, bool isRequired)
    {
        private readonly JsonTypeInfo _info = Options.GetTypeInfo(parameter.ParameterType);
        private readonly object? _default = DefaultValues.Of(parameter);

        // The MCP SDK hands over a value as it parsed it where the parameter takes that.
        private readonly bool _isTree = parameter.ParameterType.IsAssignableFrom(typeof(JsonElement));

        public string Name { get; } = parameter.Name!;

        public byte[] Utf8Name { get; } = Encoding.UTF8.GetBytes(parameter.Name!);

        public int Position => parameter.Position;

        private Type Type => parameter.ParameterType;

        /// <summary>Says what of a value cannot be read; null where all can.</summary>
        public string? FindUnreadable(JsonElement value) => FailureOf(value, Type) is { } failure ? Explain(failure) : null;

        public void Read(ReadOnlySpan<byte> json, ref Utf8JsonReader reader, Values values, ref bool mayRepeat)
        {
            var start = (int)reader.TokenStartIndex;
            var end = reader;
            if (schema.Find(ref end, ref mayRepeat) is { } mistake)
            {
                throw Refuse(mistake);
            }

            try
            {
                values.All[Position] = _isTree ? JsonElement.ParseValue(ref reader) : JsonSerializer.Deserialize(ref reader, _info);
            }
            catch (Exception exception) when (exception is not OutOfMemoryException)
            {
                reader = end;
                if (!IsOfReading(exception))
                {
                    values.Note(exception);
                }
                else if (WholeNumbers.WritePlainly(json[start..(int)end.BytesConsumed]) is { } plain)
                {
                    ReadPlain(plain, values);
                }
                else
                {
                    values.Note(new McpException(Explain(exception), exception));
                }
            }
        }

        // What has a whole number in an odd form is read twice: so that is not looked for in all the others.
        private void ReadPlain(byte[] json, Values values)
        {
            try
            {
                values.All[Position] = JsonSerializer.Deserialize(json, _info);
            }
            catch (Exception exception) when (exception is not OutOfMemoryException)
            {
                values.Note(IsOfReading(exception) ? new McpException(Explain(exception), exception) : exception);
            }
        }

        /// <summary>A value as the type reads it; null where it is that, or is no such value at all.</summary>
        public JsonElement? Plain(JsonElement value) =>
            WholeNumbers.WritePlainly(JsonMarshal.GetRawUtf8Value(value)) is { } plain && !IsReadable(value, Type)
                ? JsonElement.Parse(plain)
                : null;

        public void Check(JsonElement value)
        {
            if (schema.Find(value) is { } mistake)
            {
                throw Refuse(mistake);
            }
        }

        /// <summary>What the parameter is where its argument was left out.</summary>
        public object? GetLeftOut() =>
            !MustBeNull() ? _default
            : _isTree ? Null
            : JsonSerializer.Deserialize("null"u8, _info);

        /// <summary>Whether an argument that was left out counts as null: it has no default of its own.</summary>
        /// <exception cref="McpException">It must not be left out.</exception>
        public bool MustBeNull() => isRequired && (schema.MayBeNull ? true : throw new McpException($"{Name} is required."));

        private string Explain(Exception failure) =>
            $"{Name}{((failure as JsonException)?.Path is ['$', .. var within] ? within : "")} has a wrong form.";

        private McpException Refuse(SchemaMistake mistake) => new($"{Name}{mistake.Place} {mistake.Text}.");
    }
}
