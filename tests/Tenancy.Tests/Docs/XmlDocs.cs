using System.Reflection;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Tenancy.Tests.Docs;

/// <summary>What the documentation comments of a library say of its properties, as Markdown.</summary>
internal sealed partial class XmlDocs(params XDocument[] files)
{
    private readonly Dictionary<string, XElement> _properties = files
        .SelectMany(file => file.Descendants("member"))
        .Where(member => member.Attribute("name")!.Value.StartsWith("P:", StringComparison.Ordinal))
        .ToDictionary(member => member.Attribute("name")!.Value, StringComparer.Ordinal);

    /// <summary>Reads the files that the compiler wrote beside the libraries.</summary>
    public static XmlDocs Load(params Assembly[] libraries) =>
        new([.. libraries.Select(library => XDocument.Load(Path.Combine(AppContext.BaseDirectory, library.GetName().Name + ".xml")))]);

    /// <summary>What a property is for, and its default where the comment says one.</summary>
    public (string Text, string? Default) Of(PropertyInfo property)
    {
        var name = $"P:{property.DeclaringType!.FullName!.Replace('+', '.')}.{property.Name}";
        var member = _properties.GetValueOrDefault(name) ?? throw new InvalidOperationException($"{name} has no documentation comment.");
        var text = string.Join(' ', new[] { "summary", "remarks", "value" }.SelectMany(part => member.Elements(part)).Select(Render));
        var isDefault = Default().Match(text);
        text = Spaces().Replace(Accessors().Replace(Default().Replace(text, ""), ""), " ").Trim();
        return (char.ToUpperInvariant(text[0]) + text[1..], isDefault.Success ? isDefault.Groups[1].Value : null);
    }

    private static string Render(XElement element) => Spaces().Replace(string.Concat(element.Nodes().Select(Render)), " ").Trim();

    private static string Render(XNode node) =>
        node switch
        {
            XText text => text.Value,
            XElement { Name.LocalName: "see" } see => $"`{see.Attribute("cref")!.Value.Split('.')[^1]}`",
            XElement { Name.LocalName: "c" } code => $"`{code.Value}`",
            XElement other => Render(other),
            _ => "",
        };

    [GeneratedRegex(@"Default: (.+?)\.(?= |$)")]
    private static partial Regex Default();

    [GeneratedRegex("^Gets (or sets )?")]
    private static partial Regex Accessors();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Spaces();
}
