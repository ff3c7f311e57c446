using Microsoft.AspNetCore.Http;
using Tenancy.Resolution;

namespace Tenancy.Tests.Docs.Snippets;

internal sealed class PartnerResolver(TenantResolver ours) : ITenantResolver
{
    public async ValueTask<TenantResolution> ResolveAsync(HttpContext context)
    {
        var named = await ours.ResolveAsync(context);
        return named == TenantResolution.None && context.Request.Headers["X-Partner"] is [{ Length: > 0 } partner]
            ? TenantResolution.Found(partner)
            : named;
    }
}
