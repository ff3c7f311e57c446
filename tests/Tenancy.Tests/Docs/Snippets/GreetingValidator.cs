using Tenancy.Configuration;
using Tenancy.Validation;

namespace Tenancy.Tests.Docs.Snippets;

internal sealed class GreetingValidator : ITenantValidator
{
    public ValueTask<TenantValidation> ValidateAsync(TenantConfig tenant, CancellationToken cancellationToken) =>
        new(
            tenant.Settings is { } settings && settings.TryGetProperty("greeting", out var greeting) && greeting.ToString().Length > 100
                ? new TenantValidation.Permanent("The greeting is longer than 100 characters.")
                : TenantValidation.Valid.Instance
        );
}
