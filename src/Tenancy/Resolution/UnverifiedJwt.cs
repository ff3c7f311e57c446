using System.Diagnostics.CodeAnalysis;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Tenancy.Resolution;

/// <summary>Reads what a JWT says of itself before anybody has checked it.</summary>
internal static class UnverifiedJwt
{
    public static bool TryRead(string token, [NotNullWhen(true)] out JsonWebToken? jwt)
    {
        jwt = null;
        if (token.Length > BearerToken.MaxLength || token.AsSpan().Count('.') != 2)
        {
            return false;
        }

        try
        {
            jwt = new(token);
            return true;
        }
        catch (Exception exception)
            when (exception is ArgumentException or FormatException or SecurityTokenException or System.Text.Json.JsonException)
        {
            return false;
        }
    }
}
