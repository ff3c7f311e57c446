using Tenancy.Configuration;

namespace Tenancy.State;

/// <summary>Where a document was read from. No handler can make one up.</summary>
internal sealed record DocumentOrigin(TenantId Tenant, string AccountHash);
