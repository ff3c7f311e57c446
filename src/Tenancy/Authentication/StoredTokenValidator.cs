using Microsoft.Extensions.Hosting;
using Tenancy.Configuration;
using Tenancy.Registry;

namespace Tenancy.Authentication;

/// <summary>Checks the tokens that the admin API issued.</summary>
internal sealed class StoredTokenValidator(PrincipalCache principals, IHostEnvironment environment) : ITokenValidator
{
    public async ValueTask<TokenPrincipal?> ValidateAsync(TenantModel tenant, string token, CancellationToken cancellationToken) =>
        BearerToken.TenantOf(token).SequenceEqual(tenant.Id.Value) && PrincipalValidator.IsStrongEnough(token, environment)
        && await principals.FindAsync(tenant, token) is { } known
            ? known.Principal
            : null;
}
