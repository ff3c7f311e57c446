using System.Collections.Immutable;
using Tenancy.Configuration;

namespace Tenancy.Registry;

/// <summary>What a request sees of its tenant: one immutable whole, so that no request sees half of a change.</summary>
public sealed class TenantModel
{
    internal TenantModel(TenantRecord record, PlatformInstance? platform)
        : this(TenantId.Parse(record.Config.Id), record, ParseUrls(record.Config), platform) { }

    private TenantModel(TenantId id, TenantRecord record, ImmutableArray<TenantUrl> urls, PlatformInstance? platform)
    {
        Id = id;
        Record = record;
        Limits = record.Config.Limits ?? TenantLimits.Default;
        Urls = urls;
        Platform = platform;
    }

    /// <summary>Gets the tenant's id.</summary>
    public TenantId Id { get; }

    /// <summary>Gets the tenant's configuration, defaults filled in.</summary>
    public TenantConfig Config => Record.Config;

    /// <summary>The tenant's limits, defaults filled in.</summary>
    internal TenantLimits Limits { get; }

    /// <summary>Gets the version of the configuration.</summary>
    public long Version => Record.Version;

    /// <summary>Gets the tenant's URLs in canonical form.</summary>
    public ImmutableArray<TenantUrl> Urls { get; }

    /// <summary>Gets the tenant's health.</summary>
    public TenantHealth Health => Record.Check.Health;

    /// <summary>Gets whether an admin has suspended the tenant, so that it looks as if it did not exist.</summary>
    public bool IsSuspended => Config.Status == TenantAdminStatus.Suspended;

    /// <summary>Gets whether the tenant gets traffic.</summary>
    public bool IsServing => !IsSuspended && Platform is not null && Health is (TenantHealth.Healthy or TenantHealth.Unverified);

    internal TenantRecord Record { get; }

    /// <summary>What each write for the tenant names, so that nothing is written for one that was deleted meanwhile.</summary>
    internal long Generation => Record.Generation;

    /// <summary>The platform's instance; null until it could be built.</summary>
    internal PlatformInstance? Platform { get; }

    internal TenantStatus ToStatus() =>
        new()
        {
            Config = Config,
            Version = Version,
            CreatedAt = Record.CreatedAt,
            Health = Health,
            Reason = Record.Check.Reason,
            LastCheckedAt = Record.Check.CheckedAt,
        };

    internal TenantModel With(TenantCheck check, PlatformInstance? platform) => new(Id, Record with { Check = check }, Urls, platform);

    private static ImmutableArray<TenantUrl> ParseUrls(TenantConfig config) =>
        [.. config.Urls.Select(text => TenantUrl.TryParse(text, out var url, out _) ? url : null).OfType<TenantUrl>()];
}
