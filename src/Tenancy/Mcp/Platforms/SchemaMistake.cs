namespace Tenancy.Mcp.Platforms;

/// <summary>Where a value breaks its schema, and how.</summary>
/// <param name="Place">The place below the value, such as <c>.friends[1].name</c>; empty for the value itself.</param>
/// <param name="Text">What is wrong there.</param>
internal sealed record SchemaMistake(string Place, string Text)
{
    /// <summary>The same mistake, seen from the object or list that the value is in.</summary>
    public SchemaMistake Below(string place) => this with { Place = place + Place };
}
