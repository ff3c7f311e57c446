using Tenancy.Configuration;
using Tenancy.Validation;

namespace Tenancy.Outbound;

/// <summary>
/// Checks that the issuer of a tenant is there and vouches for the tenant's configuration. Tenants without one are valid.
/// </summary>
internal sealed class JwksValidator(IssuerMetadata metadata, ICheckedKeys? known = null) : ITenantValidator
{
    public async ValueTask<TenantValidation> ValidateAsync(TenantConfig tenant, CancellationToken cancellationToken)
    {
        if (tenant.Authentication is not { Kind: TenantAuthenticationKind.Jwks } authentication)
        {
            return TenantValidation.Valid.Instance;
        }

        try
        {
            var begunAt = known?.Begin() ?? 0;
            var keys = await metadata.LoadAsync(authentication, cancellationToken).ConfigureAwait(false);
            known?.Learn(tenant.Id, authentication, keys, begunAt);
            return TenantValidation.Valid.Instance;
        }
        catch (FetchException exception) when (exception.IsTransient)
        {
            return new TenantValidation.Transient(exception.Message) { Field = "authentication.issuer", IsClean = true };
        }
        catch (FetchException exception) when (!exception.IsCertain)
        {
            // A 404 or a page of HTML is what an outage looks like, too: a proxy without its backend, a filter, a page for visitors.
            return new TenantValidation.Doubtful(exception.Message) { Field = "authentication.issuer", IsClean = true };
        }
        catch (Exception exception) when (exception is FetchException or IssuerRejectedException)
        {
            return new TenantValidation.Permanent(exception.Message) { Field = "authentication.issuer", IsClean = true };
        }
    }
}
