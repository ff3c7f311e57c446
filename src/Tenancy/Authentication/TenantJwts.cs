using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Tenancy.Configuration;
using Tenancy.Outbound;
using Tenancy.Registry;
using Tenancy.Resolution;

namespace Tenancy.Authentication;

/// <summary>
/// What is known of each tenant for its JSON Web Tokens: its rules, its issuer's keys, and the tokens that were good lately. Nothing of it
/// is shared with another tenant. It is built at first use, the rules anew for each version of the tenant, and goes when it is idle or the
/// tenant goes.
/// </summary>
internal sealed class TenantJwts : ITenantChangeListener, ICheckedKeys, IDisposable
{
    /// <summary>
    /// The time after which what no request used is dropped. Keys go with it, so that it is longer than an issuer should be
    /// away.
    /// </summary>
    public static readonly TimeSpan IdleTime = TimeSpan.FromHours(1);

    /// <summary>How long a token that was checked is believed, unless it or the keys expire before.</summary>
    public static readonly TimeSpan MaximumBelief = TimeSpan.FromMinutes(5);

    /// <summary>The most bytes that the believed tokens of one tenant take up.</summary>
    public const long MaxBelievedBytes = 8L * 1024 * 1024;

    /// <summary>
    /// The most bytes that the believed tokens of all tenants take up together. A token that is dropped for it is checked again, and
    /// served.
    /// </summary>
    public const long MaxBelievedBytesOfAll = 64L * 1024 * 1024;

    private const int MaxBelieved = 2000;
    private const int MaxClients = 2000;
    private static readonly TimeSpan SweepInterval = TimeSpan.FromMinutes(10);

    private readonly ConcurrentDictionary<string, TenantJwt> _entries = new(StringComparer.Ordinal);
    private readonly IssuerMetadata _metadata;
    private readonly TenancyOptions _options;
    private readonly BoundAddresses _bound;
    private readonly TimeProvider _time;
    private readonly ILogger<TenantJwts> _logger;
    private readonly ITimer _sweep;
    private int _checks;

    public TenantJwts(
        IssuerMetadata metadata,
        IOptions<TenancyOptions> options,
        BoundAddresses bound,
        TimeProvider time,
        ILogger<TenantJwts> logger
    )
    {
        _bound = bound;
        _metadata = metadata;
        _options = options.Value;
        _time = time;
        _logger = logger;
        _sweep = time.CreateTimer(static state => ((TenantJwts)state!).Sweep(), this, SweepInterval, SweepInterval);
    }

    /// <summary>What is known of a tenant, as one whole: whoever checks a token takes it once.</summary>
    public TenantJwt Get(TenantModel tenant) => Find(tenant);

    /// <summary>Checks a token in full, and believes it for a while where it is good.</summary>
    /// <returns>The token, or why it is refused.</returns>
    /// <exception cref="IssuerUnavailableException">The issuer's keys are not to be had.</exception>
    public async Task<(BelievedToken? Token, TokenRefusal? Refusal)> CheckAsync(
        TenantJwt tenant,
        string text,
        string? called,
        CancellationToken cancellationToken
    )
    {
        var (accepted, refusal) = await JudgeAsync(tenant, text, called, cancellationToken).ConfigureAwait(false);
        if (accepted is not null)
        {
            var belief = tenant.Keys.Belief < MaximumBelief ? tenant.Keys.Belief : MaximumBelief;
            var until = _time.GetUtcNow() + belief;
            Believe(tenant.Believed, text, accepted, accepted.Expiry < until ? accepted.Expiry : until);
        }

        return (accepted, refusal);
    }

    /// <summary>Says what would become of a token. Nothing follows from it, not even for the keys that are known.</summary>
    /// <returns>The token, or why it is refused.</returns>
    /// <exception cref="IssuerUnavailableException">The issuer's keys are not to be had.</exception>
    public async Task<(BelievedToken? Token, TokenRefusal? Refusal)> ExplainAsync(
        TenantJwt tenant,
        string text,
        CancellationToken cancellationToken
    )
    {
        if (ExplainText(tenant, text, called: null, out var token) is { } flaw)
        {
            return (null, flaw);
        }

        var refusal = ExplainSignature(token!, await tenant.Keys.PeekAsync(areNew: false, cancellationToken).ConfigureAwait(false));
        if (refusal is not null)
        {
            try
            {
                refusal = ExplainSignature(token!, await tenant.Keys.PeekAsync(areNew: true, cancellationToken).ConfigureAwait(false));
            }
            catch (IssuerUnavailableException)
            {
                // The known keys go on to serve, and say what they say.
            }
        }

        return refusal is null ? (tenant.Rules.Accept(token!), null) : (null, refusal);
    }

    private async Task<(BelievedToken? Token, TokenRefusal? Refusal)> JudgeAsync(
        TenantJwt tenant,
        string text,
        string? called,
        CancellationToken cancellationToken
    )
    {
        if (ExplainText(tenant, text, called, out var token) is { } flaw)
        {
            return (null, flaw);
        }

        var keys = await tenant.Keys.GetAsync(cancellationToken).ConfigureAwait(false);
        var refusal = ExplainSignature(token!, keys);
        if (refusal is not null)
        {
            // Another request may have loaded new keys meanwhile.
            var current = await tenant.Keys.GetAsync(cancellationToken).ConfigureAwait(false);
            if (!ReferenceEquals(current, keys) || await tenant.Keys.TryRenewAsync(cancellationToken).ConfigureAwait(false))
            {
                refusal = ExplainSignature(token!, await tenant.Keys.GetAsync(cancellationToken).ConfigureAwait(false));
            }
        }

        return refusal is null ? (tenant.Rules.Accept(token!), null) : (null, refusal);
    }

    // What the token says of itself is looked at before keys are loaded or a signature is checked.
    private static TokenRefusal? ExplainText(TenantJwt tenant, string text, string? called, out SignedToken? token) =>
        SignedToken.TryRead(text, out token, out var flaw) ? tenant.Rules.ExplainClaims(token, called) : TokenRefusal.Of(flaw, text);

    /// <summary>The tokens of a tenant that were checked already; they are forgotten when the tenant changes.</summary>
    public RecentTokens<BelievedToken> GetBelieved(TenantModel tenant) => Find(tenant).Believed;

    /// <summary>
    /// Believes a token that was checked. The tokens are those that were taken when the check began: where a change has dropped them
    /// meanwhile, the token is not believed.
    /// </summary>
    public void Believe(RecentTokens<BelievedToken> believed, string token, BelievedToken value, DateTimeOffset until)
    {
        believed.Add(token, value, until);

        // Counted anew each time, so that no running count can drift: that is cheap beside the check of a signature. Forgetting twice
        // empties both halves.
        for (var i = 0; i < 2 && BelievedBytes > MaxBelievedBytesOfAll; i++)
        {
            foreach (var (_, entry) in _entries)
            {
                entry.Believed.LetGo();
            }
        }
    }

    /// <summary>
    /// What the store said of a tenant's clients lately. Whoever asks the store takes this object before: after <see cref="ForgetClients"/>
    /// there is another one, and what is added to the old one is lost.
    /// </summary>
    public RecentTokens<ClientFinding> GetClients(TenantModel tenant) => Find(tenant).Clients;

    /// <summary>Forgets what the store said of a tenant's clients.</summary>
    public void ForgetClients(TenantId tenant)
    {
        if (_entries.TryGetValue(tenant.Value, out var entry))
        {
            entry.Clients = NewClients();
        }
    }

    /// <summary>Whether the time of a token is over. Nothing else of it is checked.</summary>
    public bool HasExpired(string token) =>
        SignedToken.TryRead(token, out var read, out _) && read.Time("exp") is { } expiry && TokenRules.IsOver(expiry, _time);

    public void OnTenantChanged(TenantChange change)
    {
        ArgumentNullException.ThrowIfNull(change);

        // A tenant is disabled where its issuer is not to be trusted as it is: what was known of that goes, too.
        var id = change.TenantId.Value;
        var authentication = change.After is { Health: not TenantHealth.Disabled } after ? after.Config.Authentication : null;
        if (_entries.TryGetValue(id, out var entry) && !entry.Keys.Authentication.HasSameProof(authentication))
        {
            _entries.TryRemove(id, out _);
        }
    }

    /// <inheritdoc/>
    public long Begin() => _time.GetTimestamp();

    /// <inheritdoc/>
    public void Learn(string tenant, TenantAuthentication authentication, IssuerKeySet keys, long begunAt) =>
        FindKeys(tenant, authentication)?.Learn(keys, begunAt);

    public void Dispose() => _sweep.Dispose();

    /// <summary>The bytes that the believed tokens of all tenants take up.</summary>
    internal long BelievedBytes => _entries.Sum(static entry => entry.Value.Believed.Bytes);

    /// <summary>How many tokens were checked in full, keys and signature.</summary>
    internal int Checks => Volatile.Read(ref _checks);

    /// <summary>Whether there is anything of a tenant now.</summary>
    internal bool Has(string tenantId) => _entries.ContainsKey(tenantId);

    /// <summary>The keys of a tenant of which there is something now.</summary>
    internal IssuerKeys KeysOf(string tenantId) => _entries[tenantId].Keys;

    private TokenRefusal? ExplainSignature(SignedToken token, IssuerKeySet keys)
    {
        Interlocked.Increment(ref _checks);
        return TokenRules.ExplainSignature(token, keys);
    }

    private TenantJwt Find(TenantModel tenant)
    {
        if (_entries.TryGetValue(tenant.Id.Value, out var entry) && entry.Version == tenant.Version)
        {
            entry.UsedAt = _time.GetTimestamp();
            return entry;
        }

        var built = Build(tenant);
        var kept = _entries.AddOrUpdate(tenant.Id.Value, built, (_, current) => current.Version >= built.Version ? current : built);

        // A request that began before a change of its tenant holds the older model, and ends by the rules of that.
        return kept.Version == tenant.Version ? kept : built;
    }

    private TenantJwt Build(TenantModel tenant)
    {
        // A change of URLs or limits needs no new keys, and must not need an issuer that answers.
        var authentication = tenant.Config.Authentication!;
        var keys = FindKeys(tenant.Id.Value, authentication) ?? new(tenant.Id, authentication, _metadata, _time, _logger);
        var audiences = TenantAudiences.Of(tenant.Config, _options);
        // In Development a tenant is called at whatever address the server is bound to, which is known when it runs.
        var rules = new TokenRules(
            tenant.Id,
            authentication,
            audiences,
            audience => _bound.AreTenants && _bound.IsEndpointOf(tenant.Id, audience),
            _time
        );
        return new(tenant.Version, rules, keys, new(MaxBelieved, _time, MaxBelievedBytes, static value => value.SizeOf()))
        {
            Clients = NewClients(),
            UsedAt = _time.GetTimestamp(),
        };
    }

    private IssuerKeys? FindKeys(string tenant, TenantAuthentication authentication) =>
        _entries.TryGetValue(tenant, out var entry) && entry.Keys.Authentication.HasSameProof(authentication) ? entry.Keys : null;

    private RecentTokens<ClientFinding> NewClients() => new(MaxClients, _time);

    private void Sweep()
    {
        foreach (var entry in _entries)
        {
            if (_time.GetElapsedTime(entry.Value.UsedAt) >= IdleTime)
            {
                _entries.TryRemove(entry);
            }
        }
    }
}

/// <summary>What is known of one tenant for its JSON Web Tokens.</summary>
internal sealed class TenantJwt(long version, TokenRules rules, IssuerKeys keys, RecentTokens<BelievedToken> believed)
{
    private long _usedAt;
    private volatile RecentTokens<ClientFinding> _clients = null!;

    public long Version { get; } = version;

    public TokenRules Rules { get; } = rules;

    public IssuerKeys Keys { get; } = keys;

    public RecentTokens<BelievedToken> Believed { get; } = believed;

    public required RecentTokens<ClientFinding> Clients
    {
        get => _clients;
        set => _clients = value;
    }

    public long UsedAt
    {
        get => Volatile.Read(ref _usedAt);
        set => Volatile.Write(ref _usedAt, value);
    }
}
