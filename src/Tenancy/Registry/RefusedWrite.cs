using Tenancy.Configuration;

namespace Tenancy.Registry;

/// <summary>Says why the store refused a change of a tenant, and what to do.</summary>
internal static class RefusedWrite
{
    public static Exception Explain(TenantWrite refused, TenantId id) =>
        refused switch
        {
            TenantWrite.UrlTaken(var url, var owner) => new TenantConflictException("urls", $"'{url}' belongs to tenant '{owner}'."),
            TenantWrite.AudienceTaken(var audience, var owner) => new TenantConflictException(
                "authentication",
                $"Tenant '{owner}' has the same issuer and the audience '{audience}' too, so that each would accept the other's "
                    + "tokens: give one of them another audience. A client that is listed where audienceFromClients is set is such an "
                    + "audience."
            ),
            TenantWrite.ClientsFoundOtherwise(var claim) => new TenantConflictException(
                "authentication.clientClaim",
                "Other tenants of this issuer have clients stand for the audience (audienceFromClients), too, and find them by "
                    + $"{(claim.Length > 0 ? $"'{claim}'" : "'azp' or 'client_id', with no clientClaim")}: by two claims a token could be "
                    + "of two clients, so that two tenants would take it. Set the same clientClaim, or give this tenant an audience."
            ),
            TenantWrite.HasKeptData => new TenantConflictException(
                "id",
                $"An unregistered tenant '{id}' left data behind: register it with adopt=true to have that data, delete it first, or "
                    + "choose another id."
            ),
            TenantWrite.HasDataOfAnother => new TenantConflictException(
                "id",
                $"An unregistered tenant '{id}' left data behind, and its source does not say that it is the same one's (Owner of the "
                    + "registration, now and then): delete it first, so that nobody gets what is another's."
            ),
            TenantWrite.TokenTaken(var index) => new TenantConflictException(
                $"principals[{index}].token",
                "The token is in use by a principal that the unregistered tenant left: leave it out to have one generated."
            ),
            TenantWrite.TooManyPrincipals(var kept) => new TenantConflictException(
                "principals",
                $"The unregistered tenant left {kept} principals, and one has {PrincipalValidator.MaximumPrincipals} at most: register it "
                    + "with fewer."
            ),
            TenantWrite.IsBehindItsData => new TenantConflictException(
                "id",
                $"The store has lost what became of an earlier tenant '{id}', and not what that one keeps, which nobody may have now: "
                    + "delete it, and register it again."
            ),
            TenantWrite.BeingPurged => new TenantConflictException(
                "id",
                $"The data of an earlier tenant '{id}' is still being deleted: try it again in a while, or choose another id."
            ),
            TenantWrite.WasUsed => new TenantConflictException(
                "id",
                $"Tenant '{id}' was unregistered or deleted: what is seeded does not bring it back."
            )
            {
                IsOfTombstone = true,
            },
            _ => new InvalidOperationException("The store gave no answer that is known here."),
        };
}
