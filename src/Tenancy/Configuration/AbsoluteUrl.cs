using System.Diagnostics.CodeAnalysis;

namespace Tenancy.Configuration;

/// <summary>Reads an absolute URL: one that says its scheme.</summary>
internal static class AbsoluteUrl
{
    /// <remarks>.NET takes <c>/etc/passwd</c> for an absolute URL on Unix, and <c>//host/share</c> everywhere: both as files.</remarks>
    public static bool TryParse(string text, [NotNullWhen(true)] out Uri? url) =>
        Uri.TryCreate(text, UriKind.Absolute, out url) && text.TrimStart().StartsWith(url.Scheme + ":", StringComparison.OrdinalIgnoreCase);
}
