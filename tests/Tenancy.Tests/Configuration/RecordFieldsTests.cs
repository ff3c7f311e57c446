using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Tenancy.Admin;
using Tenancy.Configuration;

namespace Tenancy.Tests.Configuration;

/// <summary>A property is a field everywhere: a tenant with more properties goes through the code that every tenant does.</summary>
public sealed class RecordFieldsTests
{
    private static readonly PaintedTenant Plain = Read("""{"id":"acme"}""");

    public static TheoryData<Type> Records =>
        [
            typeof(TenantConfig),
            typeof(TenantAuthentication),
            typeof(TenantLimits),
            typeof(ToolLimits),
            typeof(PrincipalRegistration),
            typeof(ClientRegistration),
        ];

    [Fact]
    public void A_new_property_is_read_and_written()
    {
        var tenant = Read("""{"id":"acme","colour":"red","paint":{"coats":3},"brushes":["flat"],"limits":{"maxSessions":2}}""");
        Assert.Equal("red", tenant.Colour);
        Assert.Equal(3, tenant.Paint!.Coats);
        Assert.Equal(["flat"], tenant.Brushes);
        var written = JsonSerializer.SerializeToNode(tenant, PaintedJson.Default.PaintedTenant)!;
        Assert.Equal("red", written["colour"]!.ToString());
        Assert.Empty(Compare(tenant, Read(written.ToJsonString())));
        Assert.Throws<JsonException>(() => Read("""{"id":"acme","color":"red"}"""));
    }

    [Fact]
    public void A_change_of_a_new_property_is_found_with_what_it_makes_necessary()
    {
        var painted = Plain with { Colour = "red", Paint = new(), Brushes = ["flat", "round"], Limits = new() };
        Assert.Equal([new("colour", ChangeEffects.EndOfStreams)], Compare(Plain, Plain with { Colour = "red" }));
        Assert.Equal([new("colour", ChangeEffects.Stored)], Compare(painted, painted with { Colour = "blue" }));
        Assert.Equal([new("paint", ChangeEffects.Validation)], Compare(Plain, Plain with { Paint = new() }));
        Assert.Equal([new("paint.coats", ChangeEffects.Validation)], Compare(painted, painted with { Paint = new(Coats: 2) }));
        Assert.Equal([new("paint.gloss", ChangeEffects.Stored)], Compare(painted, painted with { Paint = new(Gloss: true) }));
        Assert.Equal([new("brushes", ChangeEffects.NewPlatform)], Compare(painted, painted with { Brushes = ["round", "flat"] }));
        Assert.Equal(
            [new("name", ChangeEffects.Stored), new("limits.maxClients", ChangeEffects.Stored)],
            Compare(painted, painted with { Name = "ACME", Limits = new(MaxClients: 7) })
        );
        Assert.Empty(Compare(painted, painted with { Brushes = ["flat", "round"], Paint = new(), Limits = new() }));
    }

    [Theory]
    [InlineData("""{"colour":""}""", "colour", "must have 1 to 20 characters, or be left out")]
    [InlineData("""{"paint":{"coats":0}}""", "paint.coats", "is 0: use a whole number from 1 to 9")]
    [InlineData("""{"paint":{"coats":10}}""", "paint.coats", "is 10: use a whole number from 1 to 9")]
    [InlineData("""{"brushes":["a","b","c"]}""", "brushes", "has 3 values: 2 are the most")]
    [InlineData(
        """{"limits":{"tools":{"a.b":{"rateLimit":0}}}}""",
        "limits.tools['a.b'].rateLimit",
        "is 0: use a whole number from 1 to 60000000"
    )]
    [InlineData("""{"limits":{"maxClients":10001}}""", "limits.maxClients", "is 10001: use a whole number from 1 to 10000")]
    public void A_value_beyond_the_bounds_of_a_new_property_is_found(string patch, string field, string message)
    {
        var tenant = Patch(Plain, patch);
        var error = Assert.Single(RecordFields.Validate(tenant, PaintedJson.Default.PaintedTenant));
        Assert.Equal(new(field, message), error);
    }

    [Fact]
    public void A_value_within_the_bounds_of_a_new_property_is_no_mistake()
    {
        var tenant = Patch(Plain, """{"colour":"r","paint":{"coats":9},"brushes":["a","b"],"limits":{"maxDocumentBytes":1099511627776}}""");
        Assert.Empty(RecordFields.Validate(tenant, PaintedJson.Default.PaintedTenant));
    }

    [Fact]
    public void A_new_property_is_patched()
    {
        var painted = Patch(Plain, """{"colour":"red","paint":{"coats":3,"gloss":true},"brushes":["flat"]}""");
        Assert.Equal(("red", 3, true), (painted.Colour, painted.Paint!.Coats, painted.Paint.Gloss));
        var again = Patch(painted, """{"colour":null,"paint":{"coats":null}}""");
        Assert.Equal((null, 1, true), (again.Colour, again.Paint!.Coats, again.Paint.Gloss));
        Assert.Equal(["flat"], again.Brushes);
    }

    [Theory]
    [InlineData("""{"paint":{"coatz":null}}""", "paint.coatz: there is no such field to take out; check its spelling: perhaps 'coats'")]
    [InlineData("""{"paint":{"coatz":1}}""", "paint.coatz: there is no such field; check its spelling: perhaps 'coats'")]
    [InlineData("""{"paint":{"coats":"x"}}""", "paint.coats: the value has a wrong type, or is none of the known ones: use a whole number")]
    [InlineData("""{"paint":[]}""", "paint: the value has a wrong type, or is none of the known ones: use an object")]
    [InlineData("""{"brushes":1}""", "brushes: the value has a wrong type, or is none of the known ones: use a list")]
    public void A_mistake_in_a_patch_of_a_new_property_says_what_may_be_meant(string patch, string message) =>
        Assert.Equal(message, Assert.Throws<TenantConfigPatchException>(() => Patch(Plain with { Paint = new() }, patch)).Error.ToString());

    [Theory]
    [MemberData(nameof(Records))]
    public void Every_property_of_a_record_is_a_field(Type record)
    {
        var fields = RecordFields.Of(TenancyJson.Default.GetTypeInfo(record)!).Select(field => field.Field.Name).ToHashSet();
        var properties = record.GetProperties(BindingFlags.Public | BindingFlags.Instance);
        Assert.Equal(properties.Select(property => JsonNamingPolicy.CamelCase.ConvertName(property.Name)).ToHashSet(), fields);
    }

    /// <summary>A generated serializer passes 0, false or null for what a text leaves out: an init accessor loses its default.</summary>
    [Theory]
    [MemberData(nameof(Records))]
    public void What_a_text_leaves_out_has_the_default_of_the_type(Type record)
    {
        var type = TenancyJson.Default.GetTypeInfo(record)!;
        var read = Least(type).Deserialize(type)!;
        var made = record.GetConstructors().MinBy(constructor => constructor.GetParameters().Length)!;
        var initial = made.Invoke(made.GetParameters().Select(parameter => parameter.DefaultValue).ToArray());
        Assert.All(RecordFields.Of(type).Select(field => field.Field).Where(field => !field.IsRequired), field =>
            Assert.Equal(field.Get!(initial), field.Get!(read))
        );
    }

    [Theory]
    [MemberData(nameof(Records))]
    public void Every_bound_of_a_field_is_checked_and_what_is_just_within_is_not_refused(Type record)
    {
        var type = TenancyJson.Default.GetTypeInfo(record)!;
        foreach (var field in RecordFields.Of(type).Select(field => field.Field))
        {
            foreach (var (value, isWithin) in AtBounds(field))
            {
                var fields = Least(type);
                fields[field.Name] = value;
                var errors = RecordFields.Validate(fields.Deserialize(type)!, type).Where(error => error.Field == field.Name);
                Assert.True(!errors.Any() == isWithin, $"{record.Name}.{field.Name}, isWithin: {isWithin}");
            }
        }
    }

    [Fact]
    public void The_records_have_bounds_of_every_kind() =>
        Assert.Superset(
            new HashSet<Type> { typeof(RangeAttribute), typeof(LengthAttribute), typeof(MaxLengthAttribute) },
            Records
                .SelectMany(record => RecordFields.Of(TenancyJson.Default.GetTypeInfo(record.Data)!))
                .SelectMany(field => field.Field.AttributeProvider!.GetCustomAttributes(typeof(ValidationAttribute), inherit: true))
                .Select(bound => bound.GetType())
                .ToHashSet()
        );

    /// <summary>The values at each end of a field's bounds, and those beyond.</summary>
    private static IEnumerable<(JsonNode Value, bool IsWithin)> AtBounds(JsonPropertyInfo field)
    {
        foreach (var bound in field.AttributeProvider!.GetCustomAttributes(typeof(ValidationAttribute), inherit: true))
        {
            IEnumerable<(JsonNode, bool)> values = bound switch
            {
                RangeAttribute range =>
                [
                    (Convert.ToInt64(range.Minimum, CultureInfo.InvariantCulture) - 1, false),
                    (Convert.ToInt64(range.Minimum, CultureInfo.InvariantCulture), true),
                    (Convert.ToInt64(range.Maximum, CultureInfo.InvariantCulture), true),
                    (Convert.ToInt64(range.Maximum, CultureInfo.InvariantCulture) + 1, false),
                ],
                LengthAttribute length =>
                [
                    (new string('x', length.MinimumLength - 1), false),
                    (new string('x', length.MinimumLength), true),
                    (new string('x', length.MaximumLength), true),
                    (new string('x', length.MaximumLength + 1), false),
                ],
                MaxLengthAttribute most => [(Several(field, most.Length), true), (Several(field, most.Length + 1), false)],
                _ => [],
            };
            foreach (var value in values)
            {
                yield return value;
            }
        }
    }

    private static JsonNode Several(JsonPropertyInfo field, int count) =>
        typeof(IEnumerable<string>).IsAssignableFrom(field.PropertyType)
            ? new JsonArray([.. Enumerable.Range(0, count).Select(i => JsonValue.Create($"x{i}"))])
            : new JsonObject(Enumerable.Range(0, count).Select(i => KeyValuePair.Create($"x{i}", (JsonNode?)new JsonObject())));

    /// <summary>A record of which nothing is said but what has to be.</summary>
    private static JsonObject Least(JsonTypeInfo type) =>
        new(
            RecordFields
                .Of(type)
                .Where(field => field.Field.IsRequired)
                .Select(field => KeyValuePair.Create(field.Field.Name, (JsonNode?)(field.Field.PropertyType.IsEnum ? "bearer" : "x")))
        );

    private static PaintedTenant Read(string text) => JsonSerializer.Deserialize(text, PaintedJson.Default.PaintedTenant)!;

    private static PaintedTenant Patch(PaintedTenant tenant, string patch) =>
        MergePatch.Apply(tenant, JsonNode.Parse(patch)!.AsObject(), PaintedJson.Default.PaintedTenant, PaintedJson.Default.PaintedTenant);

    private static IEnumerable<FieldChange> Compare(PaintedTenant before, PaintedTenant after) =>
        RecordFields.Compare(before, after, PaintedJson.Default.PaintedTenant);
}

/// <summary>A tenant with properties that no other code knows of.</summary>
internal sealed record PaintedTenant : TenantConfig
{
    [Length(1, 20)]
    [OnChange(ChangeEffects.EndOfStreams, To = "red")]
    public string? Colour { get; init; }

    public Paint? Paint { get; init; }

    [MaxLength(2)]
    [OnChange(ChangeEffects.NewPlatform)]
    public IReadOnlyList<string> Brushes
    {
        get;
        init => field = value ?? [];
    } = [];
}

[OnChange(ChangeEffects.Validation)]
internal sealed record Paint(
    [property: Range(1, 9), Unit("coats")] int Coats = 1,
    [property: OnChange(ChangeEffects.Stored)] bool Gloss = false
);

[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web,
    PropertyNameCaseInsensitive = false,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull
)]
[JsonSerializable(typeof(PaintedTenant))]
internal sealed partial class PaintedJson : JsonSerializerContext;
