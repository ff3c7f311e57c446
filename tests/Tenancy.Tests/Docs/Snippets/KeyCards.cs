using Tenancy.Authentication;
using Tenancy.Registry;

namespace Tenancy.Tests.Docs.Snippets;

internal sealed class KeyCards : ITokenValidator
{
    // A token of one tenant must mean nobody at another: here its tenant is a part of it.
    public ValueTask<TokenPrincipal?> ValidateAsync(TenantModel tenant, string token, CancellationToken cancellationToken) =>
        new(token.StartsWith($"card.{tenant.Id}.", StringComparison.Ordinal) ? new TokenPrincipal(token) { Scopes = ["manage"] } : null);
}
