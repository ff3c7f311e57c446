using Microsoft.Extensions.Hosting;

namespace Tenancy.Configuration;

/// <summary>Checks the principals that a tenant is to begin with.</summary>
internal static class PrincipalValidator
{
    /// <summary>The least length of a token's secret outside Development: 32 random bytes, in base64url.</summary>
    internal const int MinimumSecretLength = 43;

    private const int MaximumTokenLength = 1024;

    public static IEnumerable<TenantConfigError> Validate(string tenantId, IReadOnlyList<PrincipalRegistration> principals, IHostEnvironment environment)
    {
        for (var i = 0; i < principals.Count; i++)
        {
            if (principals[i].Name is not { Length: > 0 and <= 200 })
            {
                yield return new($"principals[{i}].name", "must have 1 to 200 characters");
            }

            if (principals[i].Token is { } token && Explain(tenantId, token, environment) is { } reason)
            {
                yield return new($"principals[{i}].token", reason);
            }
        }
    }

    /// <summary>Whether a token may be used where this server runs: development tokens are refused elsewhere, however they got in.</summary>
    internal static bool IsStrongEnough(ReadOnlySpan<char> token, IHostEnvironment environment) =>
        environment.IsDevelopment() || token.Length - token.IndexOf('.') - 1 >= MinimumSecretLength;

    private static string? Explain(string tenantId, string token, IHostEnvironment environment)
    {
        if (!token.StartsWith(tenantId + ".", StringComparison.Ordinal))
        {
            return $"must begin with the tenant's id and a dot: '{tenantId}.'";
        }

        if (token.Length > MaximumTokenLength || token.Any(c => c is not (> ' ' and < '\u007f')))
        {
            return $"must have at most {MaximumTokenLength} visible ASCII characters";
        }

        return IsStrongEnough(token, environment)
            ? null
            : $"is too easy to guess outside Development: leave it out to have one generated, or put at least {MinimumSecretLength} random base64url characters (32 bytes) after '{tenantId}.'";
    }
}
