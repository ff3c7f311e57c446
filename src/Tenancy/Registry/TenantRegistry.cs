using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Tenancy.Configuration;
using Tenancy.Diagnostics;

namespace Tenancy.Registry;

/// <summary>The tenants that this node serves. They come and go at run time; a change is stored first and then applied, whole.</summary>
/// <remarks>Reading takes no lock, allocates nothing and makes no round trip.</remarks>
public sealed class TenantRegistry
{
    private readonly ConcurrentDictionary<string, TenantState> _tenants = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, TenantState>.AlternateLookup<ReadOnlySpan<char>> _tenantsBySpan;
    private readonly TenantRoutes _routes = new();
    private readonly Lock _writer = new();
    private readonly ITenantStore _store;
    private readonly IPlatformFactory _platforms;
    private readonly IPlatformNames _platformNames;
    private readonly TenancyOptions _options;
    private readonly TenantConfigValidator _validator;
    private readonly TimeProvider _time;
    private readonly ILogger<TenantRegistry> _logger;
    private volatile bool _isLoaded;

    internal TenantRegistry(
        ITenantStore store, IPlatformFactory platforms, IPlatformNames platformNames, IOptions<TenancyOptions> options, TimeProvider time, ILogger<TenantRegistry> logger)
    {
        _tenantsBySpan = _tenants.GetAlternateLookup<ReadOnlySpan<char>>();
        _store = store;
        _platforms = platforms;
        _platformNames = platformNames;
        _options = options.Value;
        _validator = new(_options, platformNames.Names);
        _time = time;
        _logger = logger;
    }

    /// <summary>Gets whether the tenants were loaded once. Until then nobody is told that a tenant does not exist.</summary>
    public bool IsLoaded => _isLoaded;

    /// <summary>Finds the tenant with an id.</summary>
    public TenantModel? Get(ReadOnlySpan<char> tenantId) => _tenantsBySpan.TryGetValue(tenantId, out var state) ? state.Model : null;

    /// <summary>Finds the tenant with an id, as an admin sees it.</summary>
    public TenantStatus? GetStatus(TenantId tenantId) => Get(tenantId.Value)?.ToStatus();

    /// <summary>Lists the tenants, in no order.</summary>
    public IEnumerable<TenantStatus> List() => _tenants.Values.Select(state => state.Model).OfType<TenantModel>().Select(model => model.ToStatus());

    /// <summary>Registers a tenant. An equal one again changes nothing.</summary>
    /// <exception cref="TenantConfigException">The configuration has mistakes.</exception>
    /// <exception cref="TenantConflictException">The id is taken by a different configuration, or a URL by another tenant.</exception>
    /// <exception cref="StoreUnavailableException">The store is away.</exception>
    public async Task<TenantStatus> RegisterAsync(TenantConfig tenant, CancellationToken cancellationToken = default) =>
        (await TryRegisterAsync(tenant, cancellationToken).ConfigureAwait(false)).Status;

    /// <summary>Takes a tenant out of service; its data stays in the store.</summary>
    /// <returns>False when there is no such tenant.</returns>
    /// <exception cref="StoreUnavailableException">The store is away.</exception>
    public async Task<bool> UnregisterAsync(TenantId tenantId, CancellationToken cancellationToken = default)
    {
        if (await _store.RemoveAsync(tenantId, cancellationToken).ConfigureAwait(false) is not { } version)
        {
            return false;
        }

        await ApplyRemovalAsync(tenantId, version).ConfigureAwait(false);
        _logger.TenantUnregistered(tenantId.Value, version);
        return true;
    }

    /// <summary>Registers a tenant, and says whether it is new.</summary>
    internal async Task<(TenantStatus Status, bool IsNew)> TryRegisterAsync(TenantConfig tenant, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(tenant);
        ThrowIfInvalid(tenant);
        tenant = WithDefaults(tenant);
        switch (await _store.CreateAsync(tenant, _time.GetUtcNow(), cancellationToken).ConfigureAwait(false))
        {
            case TenantWrite.Written(var record):
                await ApplyAsync(record, cancellationToken).ConfigureAwait(false);
                _logger.TenantRegistered(tenant.Id, record.Version);
                return (GetStatus(TenantId.Parse(tenant.Id)) ?? ToModel(record, platform: null).ToStatus(), true);
            case TenantWrite.Exists(var record) when record.Config.Equals(tenant):
                return (GetStatus(TenantId.Parse(tenant.Id)) ?? ToModel(record, platform: null).ToStatus(), false);
            case TenantWrite.Exists:
                throw new TenantConflictException("id", $"Tenant '{tenant.Id}' exists with another configuration: update it, or choose another id.");
            case TenantWrite.UrlTaken(var url, var owner):
                throw new TenantConflictException("urls", $"'{url}' belongs to tenant '{owner}'.");
            case TenantWrite.BeingPurged:
                throw new TenantConflictException("id", $"The data of an earlier tenant '{tenant.Id}' is still being deleted: delete it again to finish, or choose another id.");
            default:
                throw new InvalidOperationException("The store gave no answer that is known here.");
        }
    }

    /// <summary>Loads all tenants from the store.</summary>
    internal async Task LoadAsync(CancellationToken cancellationToken)
    {
        await foreach (var record in _store.LoadAsync(cancellationToken).ConfigureAwait(false))
        {
            await ApplyAsync(record, cancellationToken).ConfigureAwait(false);
        }
    }

    internal void MarkLoaded() => _isLoaded = true;

    /// <summary>Finds the tenant URL that is the longest prefix of a canonical host and a path, whatever its tenant's status.</summary>
    internal bool TryFindUrl(ReadOnlySpan<char> host, ReadOnlySpan<char> path, [NotNullWhen(true)] out TenantModel? tenant, [NotNullWhen(true)] out TenantUrl? url)
    {
        var route = _routes.Find(host, path);
        tenant = route?.State.Model;
        url = route?.Url;
        return tenant is not null && url is not null;
    }

    /// <summary>Whether a tenant that is not suspended has a URL at this canonical host.</summary>
    internal bool HasActiveHost(ReadOnlySpan<char> host) => _routes.HasActiveHost(host);

    private async Task ApplyAsync(TenantRecord record, CancellationToken cancellationToken)
    {
        var check = new TenantCheck(TenantHealth.Healthy, null, _time.GetUtcNow());
        PlatformInstance? platform = null;
        try
        {
            platform = await _platforms.CreateAsync(record.Config, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            _logger.PlatformFailed(exception, record.Config.Id, record.Config.Platform);
            check = check with { Health = TenantHealth.Disabled, Reason = exception.Message };
        }

        var unused = Swap(ToModel(record with { Check = check }, platform));
        if (unused is not null)
        {
            await unused.ReleaseAsync().ConfigureAwait(false);
        }
    }

    /// <summary>Puts a model in place, unless a newer change is there already.</summary>
    /// <returns>The platform that is not used any more: the old one, or the new one where it came too late.</returns>
    private PlatformInstance? Swap(TenantModel model)
    {
        lock (_writer)
        {
            var state = _tenants.GetOrAdd(model.Id.Value, static _ => new());
            if (state.AppliedVersion >= model.Version)
            {
                return model.Platform;
            }

            var old = state.Model;
            state.AppliedVersion = model.Version;
            state.Model = model;
            _routes.Replace(old, model, state);
            return old?.Platform;
        }
    }

    private async Task ApplyRemovalAsync(TenantId id, long version)
    {
        PlatformInstance? platform = null;
        lock (_writer)
        {
            // The empty state stays, so that an older change that arrives late cannot bring the tenant back.
            var state = _tenants.GetOrAdd(id.Value, static _ => new());
            if (state.AppliedVersion < version)
            {
                var old = state.Model;
                platform = old?.Platform;
                state.AppliedVersion = version;
                state.Model = null;
                _routes.Replace(old, after: null, state);
            }
        }

        if (platform is not null)
        {
            await platform.ReleaseAsync().ConfigureAwait(false);
        }
    }

    private void ThrowIfInvalid(TenantConfig tenant)
    {
        if (_validator.Validate(tenant) is { Count: > 0 } errors)
        {
            throw new TenantConfigException(errors);
        }
    }

    private TenantConfig WithDefaults(TenantConfig tenant) => tenant with
    {
        Name = tenant.Name ?? tenant.Id,
        Authentication = tenant.Authentication ?? _options.Defaults.Authentication,
        Limits = tenant.Limits ?? _options.Defaults.Limits,
        Platform = tenant.Platform ?? _options.Defaults.Platform ?? _platformNames.Names[0],
        Urls = [.. tenant.Urls.Select(text => TenantUrl.TryParse(text, out var url, out _) ? url.ToString() : text)],
    };

    private static TenantModel ToModel(TenantRecord record, PlatformInstance? platform) =>
        new(record, [.. record.Config.Urls.Select(text => TenantUrl.TryParse(text, out var url, out _) ? url : null).OfType<TenantUrl>()], platform);
}
