using Tenancy.Configuration;
using Tenancy.Registry;
using Tenancy.Resolution;
using Tenancy.State;

namespace Tenancy.Authentication;

/// <summary>
/// Says what would happen to a token at a tenant, and why, to whoever administers the tenant. It applies the rules that requests meet, and
/// changes nothing: no token is believed for it, no client renewed, and nothing counted.
/// </summary>
internal sealed class TokenExplainer(TenantJwts jwts, ITokenValidator tokens, RedisConnection redis, ClientClaims claims, TimeProvider time)
{
    /// <param name="tenant">The tenant.</param>
    /// <param name="token">The token, with or without the word <c>Bearer</c> before it.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async Task<TokenExplanation> ExplainAsync(TenantModel tenant, string token, CancellationToken cancellationToken)
    {
        const string Scheme = "Bearer ";
        token = token.Trim();
        token = token.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) ? token[Scheme.Length..].Trim() : token;
        var found = tenant.Config.Authentication?.Kind switch
        {
            TenantAuthenticationKind.Jwks => await ExplainJwtAsync(tenant, token, cancellationToken).ConfigureAwait(false),
            TenantAuthenticationKind.Bearer => await ExplainOpaqueAsync(tenant, token, cancellationToken).ConfigureAwait(false),
            TenantAuthenticationKind.Scheme => new(
                false,
                $"The tenant's callers are proved by the application's scheme '{tenant.Config.Authentication.Scheme}', which alone can say."
            ),
            _ => new(true, "The tenant asks for no proof (kind 'none'): no token is looked at, and every caller is 'anonymous'.")
            {
                Caller = CallerIdentity.Anonymous.Value,
            },
        };
        return !found.Accepted || tenant.IsServing
            ? found
            : found with
            {
                Accepted = false,
                Reason =
                    $"The tenant is not served: it is {(tenant.IsSuspended ? "suspended" : tenant.Health.ToString().ToLowerInvariant())}. "
                    + $"Where it is: {found.Reason}",
            };
    }

    private async Task<TokenExplanation> ExplainJwtAsync(TenantModel tenant, string text, CancellationToken cancellationToken)
    {
        try
        {
            var (token, refusal) = await jwts.ExplainAsync(jwts.Get(tenant), text, cancellationToken).ConfigureAwait(false);
            return token is null
                ? await ExplainRefusedAsync(tenant, text, refusal!).ConfigureAwait(false)
                : await ExplainGoodAsync(tenant, token, "The token would be accepted.").ConfigureAwait(false);
        }
        catch (IssuerUnavailableException exception)
        {
            return await ExplainRefusedAsync(tenant, text, TokenRefusal.WithoutKeys(exception)).ConfigureAwait(false);
        }
    }

    private async Task<TokenExplanation> ExplainGoodAsync(TenantModel tenant, BelievedToken token, string reason)
    {
        var explained = new TokenExplanation(true, reason)
        {
            Caller = token.Caller.Value,
            Client = token.Client,
            Scopes = [.. CallerScopes.All(token.User)],
        };
        return tenant.Config.Authentication!.RequireClients && !await IsListedAsync(tenant, token.Client).ConfigureAwait(false)
            ? explained with
            {
                Accepted = false,
                Cause = RefusalCause.Client,
                Reason = TokenRules.ExplainClient(tenant, token.Client).Reason,
            }
            : explained;
    }

    // A token that was found good is not looked at again for a while.
    private async Task<TokenExplanation> ExplainRefusedAsync(TenantModel tenant, string text, TokenRefusal refusal) =>
        jwts.GetBelieved(tenant).TryGet(text, out var believed) && believed is not null
            ? await ExplainGoodAsync(
                    tenant,
                    believed,
                    $"This server found the token good within the last 5 minutes, and believes it so long. After that: {refusal.Reason}"
                )
                .ConfigureAwait(false)
            : new(false, refusal.Reason) { Cause = refusal.Cause };

    private async Task<TokenExplanation> ExplainOpaqueAsync(TenantModel tenant, string token, CancellationToken cancellationToken)
    {
        if (
            token.Length is > 0 and <= BearerToken.MaxLength
            && await tokens.ValidateAsync(tenant, token, cancellationToken).ConfigureAwait(false) is { } principal
        )
        {
            return new(true, "The token would be accepted.")
            {
                Caller = CallerIdentity.FromPrincipal(principal.Id)?.Value,
                Scopes = [.. principal.Scopes],
            };
        }

        var refusal = TenantBearerHandler.ExplainUnknown(token);
        return new(false, refusal.Reason) { Cause = refusal.Cause };
    }

    private async Task<bool> IsListedAsync(TenantModel tenant, string? client) =>
        client is not null
        && await new ClientStore(redis, tenant.Id, tenant.Generation)
            .FindAsync(ClientStore.HandleOf(tenant.Config.Authentication!.Issuer!, client), time.GetUtcNow())
            .ConfigureAwait(false)
            is not null
        && (
            !tenant.Config.Authentication!.AudienceFromClients
            || await claims.FindOwnerAsync(tenant.Config.Authentication.Issuer!, client).ConfigureAwait(false) == tenant.Id.Value
        );
}

/// <summary>What would happen to a token.</summary>
/// <param name="Accepted">Whether its caller would be let in.</param>
/// <param name="Reason">Why, and what is to be done.</param>
internal sealed record TokenExplanation(bool Accepted, string Reason)
{
    /// <summary>The kind of reason; null where the token would be accepted, or is not looked at.</summary>
    public RefusalCause? Cause { get; init; }

    /// <summary>Who would be calling; null where the token does not say so for certain.</summary>
    public string? Caller { get; init; }

    /// <summary>The client that the token was issued to.</summary>
    public string? Client { get; init; }

    /// <summary>What the caller could do.</summary>
    public IReadOnlyList<string>? Scopes { get; init; }
}
