using System.Collections.Frozen;

namespace Tenancy.Configuration;

/// <summary>
/// The claims whose value one person has today and another tomorrow, or which people can choose themselves: nobody is known by them.
/// </summary>
internal static class ReassignableClaims
{
    // Compared by their letters alone, so that the many spellings of one thing are one.
    private static readonly FrozenSet<string> Names = new[]
    {
        "email",
        "emails",
        "emailaddress",
        "emailverified",
        "verifiedprimaryemail",
        "verifiedsecondaryemail",
        "mail",
        "name",
        "names",
        "fullname",
        "displayname",
        "commonname",
        "cn",
        "preferredusername",
        "uniquename",
        "username",
        "user",
        "login",
        "loginname",
        "loginhint",
        "signinname",
        "samaccountname",
        "windowsaccountname",
        "upn",
        "userprincipalname",
        "nickname",
        "handle",
        "givenname",
        "firstname",
        "middlename",
        "familyname",
        "lastname",
        "surname",
        "profile",
        "picture",
        "website",
        "address",
        "streetaddress",
        "phone",
        "phonenumber",
        "mobile",
        "mobilephone",
        "homephone",
        "otherphone",
        "ipaddr",
        "ipaddress",
    }.ToFrozenSet(StringComparer.Ordinal);

    // Whatever stands before or beside these: user_email, contactEmail, work_phone, SlackName.
    private static readonly string[] Parts = ["mail", "phone"];
    private static readonly string[] Ends = ["name", "login", "upn", "handle"];

    // What a directory or a certificate authority gives to one only (X.501; RFC 5280, section 4.1.2.6).
    private static readonly FrozenSet<string> LastingNames = FrozenSet.Create("distinguishedname", "xdistinguishedname");

    // What the protocols put into a token about the token itself, the moment or the session.
    private static readonly FrozenSet<string> OfProtocols = new[]
    {
        "iss",
        "aud",
        "exp",
        "nbf",
        "iat",
        "jti",
        "typ",
        "nonce",
        "sid",
        "session_state",
        "auth_time",
        "acr",
        "amr",
        "at_hash",
        "c_hash",
        "s_hash",
        "events",
        "cnf",
        "act",
        "may_act",
        "scope",
        "scp",
        "token_use",
        "gty",
        "idtyp",
        "uti",
        "rh",
        "aio",
        "ver",
    }.ToFrozenSet(StringComparer.Ordinal);

    // What many users have alike: where they belong, what they may do, how they came.
    private static readonly FrozenSet<string> OfMany = FrozenSet.Create(
        StringComparer.Ordinal,
        "tid",
        "tenant",
        "tenantid",
        "org",
        "orgid",
        "organization",
        "organizationid",
        "realm",
        "hd",
        "group",
        "groups",
        "role",
        "roles",
        "permissions",
        "birthdate",
        "gender",
        "locale",
        "zoneinfo",
        "granttype",
        "client",
        "clientid",
        "applicationid",
        "sessionid"
    );

    private static readonly FrozenSet<string> Identities = FrozenSet.Create(
        StringComparer.Ordinal,
        "sub",
        "oid",
        "uid",
        "tid",
        "azp",
        "client_id",
        "cid",
        "appid"
    );

    /// <summary>Whether many users have a claim alike, so that it tells none of them from another.</summary>
    public static bool IsOfMany(string claim) => OfMany.Contains(Letters(claim));

    /// <summary>Whether a claim says who somebody is, and not what they may do.</summary>
    public static bool IsIdentity(string claim) => Identities.Contains(claim);

    /// <summary>Whether a claim is one of the protocols' own, which names nobody.</summary>
    public static bool IsProtocols(string claim) => OfProtocols.Contains(claim);

    /// <summary>Whether a claim can be given to somebody else.</summary>
    /// <param name="claim">The name of a claim; of a URI the last part counts.</param>
    public static bool Contains(string claim)
    {
        var letters = Letters(claim);
        return Names.Contains(letters)
            || Parts.Any(part => letters.Contains(part, StringComparison.Ordinal))
            || (!LastingNames.Contains(letters) && Ends.Any(end => letters.EndsWith(end, StringComparison.Ordinal)));
    }

    /// <summary>Whether a claim tells something of a person. A client has a name and an address, too, under a name of their own.</summary>
    /// <param name="claim">The name of a claim; of a URI the last part counts.</param>
    public static bool TellsOfPerson(string claim)
    {
        var letters = Letters(claim);
        return (Names.Contains(letters) && !letters.StartsWith("ipaddr", StringComparison.Ordinal))
            || Parts.Any(part => letters.Contains(part, StringComparison.Ordinal));
    }

    /// <summary>The letters of a claim's name, in lower case; of a URI those of the last part.</summary>
    public static string Letters(string claim)
    {
        var whole = claim.TrimEnd('/', '#', ':');
        return string.Concat(whole[(whole.LastIndexOfAny(['/', '#', ':']) + 1)..].Where(char.IsLetter)).ToLowerInvariant();
    }
}
