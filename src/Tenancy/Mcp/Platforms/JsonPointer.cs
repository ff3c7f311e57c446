namespace Tenancy.Mcp.Platforms;

/// <summary>References within a schema, which are JSON pointers in a fragment (RFC 6901, section 6).</summary>
internal static class JsonPointer
{
    /// <summary>The names on the way from the root to what a reference such as <c>#/properties/a~1b</c> leads to.</summary>
    public static IEnumerable<string> Read(string reference) =>
        reference
            .TrimStart('#')
            .Split('/', StringSplitOptions.RemoveEmptyEntries)
            .Select(part => part.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal));
}
