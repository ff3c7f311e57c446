using System.Security.Claims;
using System.Text.Json;
using Tenancy.Configuration;
using Tenancy.Outbound;
using Tenancy.Registry;
using Tenancy.Resolution;

namespace Tenancy.Authentication;

/// <summary>
/// The rules by which one tenant's JSON Web Tokens are good (RFC 9068, section 4). What a token says of itself is looked at first, because
/// that costs less than its signature; only with the signature is any of it believed.
/// </summary>
/// <param name="tenant">The tenant.</param>
/// <param name="authentication">How its callers prove who they are.</param>
/// <param name="audiences">What a token for it may name as its audience.</param>
/// <param name="isBound">Whether an audience is an address of the tenant at which this server listens.</param>
/// <param name="time">The clock.</param>
internal sealed class TokenRules(
    TenantId tenant,
    TenantAuthentication authentication,
    IReadOnlyList<string> audiences,
    Func<string, bool> isBound,
    TimeProvider time
)
{
    /// <summary>How far clocks may differ.</summary>
    public static readonly TimeSpan ClockSkew = TimeSpan.FromMinutes(1);

    private const int MaxDescribed = 8;

    /// <summary>Whether the time of a token is over.</summary>
    public static bool IsOver(DateTimeOffset expiry, TimeProvider time) => expiry <= time.GetUtcNow() - ClockSkew;

    /// <summary>Why a token is refused whose client its tenant does not list.</summary>
    public static TokenRefusal ExplainClient(TenantModel tenant, string? client) =>
        new(
            RefusalCause.Client,
            client is null
                ? $"The token names no client in {tenant.Config.Authentication!.ClientClaim ?? "azp or client_id"}, and the tenant takes "
                    + "those of listed clients alone (requireClients). If the issuer has another claim for it, set clientClaim."
                : $"The token's client {TokenRefusal.Quote(client)} is not listed at the tenant, which takes those of listed clients alone "
                    + "(requireClients): add it with POST /admin/tenants/{id}/clients."
        );

    /// <summary>Why a token is refused whatever its signature is; null where its signature decides.</summary>
    /// <param name="token">The token.</param>
    /// <param name="called">
    /// The URL of the tenant's endpoint as it was called, at an origin that is configured: the application or a proxy may have a base that
    /// no setting says. Null where nobody called.
    /// </param>
    public TokenRefusal? ExplainClaims(SignedToken token, string? called = null) =>
        ExplainIssuer(token)
        ?? TokenKinds.Explain(token, authentication)
        ?? ExplainAlgorithm(token)
        ?? ExplainAudience(token, called)
        ?? ExplainClientAsAudience(token)
        ?? ExplainTime(token)
        ?? (TokenClaims.FindCaller(token, authentication, FindClient(token), out var refusal) is null ? refusal : null);

    /// <summary>Why none of the issuer's keys makes a token good; null where one has signed it.</summary>
    public static TokenRefusal? ExplainSignature(SignedToken token, IssuerKeySet keys)
    {
        var algorithm = SignatureAlgorithm.Find(SignedToken.Text(token.Head, "alg"))!;
        var id = SignedToken.Text(token.Head, "kid");
        var candidates = keys.Find(id, algorithm).ToArray();
        if (candidates.Length == 0)
        {
            return new(
                RefusalCause.Key,
                $"The token is signed by {algorithm.Name} with the key {(id is null ? "of no id" : TokenRefusal.Quote(id))}, and its "
                    + $"issuer publishes no such key for that: it has {Describe(keys.Keys)}."
            );
        }

        var signed = token.Signed;
        var signature = token.Signature.Span;
        foreach (var key in candidates)
        {
            if (key.Verify(signed, signature, algorithm))
            {
                return null;
            }
        }

        return new(
            RefusalCause.Signature,
            $"The token's signature was not made with {Describe(candidates)} as the issuer "
                + "publishes it now: the token was changed, forged, or signed with a key that is gone or not published yet."
        );
    }

    /// <summary>What is kept of a token whose claims and signature are good.</summary>
    public BelievedToken Accept(SignedToken token)
    {
        var client = FindClient(token);
        var caller = TokenClaims.FindCaller(token, authentication, client, out _)!;
        return new(Describe(token, caller.ToClaim(tenant)), caller, client, token.Time("exp")!.Value);
    }

    // A token may carry a claim of the type that identities have; it must not be taken for one. A scope is a text: what is something else
    // has the words of scopes in it by chance.
    private ClaimsPrincipal Describe(SignedToken token, Claim identity) =>
        new(
            new ClaimsIdentity(
                token
                    .ToClaims(authentication.Issuer!)
                    .Where(claim =>
                        claim.Type != ClaimTypes.NameIdentifier
                        && (
                            claim.Type is not (CallerScopes.ClaimType or CallerScopes.ShortClaimType)
                            || claim.ValueType == ClaimValueTypes.String
                        )
                    )
                    .Prepend(identity)
                    .Concat(ScopesElsewhere(token).Select(scope => new Claim(CallerScopes.ClaimType, scope))),
                TenantSchemes.Jwks,
                ClaimTypes.Name,
                ClaimTypes.Role
            )
        );

    // What an issuer calls its keys is as foreign as what a token says.
    private static string Describe(IEnumerable<SigningKey> keys) =>
        string.Join(
            ", ",
            keys.Take(MaxDescribed).Select(key => $"{(key.Id is null ? "a key without an id" : TokenRefusal.Quote(key.Id))} ({key.Kind})")
        );

    private IEnumerable<string> ScopesElsewhere(SignedToken token)
    {
        foreach (var name in authentication.ScopeClaims)
        {
            if (!token.Claims.TryGetProperty(name, out var value))
            {
                continue;
            }

            // A text has several, a list has one in each place.
            var scopes =
                value.ValueKind == JsonValueKind.String ? value.GetString()!.Split(' ')
                : value.ValueKind == JsonValueKind.Array
                    ? value.EnumerateArray().Where(one => one.ValueKind == JsonValueKind.String).Select(one => one.GetString()!)
                : [];
            foreach (var scope in scopes.Where(OAuthScope.IsValid))
            {
                yield return scope;
            }
        }
    }

    private TokenRefusal? ExplainIssuer(SignedToken token)
    {
        var (issuer, wanted) = (SignedToken.Text(token.Claims, "iss"), authentication.Issuer!);
        return issuer == wanted ? null
            : issuer is null ? new(RefusalCause.Issuer, "The token names no issuer (iss), or not by a text.")
            : TokenRefusal.DifferBySlash(issuer, wanted)
                ? new(
                    RefusalCause.Issuer,
                    $"The token's issuer (iss) is {TokenRefusal.Quote(issuer)} and the tenant's is {TokenRefusal.Quote(wanted)}: only the "
                        + "slash at the end differs. Write the tenant's issuer as the token has it."
                )
            : new(
                RefusalCause.Issuer,
                $"The token's issuer (iss) is {TokenRefusal.Quote(issuer)}, and the tenant's is {TokenRefusal.Quote(wanted)}."
            );
    }

    private static TokenRefusal? ExplainAlgorithm(SignedToken token) =>
        SignatureAlgorithm.Find(SignedToken.Text(token.Head, "alg")) is null
            ? new(
                RefusalCause.Algorithm,
                $"The token is signed by {TokenRefusal.Quote(SignedToken.Text(token.Head, "alg") ?? "nothing that is named")}, and only "
                    + $"{SignatureAlgorithm.Names} are accepted."
            )
            : null;

    private TokenRefusal? ExplainAudience(SignedToken token, string? called)
    {
        if (token.Audiences is not { } sent)
        {
            return new(RefusalCause.Audience, "The token's audience (aud) is neither a text nor a list of texts.");
        }

        if (sent.Any(audience => IsTenants(audience) || audience == called) || IsForClient(token, sent))
        {
            return null;
        }

        var slash = sent.FirstOrDefault(audience => audiences.Any(wanted => TokenRefusal.DifferBySlash(audience, wanted)));
        return new(
            RefusalCause.Audience,
            $"The token's audience (aud) is {TokenRefusal.Quote(sent)}, and the tenant takes {TokenRefusal.Quote(audiences)}."
                + (
                    slash is not null ? $" Of {TokenRefusal.Quote(slash)} only the slash at the end differs."
                    : authentication.AudienceFromClients && FindClient(token) is null
                        ? $" The token names no client in {TokenClaims.ClientClaim(token, authentication)} that could stand for it: if the "
                            + "issuer has another claim for that, set clientClaim."
                    : authentication.AudienceFromClients
                        ? " A listed client stands for the audience where the token has none, or the client's id alone and says that it is "
                            + "an access token, as by a scope."
                    : sent.Count == 0
                        ? " Have the client ask for the tenant's URL as its resource (RFC 8707), or the issuer add an audience."
                    : " Have the client ask for the tenant's URL as its resource (RFC 8707), or list what is there in audiences."
                )
        );
    }

    private bool IsTenants(string audience) => audiences.Contains(audience, StringComparer.Ordinal) || isBound(audience);

    // Some issuers name the client as the audience, and nowhere else. What is the tenant's own audience is no client.
    private string? FindClient(SignedToken token) =>
        TokenClaims.FindClient(token, authentication)
        ?? (
            authentication.AudienceFromClients
            && !TokenClaims.ClientClaimsOf(token, authentication).Any()
            && token.Audiences is [var only]
            && CallerIdentity.IsId(only)
            && !IsTenants(only)
                ? only
                : null
        );

    // An ID token names its client as the audience, too (OpenID Connect Core 1.0, section 2), so that a token that does so has to say that
    // it is an access token. Whether the client is listed is asked at each request.
    private bool IsForClient(SignedToken token, IReadOnlyList<string> sent) =>
        authentication.AudienceFromClients
        && FindClient(token) is { } client
        && (sent.Count == 0 || (sent.All(audience => audience == client) && TokenKinds.SaysAccess(token)));

    // Where the tenant lists a client's id among its audiences.
    private TokenRefusal? ExplainClientAsAudience(SignedToken token)
    {
        var taken = token.Audiences!.Where(IsTenants).ToArray();
        return
            taken.Length > 0
            && TokenClaims
                .ClientClaimsOf(token, authentication)
                .Select(claim => SignedToken.Text(token.Claims, claim))
                .Any(client => Array.TrueForAll(taken, audience => audience == client))
            ? TokenKinds.ExplainClientAsAudience(token)
            : null;
    }

    private TokenRefusal? ExplainTime(SignedToken token)
    {
        var now = time.GetUtcNow();
        if (token.Time("exp") is not { } expiry)
        {
            return new(RefusalCause.Lifetime, "The token has no time at which it expires (exp), or not as a number.");
        }

        if (IsOver(expiry, time))
        {
            return new(
                RefusalCause.Expired,
                string.Create(
                    System.Globalization.CultureInfo.InvariantCulture,
                    $"The token expired {(now - expiry).TotalSeconds:0} s ago, by this server's clock ({now:u})."
                )
            );
        }

        return SignedToken.Has(token.Claims, "nbf") && (token.Time("nbf") is not { } start || start > now + ClockSkew)
            ? new(
                RefusalCause.Lifetime,
                $"The token is not good yet (nbf), by this server's clock ({now:u}): compare that with the issuer's."
            )
            : null;
    }
}
