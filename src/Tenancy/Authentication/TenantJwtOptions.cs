using System.Collections.Concurrent;
using System.Security.Claims;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using Tenancy.Configuration;
using Tenancy.Outbound;
using Tenancy.Registry;
using Tenancy.Resolution;

namespace Tenancy.Authentication;

/// <summary>
/// The options of the one JWT scheme for each tenant: its issuer, its audiences and its keys, shared with no other tenant. They are built
/// at first use, anew for each version of the tenant, and go when they are idle or the tenant goes.
/// </summary>
internal sealed class TenantJwtOptions : ITenantChangeListener, IDisposable
{
    /// <summary>
    /// The time after which options that no request used are dropped. Keys go with them, so that it is longer than an issuer should be
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
    private static readonly TimeSpan ClockSkew = TimeSpan.FromMinutes(1);

    // Whoever can check a symmetric signature can also make it (RFC 8725, sections 2.1 and 3.1).
    private static readonly string[] Algorithms =
    [
        SecurityAlgorithms.RsaSha256,
        SecurityAlgorithms.RsaSha384,
        SecurityAlgorithms.RsaSha512,
        SecurityAlgorithms.RsaSsaPssSha256,
        SecurityAlgorithms.RsaSsaPssSha384,
        SecurityAlgorithms.RsaSsaPssSha512,
        SecurityAlgorithms.EcdsaSha256,
        SecurityAlgorithms.EcdsaSha384,
        SecurityAlgorithms.EcdsaSha512,
    ];

    private readonly ConcurrentDictionary<string, Entry> _entries = new(StringComparer.Ordinal);
    private readonly JwtBearerOptions _nobodys = new();
    private readonly IssuerMetadata _metadata;
    private readonly TenancyOptions _options;
    private readonly BoundAddresses _bound;
    private readonly TimeProvider _time;
    private readonly ILogger<TenantJwtOptions> _logger;
    private readonly ITimer _sweep;
    private int _checks;

    public TenantJwtOptions(
        IssuerMetadata metadata,
        IOptions<TenancyOptions> options,
        BoundAddresses bound,
        TimeProvider time,
        ILogger<TenantJwtOptions> logger
    )
    {
        _bound = bound;
        _metadata = metadata;
        _options = options.Value;
        _time = time;
        _logger = logger;
        _sweep = time.CreateTimer(static state => ((TenantJwtOptions)state!).Sweep(), this, SweepInterval, SweepInterval);
    }

    /// <summary>The options for a request: those of its tenant, or such that know no issuer.</summary>
    public JwtBearerOptions Get(HttpContext context) =>
        context.Features.Get<ITenantFeature>() is { Tenant: { Config.Authentication.Kind: TenantAuthenticationKind.Jwks } tenant }
            ? Find(tenant).Options
            : _nobodys;

    /// <summary>The tokens of a tenant that were checked already; they are forgotten when the tenant changes.</summary>
    public RecentTokens<ClaimsPrincipal> GetBelieved(TenantModel tenant) => Find(tenant).Believed;

    /// <summary>
    /// Believes a token that was checked. The tokens are those that were taken when the check began: where a change has dropped them
    /// meanwhile, the token is not believed.
    /// </summary>
    public void Believe(RecentTokens<ClaimsPrincipal> believed, string token, ClaimsPrincipal principal, DateTimeOffset until)
    {
        believed.Add(token, principal, until);

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

    public void OnTenantChanged(TenantChange change)
    {
        ArgumentNullException.ThrowIfNull(change);
        if (
            change.After?.Config.Authentication is not { } authentication
            || (_entries.TryGetValue(change.TenantId.Value, out var entry) && !entry.Keys.Authentication.HasSameProof(authentication))
        )
        {
            _entries.TryRemove(change.TenantId.Value, out _);
        }
    }

    public void Dispose() => _sweep.Dispose();

    /// <summary>The bytes that the believed tokens of all tenants take up.</summary>
    internal long BelievedBytes => _entries.Sum(static entry => entry.Value.Believed.Bytes);

    /// <summary>How many tokens were checked in full, keys and signature.</summary>
    internal int Checks => Volatile.Read(ref _checks);

    /// <summary>Counts a token that is checked in full.</summary>
    internal void CountCheck() => Interlocked.Increment(ref _checks);

    /// <summary>Whether there are options for a tenant now.</summary>
    internal bool Has(string tenantId) => _entries.ContainsKey(tenantId);

    /// <summary>The keys of a tenant that has options now.</summary>
    internal IssuerKeys KeysOf(string tenantId) => _entries[tenantId].Keys;

    private Entry Find(TenantModel tenant)
    {
        if (_entries.TryGetValue(tenant.Id.Value, out var entry) && entry.Version == tenant.Version)
        {
            entry.UsedAt = _time.GetTimestamp();
            return entry;
        }

        var built = Build(tenant, entry);
        var kept = _entries.AddOrUpdate(tenant.Id.Value, built, (_, current) => current.Version >= built.Version ? current : built);

        // A request that began before a change of its tenant holds the older model, and ends by the rules of that.
        return kept.Version == tenant.Version ? kept : built;
    }

    private Entry Build(TenantModel tenant, Entry? other)
    {
        // A change of URLs or limits needs no new keys, and must not need an issuer that answers.
        var authentication = tenant.Config.Authentication!;
        var keys =
            other is not null && other.Keys.Authentication.HasSameProof(authentication)
                ? other.Keys
                : new(tenant.Id, authentication, _metadata, _time, _logger);
        var audiences = TenantAudiences.Of(tenant.Config, _options);
        var options = new JwtBearerOptions
        {
            ConfigurationManager = keys,
            TimeProvider = _time,
            MapInboundClaims = false,
            SaveToken = false,
            RefreshOnIssuerKeyNotFound = false,
            TokenValidationParameters = new()
            {
                AuthenticationType = TenantSchemes.Jwks,
                ValidIssuer = authentication.Issuer,
                ValidAudiences = audiences,
                AudienceValidator = _bound.AreTenants ? (sent, _, _) => sent.Any(IsOurs) : null,
                IgnoreTrailingSlashWhenValidatingAudience = false,
                ValidAlgorithms = Algorithms,
                ValidateIssuerSigningKey = true,
                RequireSignedTokens = true,
                RequireAudience = true,
                LifetimeValidator = IsAlive,
                TypeValidator = ValidateType,
            },
        };
        options.TokenHandlers.Clear();
        options.TokenHandlers.Add(new JsonWebTokenHandler { MapInboundClaims = false, MaximumTokenSizeInBytes = BearerToken.MaxLength });
        return new(tenant.Version, options, keys, new(MaxBelieved, _time, MaxBelievedBytes, ClaimsPrincipalExtensions.SizeOf))
        {
            Clients = NewClients(),
            UsedAt = _time.GetTimestamp(),
        };

        // In Development a tenant is called at whatever address the server is bound to, which is known when it runs.
        bool IsOurs(string audience) => audiences.Contains(audience, StringComparer.Ordinal) || _bound.IsEndpointOf(tenant.Id, audience);
    }

    private RecentTokens<ClientFinding> NewClients() => new(MaxClients, _time);

    // As the built-in check does it, on this server's clock.
    private bool IsAlive(DateTime? notBefore, DateTime? expires, SecurityToken token, TokenValidationParameters parameters)
    {
        var now = _time.GetUtcNow().UtcDateTime;
        return expires > now - ClockSkew && (notBefore is null || notBefore <= now + ClockSkew);
    }

    // A token that an issuer made for another purpose, such as a logout token, is no access token (RFC 8725, section 3.11). Many have no
    // type.
    private static string ValidateType(string? type, SecurityToken token, TokenValidationParameters parameters) =>
        type is null or ""
        || type.Equals("JWT", StringComparison.OrdinalIgnoreCase)
        || type.Equals("at+jwt", StringComparison.OrdinalIgnoreCase)
        || type.Equals("application/at+jwt", StringComparison.OrdinalIgnoreCase)
            ? type ?? ""
            : throw new SecurityTokenInvalidTypeException("The token is no access token.");

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

    private sealed class Entry(long version, JwtBearerOptions options, IssuerKeys keys, RecentTokens<ClaimsPrincipal> believed)
    {
        private long _usedAt;
        private volatile RecentTokens<ClientFinding> _clients = null!;

        public long Version { get; } = version;

        public JwtBearerOptions Options { get; } = options;

        public IssuerKeys Keys { get; } = keys;

        public RecentTokens<ClaimsPrincipal> Believed { get; } = believed;

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
}
