using System.Buffers;
using System.Text;
using System.Text.Json;

namespace Tenancy.Configuration;

/// <summary>
/// Checks how a tenant wants its callers to prove who they are. Values are repeated only where no credential can hide in them.
/// </summary>
internal sealed class TenantAuthenticationValidator(TenancyOptions options)
{
    private const int MaxLength = 1024;
    private const string SubjectField = "authentication.subjectClaim";
    private const string IssuerOfDefault =
        "is required, because Tenancy:Defaults makes this a jwks tenant: add \"authentication\": { \"kind\": \"jwks\", \"issuer\": "
        + "\"https://auth.example.com\" } with the URL that stands in the tokens' iss, or another kind";

    private const string IssuerWithoutUrl =
        "; for an issuer that is no URL give jwksUri, the URL of its keys, and neither tokenUrl nor authorizationUrl";

    // RFC 3986, section 2. What is left out here separates an issuer from other things elsewhere.
    private static readonly SearchValues<char> UrlCharacters = SearchValues.Create(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~:/?#[]@!$&'()*+,;=%"
    );

    /// <param name="tenant">What an admin wrote.</param>
    /// <param name="authentication">How the tenant's callers prove who they are, the default where the admin left it out.</param>
    /// <param name="errors">Gets what is wrong.</param>
    public void Validate(TenantConfig tenant, TenantAuthentication authentication, List<TenantConfigError> errors)
    {
        RefuseOtherKinds(authentication, errors);
        if (authentication.Kind == TenantAuthenticationKind.Jwks)
        {
            ValidateJwks(tenant, authentication, errors);
        }
        else if (authentication.Kind == TenantAuthenticationKind.Scheme)
        {
            ValidateScheme(authentication, errors);
        }
    }

    private static void RefuseOtherKinds(TenantAuthentication authentication, List<TenantConfigError> errors)
    {
        var type = TenancyJson.Default.TenantAuthentication;
        var given = RecordFields
            .Compare(new() { Kind = authentication.Kind }, authentication, type)
            .Select(change => change.Field)
            .ToHashSet();
        foreach (var field in type.Properties.Where(field => given.Contains(field.Name)))
        {
            var owner = field.AttributeProvider!.GetCustomAttributes(inherit: true).OfType<OfKindAttribute>().SingleOrDefault();
            if (owner is not null && owner.Kind != authentication.Kind)
            {
                var kind = JsonNamingPolicy.CamelCase.ConvertName($"{owner.Kind}");
                errors.Add(new($"authentication.{field.Name}", $"belongs to the kind '{kind}': leave it out, or change the kind"));
            }
        }
    }

    private void ValidateScheme(TenantAuthentication authentication, List<TenantConfigError> errors)
    {
        if (authentication.Scheme is null || !options.Schemes.ContainsKey(authentication.Scheme))
        {
            errors.Add(
                new(
                    "authentication.scheme",
                    options.Schemes.Count == 0
                        ? "cannot be used: this server adds none, as AddTenantScheme does"
                        : "must be one of those that this server adds: "
                            + $"{string.Join(", ", options.Schemes.Keys.Order(StringComparer.Ordinal))}"
                )
            );
        }
    }

    private void ValidateJwks(TenantConfig tenant, TenantAuthentication authentication, List<TenantConfigError> errors)
    {
        if (authentication.Issuer is not { } issuer)
        {
            errors.Add(
                new(
                    "authentication.issuer",
                    tenant.Authentication is null ? IssuerOfDefault : "is required for jwks: the https URL that stands in the tokens' iss"
                )
            );
        }
        else if (ExplainIssuer(issuer, authentication) is { } reason)
        {
            errors.Add(new("authentication.issuer", reason));
        }

        CheckClaim(authentication.SubjectClaim, SubjectField, errors);
        CheckClaim(authentication.ClientClaim, "authentication.clientClaim", errors);
        if (authentication.SubjectClaim is { } subject && subject == authentication.ClientClaim)
        {
            errors.Add(new(SubjectField, $"cannot be '{subject}', which is the clientClaim: all users of a client would be one caller"));
        }

        if (authentication.TokenType is not (null or TenantAuthentication.AccessTokenType))
        {
            errors.Add(new("authentication.tokenType", $"must be '{TenantAuthentication.AccessTokenType}' (RFC 9068), or be left out"));
        }

        CheckUrl(authentication.JwksUri, "authentication.jwksUri", errors);
        CheckUrl(authentication.TokenUrl, "authentication.tokenUrl", errors);
        CheckUrl(authentication.AuthorizationUrl, "authentication.authorizationUrl", errors);
        CheckList(authentication.Audiences, "authentication.audiences", IsAudience, "must be whole characters", errors);
        CheckList(
            authentication.Scopes,
            "authentication.scopes",
            OAuthScope.IsValid,
            "must be visible ASCII without spaces, '\"' and '\\' (RFC 6749, section 3.3)",
            errors
        );
        CheckList(
            authentication.ScopeClaims,
            "authentication.scopeClaims",
            claim => !ReassignableClaims.Contains(claim) && !ReassignableClaims.IsProtocols(claim) && !ReassignableClaims.IsIdentity(claim),
            "must be claims that the issuer gives rights by, such as 'roles': none that a user can choose, and none of the protocol's own",
            errors
        );
        if (authentication is { AudienceFromClients: true, RequireClients: false })
        {
            errors.Add(
                new(
                    "authentication.audienceFromClients",
                    "takes requireClients: true, because only a client that the tenant lists can stand for its audience"
                )
            );
        }

        if (!authentication.AudienceFromClients && TenantAudiences.Of(tenant, options).Count == 0)
        {
            errors.Add(
                new(
                    "authentication.audiences",
                    "is needed: the tenant has no URL of its own that a token could name; list what the issuer puts into aud, or give "
                        + "the tenant a URL"
                )
            );
        }
    }

    // Whoever is known by such a claim today may be somebody else tomorrow, and would get all that belongs to the caller.
    private static void CheckClaim(string? claim, string field, List<TenantConfigError> errors)
    {
        if (claim is null)
        {
            return;
        }

        if (claim.Any(c => char.IsControl(c) || char.IsSurrogate(c)) || claim.Trim().Length != claim.Length)
        {
            errors.Add(new(field, "must be the name of a claim, without control characters and without spaces around it"));
        }
        else if (ReassignableClaims.Contains(claim))
        {
            errors.Add(
                new(field, $"cannot be '{claim}', which can be given to somebody else: use one that never is, such as 'sub' or 'oid'")
            );
        }
        else if (ReassignableClaims.IsProtocols(claim))
        {
            errors.Add(new(field, $"cannot be '{claim}', which says something else of a token"));
        }
        else if (field == SubjectField && ReassignableClaims.IsOfMany(claim))
        {
            errors.Add(new(field, $"cannot be '{claim}', which many users have alike: they would be one caller"));
        }
        else if (field == SubjectField ? claim is "azp" or "client_id" or "cid" or "appid" : claim is "sub" or "uid" or "oid")
        {
            errors.Add(new(field, $"cannot be '{claim}': a user would be taken for a client, or all users of a client for one"));
        }
    }

    private void CheckUrl(string? url, string field, List<TenantConfigError> errors)
    {
        if (url is not null && ExplainUrl(url, allowQuery: true) is { } reason)
        {
            errors.Add(new(field, reason));
        }
    }

    // An issuer that is fetched is a URL. Where only its keys are, it is a name that is compared (RFC 7519, section 2, StringOrURI). It has
    // none of the characters that separate an issuer from other things elsewhere.
    private string? ExplainIssuer(string issuer, TenantAuthentication authentication)
    {
        var isFetched =
            authentication.JwksUri is null || authentication.TokenUrl is not null || authentication.AuthorizationUrl is not null;
        if (
            isFetched
            || issuer.StartsWith("http:", StringComparison.OrdinalIgnoreCase)
            || issuer.StartsWith("https:", StringComparison.OrdinalIgnoreCase)
        )
        {
            return ExplainUrl(issuer, allowQuery: false) is { } reason
                ? reason + (isFetched && !issuer.Contains("://", StringComparison.Ordinal) ? IssuerWithoutUrl : "")
                : null;
        }

        return issuer.Length is 0 or > MaxLength || issuer.AsSpan().ContainsAnyExcept(UrlCharacters)
            ? $"must have 1 to {MaxLength} characters, and only those that a URL may have"
            : null;
    }

    // Some identity providers name their policy in the query of the keys' URL; an issuer has none (RFC 8414, section 2).
    private string? ExplainUrl(string text, bool allowQuery)
    {
        if (
            text.Length > MaxLength
            || text.AsSpan().ContainsAnyExcept(UrlCharacters)
            || !Uri.TryCreate(text, UriKind.Absolute, out var uri)
        )
        {
            return "must be an absolute https URL, such as https://auth.example.com";
        }

        if (uri.UserInfo.Length > 0)
        {
            return "must not carry a user name or password";
        }

        if (text.Contains('#', StringComparison.Ordinal) || (!allowQuery && text.Contains('?', StringComparison.Ordinal)))
        {
            return allowQuery ? "must not have a fragment" : "must not have a query or a fragment";
        }

        return options.Validation.AllowsScheme(uri)
            ? null
            : "must begin with https://; http is for loopback hosts in Development, or where the operator sets "
                + "Tenancy:Validation:AllowHttp";
    }

    private static void CheckList(
        IReadOnlyList<string> items,
        string field,
        Func<string, bool> isGood,
        string message,
        List<TenantConfigError> errors
    )
    {
        for (var i = 0; i < Math.Min(items.Count, TenantAuthentication.MaxItems); i++)
        {
            if (items[i] is not { Length: > 0 and <= MaxLength } || !isGood(items[i]))
            {
                errors.Add(new($"{field}[{i}]", $"{message}, and 1 to {MaxLength} of them"));
            }
            else if (items.Take(i).Contains(items[i], StringComparer.Ordinal))
            {
                errors.Add(new($"{field}[{i}]", $"'{items[i]}' is listed twice"));
            }
        }
    }

    // Whatever an issuer puts there. Half of a surrogate pair is no character, and would be stored as another one.
    private static bool IsAudience(string audience)
    {
        for (var i = 0; i < audience.Length; i++)
        {
            if (!Rune.TryGetRuneAt(audience, i, out var rune))
            {
                return false;
            }

            i += rune.Utf16SequenceLength - 1;
        }

        return true;
    }
}
