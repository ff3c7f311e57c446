using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Tenancy.Configuration;

/// <summary>What a tenant's platform is built from and nobody may read, such as the key of an ad server: texts by their names.</summary>
/// <remarks>
/// Secrets are written and never shown: wherever they are serialized, <see cref="Hidden"/> stands for each value. In a change it stands for
/// the value that the tenant has. The store has them encrypted.
/// </remarks>
[JsonConverter(typeof(TenantSecretsConverter))]
public sealed class TenantSecrets : IEquatable<TenantSecrets>
{
    /// <summary>What stands for a value that is not shown.</summary>
    public const string Hidden = "(hidden)";

    /// <summary>What stands for the names of secrets that cannot be decrypted.</summary>
    internal const string Undecryptable = "(cannot be decrypted)";

    private const int MaxCount = 64;
    private const int MaxName = 100;
    private const int MaxValue = 8192;

    private readonly Dictionary<string, string> _values;

    /// <summary>Takes the secrets of a tenant.</summary>
    /// <param name="values">Their values by their names. No name may stand twice.</param>
    /// <exception cref="ArgumentException">A name stands twice.</exception>
    public TenantSecrets(IEnumerable<KeyValuePair<string, string>> values)
    {
        ArgumentNullException.ThrowIfNull(values);
        _values = [];
        foreach (var (name, value) in values)
        {
            _values.Add(name, value);
        }
    }

    private TenantSecrets(string ciphertext)
        : this([KeyValuePair.Create(Undecryptable, Hidden)]) => Ciphertext = ciphertext;

    /// <summary>Gets the names, in order.</summary>
    public IEnumerable<string> Names => _values.Keys.Order(StringComparer.Ordinal);

    /// <summary>The values by their names.</summary>
    internal IReadOnlyDictionary<string, string> Values => _values;

    /// <summary>What the store has, where that cannot be decrypted: it is kept as it is. Null elsewhere.</summary>
    internal string? Ciphertext { get; }

    /// <summary>The secrets that a store has, and that this server cannot decrypt.</summary>
    internal static TenantSecrets FromCiphertext(string ciphertext) => new(ciphertext);

    /// <summary>Finds a value.</summary>
    internal bool TryGet(string name, [NotNullWhen(true)] out string? value) => _values.TryGetValue(name, out value);

    /// <summary>Puts the values that a tenant has where a change of it has <see cref="Hidden"/>.</summary>
    /// <param name="written">What the change has.</param>
    /// <param name="there">What the tenant has.</param>
    internal static TenantSecrets? Resolve(TenantSecrets? written, TenantSecrets? there)
    {
        if (written is null || there is null)
        {
            return written;
        }

        if (there.Ciphertext is not null)
        {
            // Nobody here can say which there are: they stay together, or a change takes all of them out by the name that stands for them.
            return written._values.Count == 1 && written.TryGet(Undecryptable, out _) ? there : written;
        }

        return new(
            written._values.Select(secret =>
                secret.Value == Hidden && there.TryGet(secret.Key, out var value) ? KeyValuePair.Create(secret.Key, value) : secret
            )
        );
    }

    /// <summary>The names of the secrets that one of two tenants has and the other has not, or has with another value.</summary>
    internal static IEnumerable<string> Differences(TenantSecrets? before, TenantSecrets? after) =>
        (before?.Names ?? [])
            .Union(after?.Names ?? [], StringComparer.Ordinal)
            .Order(StringComparer.Ordinal)
            .Where(name => before?._values.GetValueOrDefault(name) != after?._values.GetValueOrDefault(name));

    /// <summary>Finds the mistakes. None tells a value.</summary>
    internal IEnumerable<TenantConfigError> Validate()
    {
        if (_values.Count > MaxCount)
        {
            yield return new("secrets", $"has {_values.Count}: {MaxCount} at most");
        }

        foreach (var (name, value) in Ciphertext is null ? _values : [])
        {
            var field = FieldPath.Join("secrets", name);
            if (name == Undecryptable)
            {
                yield return new(
                    field,
                    "stands for secrets that this server cannot decrypt, and would lose: set it to null, too, to write all of them anew"
                );
                continue;
            }

            if (name.Length is 0 or > MaxName || !name.All(static c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-'))
            {
                yield return new(field, $"a name has 1 to {MaxName} letters (a to z), digits, hyphens and underscores");
            }

            if (value == Hidden)
            {
                yield return new(field, $"'{Hidden}' stands for the value that the tenant has, and it has none: give the value");
            }
            else if (value.Length is 0 or > MaxValue)
            {
                yield return new(field, $"must have 1 to {MaxValue} characters, or be left out");
            }
        }
    }

    /// <inheritdoc/>
    public bool Equals(TenantSecrets? other) =>
        other is not null
        && Ciphertext == other.Ciphertext
        && _values.Count == other._values.Count
        && _values.All(secret => other.TryGet(secret.Key, out var value) && value == secret.Value);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as TenantSecrets);

    /// <inheritdoc/>
    public override int GetHashCode() => _values.Count;

    /// <summary>Says which there are, and nothing that a log must not have.</summary>
    public override string ToString() => string.Join(", ", Names);
}

/// <summary>Reads secrets, and writes their names alone. Nobody serializes a value by mistake.</summary>
internal sealed class TenantSecretsConverter : JsonConverter<TenantSecrets>
{
    public override TenantSecrets Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            throw new JsonException("must be an object: texts by their names");
        }

        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.GetString()!;
            reader.Read();
            if (reader.TokenType != JsonTokenType.String)
            {
                throw new JsonException($"'{name}' must be a text");
            }

            if (!values.TryAdd(name, reader.GetString()!))
            {
                throw new JsonException($"'{name}' stands twice: keep one");
            }
        }

        return new(values);
    }

    public override void Write(Utf8JsonWriter writer, TenantSecrets value, JsonSerializerOptions options)
    {
        writer.WriteStartObject();
        foreach (var name in value.Names)
        {
            writer.WriteString(name, TenantSecrets.Hidden);
        }

        writer.WriteEndObject();
    }
}
