namespace Tenancy.Configuration;

/// <summary>The form of a scope (RFC 6749, section 3.3).</summary>
internal static class OAuthScope
{
    public const string Rule = "must have 1 to 1024 visible ASCII characters, without spaces, '\"' and '\\' (RFC 6749, section 3.3)";

    private const int MaxLength = 1024;

    public static bool IsValid(string? scope) =>
        scope is { Length: > 0 and <= MaxLength } && scope.All(c => c is >= '!' and <= '~' and not ('"' or '\\'));
}
