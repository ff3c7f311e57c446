using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Tenancy.Configuration;
using Tenancy.Registry;
using Tenancy.Resolution;

namespace Tenancy.Authentication;

/// <summary>Checks the tokens that the admin API issued.</summary>
internal sealed class StoredTokenValidator(PrincipalCache principals, IHostEnvironment environment, IOptions<TenancyOptions> options)
    : ITokenValidator
{
    private readonly bool _allowsDevelopmentTokens = DevelopmentValues.AreAllowed(environment, options.Value);

    public async ValueTask<TokenPrincipal?> ValidateAsync(TenantModel tenant, string token, CancellationToken cancellationToken) =>
        BearerToken.TenantOf(token).SequenceEqual(tenant.Id.Value)
        && PrincipalValidator.IsStrongEnough(token, _allowsDevelopmentTokens)
        && await principals.FindAsync(tenant, token) is { } known
            ? known.Principal
            : null;
}
