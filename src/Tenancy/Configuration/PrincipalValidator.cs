namespace Tenancy.Configuration;

/// <summary>Checks the principals that a tenant is to begin with.</summary>
internal static class PrincipalValidator
{
    /// <summary>The least length of a token's secret outside Development: 32 random bytes, in base64url.</summary>
    internal const int MinimumSecretLength = 43;

    /// <summary>The most principals of a tenant.</summary>
    internal const int MaximumPrincipals = 1000;

    private const int MaximumTokenLength = 1024;

    public static IEnumerable<TenantConfigError> Validate(
        string tenantId,
        IReadOnlyList<PrincipalRegistration> principals,
        bool allowsDevelopmentTokens
    )
    {
        if (principals.Count > MaximumPrincipals)
        {
            return [new("principals", $"has {principals.Count} principals: a tenant has {MaximumPrincipals} at most")];
        }

        var places = new Dictionary<string, int>(StringComparer.Ordinal);
        return principals.SelectMany(
            (principal, i) =>
                // JSON can say null in a list of what cannot be null.
                principal is null
                    ? [new($"principals[{i}]", "is null: give it a name, such as { \"name\": \"buyer\" }, or take it out")]
                    : Validate(tenantId, principal, allowsDevelopmentTokens)
                        .Concat(
                            principal.Token is { } token && !places.TryAdd(token, i)
                                ? [new("token", $"is that of principals[{places[token]}], too: give each its own, or leave it out")]
                                : []
                        )
                        .Select(error => new TenantConfigError($"principals[{i}].{error.Field}", error.Message))
        );
    }

    public static IEnumerable<TenantConfigError> Validate(string tenantId, PrincipalRegistration principal, bool allowsDevelopmentTokens)
    {
        foreach (var error in RecordFields.Validate(principal, TenancyJson.Default.PrincipalRegistration))
        {
            yield return error;
        }

        if (principal.Token is { } token && Explain(tenantId, token, allowsDevelopmentTokens) is { } reason)
        {
            yield return new("token", reason);
        }

        for (var i = 0; i < Math.Min(principal.Scopes.Count, PrincipalRegistration.MaxScopes); i++)
        {
            if (!OAuthScope.IsValid(principal.Scopes[i]))
            {
                yield return new($"scopes[{i}]", OAuthScope.Rule);
            }
        }
    }

    /// <summary>
    /// Whether a token may be used where this server runs: development tokens are refused elsewhere, however they got in.
    /// </summary>
    internal static bool IsStrongEnough(ReadOnlySpan<char> token, bool allowsDevelopmentTokens) =>
        allowsDevelopmentTokens || token.Length - token.IndexOf('.') - 1 >= MinimumSecretLength;

    private static string? Explain(string tenantId, string token, bool allowsDevelopmentTokens)
    {
        if (!token.StartsWith(tenantId + ".", StringComparison.Ordinal))
        {
            return $"must begin with the tenant's id and a dot: '{tenantId}.'";
        }

        if (token.Length > MaximumTokenLength || token.Any(c => c is not (> ' ' and < '\u007f')))
        {
            return $"must have at most {MaximumTokenLength} visible ASCII characters";
        }

        return IsStrongEnough(token, allowsDevelopmentTokens)
            ? null
            : $"is too easy to guess outside Development: leave it out to have one generated, or put at least {MinimumSecretLength} "
                + $"random base64url characters (32 bytes) after '{tenantId}.'";
    }
}
