using Microsoft.Extensions.Logging;

namespace Tenancy.Diagnostics;

/// <summary>The log events of the library. Ids are never reused.</summary>
internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Information, "Tenant {TenantId} is registered, version {Version}.", EventName = "TenantRegistered")]
    public static partial void TenantRegistered(this ILogger logger, string tenantId, long version);

    [LoggerMessage(2, LogLevel.Information, "Tenant {TenantId} is unregistered, version {Version}.", EventName = "TenantUnregistered")]
    public static partial void TenantUnregistered(this ILogger logger, string tenantId, long version);

    [LoggerMessage(
        3,
        LogLevel.Error,
        "The platform {Platform} of tenant {TenantId} could not be built; the tenant is disabled.",
        EventName = "PlatformFailed"
    )]
    public static partial void PlatformFailed(this ILogger logger, Exception exception, string tenantId, string? platform);

    [LoggerMessage(
        4,
        LogLevel.Warning,
        "The store is away; the tenants are loaded as soon as it answers. Until then tenant endpoints answer 503.",
        EventName = "StoreAwayAtStart"
    )]
    public static partial void StoreAwayAtStart(this ILogger logger, Exception exception);

    [LoggerMessage(5, LogLevel.Information, "{Count} tenants are loaded.", EventName = "TenantsLoaded")]
    public static partial void TenantsLoaded(this ILogger logger, int count);

    [LoggerMessage(
        6,
        LogLevel.Warning,
        "The store is embedded: it keeps everything in memory and forgets it when this process ends. Set ConnectionStrings:Redis to "
            + "keep it.",
        EventName = "EmbeddedStore"
    )]
    public static partial void EmbeddedStore(this ILogger logger);

    [LoggerMessage(8, LogLevel.Error, "Tenant {TenantId} of the configuration could not be registered.", EventName = "SeedFailed")]
    public static partial void SeedFailed(this ILogger logger, Exception exception, string tenantId);

    [LoggerMessage(9, LogLevel.Warning, "The store did not answer a request of tenant {TenantId}.", EventName = "StoreAway")]
    public static partial void StoreAway(this ILogger logger, Exception exception, string tenantId);

    [LoggerMessage(10, LogLevel.Information, "Tenant {TenantId} is updated, version {Version}.", EventName = "TenantUpdated")]
    public static partial void TenantUpdated(this ILogger logger, string tenantId, long version);

    [LoggerMessage(11, LogLevel.Information, "Tenant {TenantId} is {Health}, was {Before}: {Reason}", EventName = "TenantHealthChanged")]
    public static partial void TenantHealthChanged(this ILogger logger, string tenantId, string health, string before, string reason);

    [LoggerMessage(12, LogLevel.Error, "Validator {Validator} failed for tenant {TenantId}.", EventName = "ValidatorFailed")]
    public static partial void ValidatorFailed(this ILogger logger, Exception exception, string validator, string tenantId);

    [LoggerMessage(13, LogLevel.Error, "A listener failed on a change of tenant {TenantId}.", EventName = "ListenerFailed")]
    public static partial void ListenerFailed(this ILogger logger, Exception exception, string tenantId);

    [LoggerMessage(
        14,
        LogLevel.Warning,
        "The health of tenant {TenantId} could not be stored; the next check stores it.",
        EventName = "HealthNotStored"
    )]
    public static partial void HealthNotStored(this ILogger logger, Exception exception, string tenantId);

    [LoggerMessage(
        15,
        LogLevel.Warning,
        "Tenancy:AutoValidate is false: tenant {TenantId} gets no traffic until it is rechecked.",
        EventName = "NotValidated"
    )]
    public static partial void NotValidated(this ILogger logger, string tenantId);

    [LoggerMessage(16, LogLevel.Error, "The scheduled check of tenant {TenantId} failed.", EventName = "RecheckFailed")]
    public static partial void RecheckFailed(this ILogger logger, Exception exception, string tenantId);

    [LoggerMessage(17, LogLevel.Error, "The source of tenants {Source} failed.", EventName = "SourceFailed")]
    public static partial void SourceFailed(this ILogger logger, Exception exception, string source);

    [LoggerMessage(18, LogLevel.Error, "Tenant {TenantId} of the source {Source} could not be applied.", EventName = "SourceTenantFailed")]
    public static partial void SourceTenantFailed(this ILogger logger, Exception exception, string tenantId, string source);

    [LoggerMessage(
        19,
        LogLevel.Error,
        "The changed configuration is not followed; the tenants stay as they were.",
        EventName = "ConfigurationNotFollowed"
    )]
    public static partial void ConfigurationNotFollowed(this ILogger logger, Exception exception);

    [LoggerMessage(
        20,
        LogLevel.Information,
        "Tenant {TenantId} is opened outside a call, account {Account}: {Reason}",
        EventName = "TenantScopeOpened"
    )]
    public static partial void TenantScopeOpened(this ILogger logger, string tenantId, string account, string reason);

    [LoggerMessage(
        26,
        LogLevel.Error,
        "Tool {Tool} of tenant {TenantId} failed. The caller was told the reference {Reference}.",
        EventName = "ToolFailed"
    )]
    public static partial void ToolFailed(this ILogger logger, Exception exception, string tool, string tenantId, string reference);

    [LoggerMessage(
        22,
        LogLevel.Warning,
        "The source of tenants {Source} has not given all of them yet; the server starts with those that are known.",
        EventName = "SourceSlow"
    )]
    public static partial void SourceSlow(this ILogger logger, string source);

    [LoggerMessage(
        23,
        LogLevel.Warning,
        "The platforms of some tenants are not built yet; each is served as soon as its own is.",
        EventName = "PlatformsSlow"
    )]
    public static partial void PlatformsSlow(this ILogger logger);

    [LoggerMessage(24, LogLevel.Critical, "The tenants could not be loaded; the server stops.", EventName = "LoadFailed")]
    public static partial void LoadFailed(this ILogger logger, Exception exception);

    [LoggerMessage(
        25,
        LogLevel.Error,
        "The platform of tenant {TenantId} failed when it was disposed; it is let go all the same.",
        EventName = "PlatformNotDisposed"
    )]
    public static partial void PlatformNotDisposed(this ILogger logger, Exception exception, string tenantId);

    [LoggerMessage(
        27,
        LogLevel.Error,
        "The services of a call of tenant {TenantId} failed when they were disposed; the call is answered all the same.",
        EventName = "CallServicesNotDisposed"
    )]
    public static partial void CallServicesNotDisposed(this ILogger logger, Exception exception, string tenantId);

    [LoggerMessage(
        28,
        LogLevel.Warning,
        "An idempotency key could not be given back; it is free when its claim ends.",
        EventName = "IdempotencyKeyNotReleased"
    )]
    public static partial void IdempotencyKeyNotReleased(this ILogger logger, Exception exception);

    [LoggerMessage(
        29,
        LogLevel.Information,
        "A request of tenant {TenantId} is tried again: what it read was changed before it could write.",
        EventName = "TriedAgain"
    )]
    public static partial void TriedAgain(this ILogger logger, Exception exception, string tenantId);

    [LoggerMessage(
        32,
        LogLevel.Error,
        "Tool {Tool} of tenant {TenantId} failed when nobody waited for its answer any more. Trace: {TraceId}",
        EventName = "ToolFailedUnheard"
    )]
    public static partial void ToolFailedUnheard(this ILogger logger, Exception exception, string tool, string tenantId, string traceId);

    [LoggerMessage(
        30,
        LogLevel.Warning,
        "{Host} leads to {Addresses}, which Tenancy:Validation:AllowedNetworks does not allow.",
        EventName = "AddressRefused"
    )]
    public static partial void AddressRefused(this ILogger logger, string host, string addresses);

    [LoggerMessage(31, LogLevel.Warning, "The keys of tenant {TenantId}'s issuer were not loaded: {Reason}", EventName = "KeysNotLoaded")]
    public static partial void KeysNotLoaded(this ILogger logger, Exception? exception, string tenantId, string reason);

    [LoggerMessage(
        33,
        LogLevel.Information,
        "Tool {Tool} of tenant {TenantId} refused a call: its caller was told what to mend.",
        EventName = "ToolRefusedCall"
    )]
    public static partial void ToolRefusedCall(this ILogger logger, string tool, string tenantId);

    [LoggerMessage(
        34,
        LogLevel.Error,
        "A handler of tenant {TenantId} for {Method} failed. Reference: {Reference}",
        EventName = "HandlerFailed"
    )]
    public static partial void HandlerFailed(this ILogger logger, Exception exception, string tenantId, string? method, string reference);

    [LoggerMessage(35, LogLevel.Information, "A caller of tenant {TenantId} called a tool that it has not.", EventName = "NoSuchTool")]
    public static partial void NoSuchTool(this ILogger logger, string tenantId);

    [LoggerMessage(40, LogLevel.Error, "A request to the admin API failed. Reference: {Reference}", EventName = "AdminRequestFailed")]
    public static partial void AdminRequestFailed(this ILogger logger, Exception exception, string reference);

    [LoggerMessage(
        41,
        LogLevel.Error,
        "The endpoint {Endpoint} was reached without what app.UseTenancy() adds, and did not run: call it in the pipeline of the "
            + "endpoint, after app.UseRouting() where that is called.",
        EventName = "EndpointNotGuarded"
    )]
    public static partial void EndpointNotGuarded(this ILogger logger, string? endpoint);

    [LoggerMessage(42, LogLevel.Information, "There is no admin API: Tenancy:Admin:Keys has no key.", EventName = "AdminApiOff")]
    public static partial void AdminApiOff(this ILogger logger);

    [LoggerMessage(
        66,
        LogLevel.Warning,
        "A registration or a deletion of tenant {TenantId} that was cut off could not be completed; it is tried again.",
        EventName = "TenantUnfinished"
    )]
    public static partial void TenantUnfinished(this ILogger logger, Exception exception, string tenantId);

    [LoggerMessage(
        67,
        LogLevel.Information,
        "The data of tenant {TenantId} is deleted: its deletion had been cut off.",
        EventName = "TenantPurged"
    )]
    public static partial void TenantPurged(this ILogger logger, string tenantId);

    [LoggerMessage(
        70,
        LogLevel.Warning,
        "Other nodes cannot be heard: what they change is seen here when the store is asked the next time.",
        EventName = "MessagesUnavailable"
    )]
    public static partial void MessagesUnavailable(this ILogger logger, Exception exception);

    [LoggerMessage(
        71,
        LogLevel.Error,
        "The store has lost changes of tenants that this node knows, the last of them version {Version}: it was restored or flushed, or a "
            + "failover lost what was not replicated; or this node was away for longer than the store keeps the history. All tenants are "
            + "read again. Those that the store does not have any more are not served from now on: register them again.",
        EventName = "HistoryLost"
    )]
    public static partial void HistoryLost(this ILogger logger, long version);

    [LoggerMessage(
        72,
        LogLevel.Warning,
        "All tenants were read again, up to version {Version}: {Count} are there, {Gone} are gone.",
        EventName = "HistoryFollowed"
    )]
    public static partial void HistoryFollowed(this ILogger logger, long version, int count, int gone);

    [LoggerMessage(
        73,
        LogLevel.Error,
        "What other nodes change has not been seen here for {Seconds} seconds, because the store does not answer: tenants are served as "
            + "they were.",
        EventName = "CannotFollow"
    )]
    public static partial void CannotFollow(this ILogger logger, Exception exception, int seconds);

    [LoggerMessage(
        74,
        LogLevel.Information,
        "What other nodes change is seen here again, after {Seconds} seconds.",
        EventName = "FollowsAgain"
    )]
    public static partial void FollowsAgain(this ILogger logger, int seconds);

    [LoggerMessage(75, LogLevel.Error, "Changes of other nodes could not be followed; it is tried again.", EventName = "FollowFailed")]
    public static partial void FollowFailed(this ILogger logger, Exception exception);

    [LoggerMessage(
        76,
        LogLevel.Information,
        "The server stops: it says that it is not ready, and takes requests for {Seconds} seconds more (Tenancy:DrainTime).",
        EventName = "Draining"
    )]
    public static partial void Draining(this ILogger logger, int seconds);

    [LoggerMessage(
        77,
        LogLevel.Warning,
        "The server had to end {Count} handlers that were still at work when its time to stop was over. The idempotency keys of "
            + "those that had some are free: the same request runs again.",
        EventName = "HandlersEnded"
    )]
    public static partial void HandlersEnded(this ILogger logger, int count);

    [LoggerMessage(
        78,
        LogLevel.Error,
        "A change of tenant {TenantId} that another node made could not be applied here: it is served as it was, and it is tried again.",
        EventName = "TenantNotFollowed"
    )]
    public static partial void TenantNotFollowed(this ILogger logger, Exception exception, string tenantId);

    [LoggerMessage(
        79,
        LogLevel.Error,
        "What a client of tenant {TenantId} told another node for a session that is open here could not be passed on.",
        EventName = "NotDelivered"
    )]
    public static partial void NotDelivered(this ILogger logger, Exception exception, string tenantId);

    [LoggerMessage(
        80,
        LogLevel.Warning,
        "{Count} entries of the audit about opened tenants were dropped: there were more than could be written.",
        EventName = "AuditEntriesDropped"
    )]
    public static partial void AuditEntriesDropped(this ILogger logger, long count);

    [LoggerMessage(
        90,
        LogLevel.Warning,
        "A request came with X-Forwarded headers from {Address}, which Tenancy:Proxies does not name, so that they are not read. If it is "
            + "your proxy, name it there: until then limits by address take all of its clients for one. This is said once.",
        EventName = "ProxyNotNamed"
    )]
    public static partial void ProxyNotNamed(this ILogger logger, string address);

    [LoggerMessage(
        91,
        LogLevel.Warning,
        "A request at the host {Host} is refused, and {Others} since the last such entry: no tenant may be called there. If it is yours, "
            + "set Tenancy:PublicUrl or Tenancy:BaseDomain, or the tenant's urls; if a proxy wrote over Host, let it keep the client's. "
            + "This is said once a minute.",
        EventName = "HostRefused"
    )]
    public static partial void HostRefused(this ILogger logger, string host, int others);

    [LoggerMessage(
        92,
        LogLevel.Warning,
        "A request of the admin API at the host {Host} is refused, and {Others} since the last such entry. If it is yours, add it to "
            + "Tenancy:Admin:AllowedHosts; if a proxy wrote over Host, let it keep the client's. This is said once a minute.",
        EventName = "AdminHostRefused"
    )]
    public static partial void AdminHostRefused(this ILogger logger, string host, int others);

    [LoggerMessage(
        93,
        LogLevel.Error,
        "{Work} failed; it is tried again at its next turn. This is a defect of this library: please report it.",
        EventName = "WorkFailed"
    )]
    public static partial void WorkFailed(this ILogger logger, Exception exception, string work);

    [LoggerMessage(
        97,
        LogLevel.Error,
        "The secrets of tenant {Tenant} cannot be decrypted: the key ring in the store has no key for them. The tenant is not served. "
            + "Restore {{tenants}}:secret-keys from a backup and restart, or write all of its secrets anew.",
        EventName = "SecretsUndecryptable"
    )]
    public static partial void SecretsUndecryptable(this ILogger logger, string tenant, Exception exception);
}
