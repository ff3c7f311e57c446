using System.Text.RegularExpressions;

namespace Tenancy.Registry;

/// <summary>
/// Takes out of a reason what an admin must not read, wherever it comes from: credentials, and line breaks that would forge a log.
/// </summary>
internal static partial class PublicReason
{
    private const int MaxLength = 500;
    private const string Hidden = "***";

    public static string Clean(string reason)
    {
        reason = ControlCharacters().Replace(reason, " ");
        reason = UserInfo().Replace(reason, "://");
        reason = Query().Replace(reason, "$1?" + Hidden);
        reason = Named().Replace(reason, "$1$2" + Hidden);
        reason = Scheme().Replace(reason, "$1 " + Hidden);
        reason = LongOpaque().Replace(reason, Hidden);
        return reason.Length <= MaxLength ? reason : string.Concat(reason.AsSpan(0, MaxLength), "...");
    }

    [GeneratedRegex(@"[\p{Cc}\u2028\u2029]+")]
    private static partial Regex ControlCharacters();

    [GeneratedRegex(@"://[^/\s]*@")]
    private static partial Regex UserInfo();

    [GeneratedRegex(@"([a-z][a-z0-9+.-]*://[^\s?'""]*)\?[^\s'""]*", RegexOptions.IgnoreCase)]
    private static partial Regex Query();

    [GeneratedRegex(
        @"((?:password|passwd|pwd|secret|token|credentials?|api[-_ ]?key|access[-_ ]?key|signature|assertion)[""']?)"
            + @"(\s*[=:]\s*)(?:""[^""]*""|'[^']*'|[^\s,;&]+)",
        RegexOptions.IgnoreCase
    )]
    private static partial Regex Named();

    [GeneratedRegex(@"\b(Bearer|Basic|Digest|Negotiate|DPoP)\s+[^\s,;]+", RegexOptions.IgnoreCase)]
    private static partial Regex Scheme();

    // Keys and tokens of any make: 20 characters or more without a break, with a digit among them. There may be dots between more of them,
    // as in JSON Web Tokens, and the id of a tenant before them, as in the bearer tokens that this server issues.
    [GeneratedRegex(
        @"(?<![A-Za-z0-9_+/=.-])(?=[A-Za-z0-9_+/=.-]*[0-9])(?![A-Za-z0-9.-]*\.[a-z]{2,}(?:[:/\s,;'""]|$))"
            + @"(?:[a-z0-9-]+\.)?[A-Za-z0-9_+/=-]{20,}(?:\.[A-Za-z0-9_+/=-]+)*"
    )]
    private static partial Regex LongOpaque();
}
