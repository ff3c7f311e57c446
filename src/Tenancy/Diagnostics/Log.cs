using Microsoft.Extensions.Logging;

namespace Tenancy.Diagnostics;

/// <summary>The log events of the library. Ids are never reused.</summary>
internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Information, "Tenant {TenantId} is registered, version {Version}.", EventName = "TenantRegistered")]
    public static partial void TenantRegistered(this ILogger logger, string tenantId, long version);

    [LoggerMessage(2, LogLevel.Information, "Tenant {TenantId} is unregistered, version {Version}.", EventName = "TenantUnregistered")]
    public static partial void TenantUnregistered(this ILogger logger, string tenantId, long version);

    [LoggerMessage(3, LogLevel.Error, "The platform {Platform} of tenant {TenantId} could not be built; the tenant is disabled.", EventName = "PlatformFailed")]
    public static partial void PlatformFailed(this ILogger logger, Exception exception, string tenantId, string? platform);

    [LoggerMessage(4, LogLevel.Warning, "The store is away; the tenants are loaded as soon as it answers. Until then tenant endpoints answer 503.", EventName = "StoreAwayAtStart")]
    public static partial void StoreAwayAtStart(this ILogger logger, Exception exception);

    [LoggerMessage(5, LogLevel.Information, "{Count} tenants are loaded.", EventName = "TenantsLoaded")]
    public static partial void TenantsLoaded(this ILogger logger, int count);

    [LoggerMessage(6, LogLevel.Warning, "The store is embedded: it keeps everything in memory and forgets it when this process ends. Set ConnectionStrings:Redis to keep it.", EventName = "EmbeddedStore")]
    public static partial void EmbeddedStore(this ILogger logger);

    [LoggerMessage(7, LogLevel.Error, "Tool {Tool} of tenant {TenantId} failed.", EventName = "ToolFailed")]
    public static partial void ToolFailed(this ILogger logger, Exception exception, string tool, string tenantId);

    [LoggerMessage(8, LogLevel.Error, "Tenant {TenantId} of the configuration could not be registered.", EventName = "SeedFailed")]
    public static partial void SeedFailed(this ILogger logger, Exception exception, string tenantId);

    [LoggerMessage(9, LogLevel.Warning, "The store did not answer a request of tenant {TenantId}.", EventName = "StoreAway")]
    public static partial void StoreAway(this ILogger logger, Exception exception, string tenantId);
}
