using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Tenancy.Diagnostics;

/// <summary>What this node counts and measures. Where nobody listens, each of these costs one look at a field.</summary>
/// <remarks>Names and units are documented in <c>docs/operate.md</c>, and never change their meaning.</remarks>
internal sealed class TenancyMetrics
{
    private const string Tenant = "tenancy.tenant";

    private readonly Meter _meter;
    private readonly TenantSeries _series;
    private readonly Histogram<double> _calls;
    private readonly Histogram<double> _store;
    private readonly Counter<long> _refusals;
    private readonly Counter<long> _rechecks;
    private readonly Counter<long> _limits;
    private readonly Counter<long> _trips;
    private readonly Counter<long> _commits;
    private readonly Counter<long> _keyed;

    /// <param name="meters">Makes the meter, and ends it with the application.</param>
    /// <param name="mostTenants">How many tenants have series of their own.</param>
    public TenancyMetrics(IMeterFactory meters, int mostTenants)
    {
        _series = new(mostTenants);
        _meter = meters.Create(new MeterOptions(TenancyTelemetry.MeterName) { Version = Release.Version });
        _calls = _meter.CreateHistogram(
            "tenancy.call.duration",
            "s",
            "One run of a handler, from its place among the tenant's calls until it has ended.",
            advice: Buckets(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300)
        );
        _store = _meter.CreateHistogram(
            "db.client.operation.duration",
            "s",
            "Duration of database client operations.",
            advice: Buckets(0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10)
        );
        _refusals = _meter.CreateCounter<long>("tenancy.refusals", "{request}", "Requests that were refused before any handler saw them.");
        _rechecks = _meter.CreateCounter<long>("tenancy.rechecks", "{check}", "Checks of tenants that this node made.");
        _limits = _meter.CreateCounter<long>("tenancy.limit.requests", "{request}", "Requests that were counted against a rate limit.");
        _trips = _meter.CreateCounter<long>("tenancy.limit.trips", "{trip}", "Questions for a part of a rate limit.");
        _commits = _meter.CreateCounter<long>("tenancy.commits", "{commit}", "Commits of what handlers wrote.");
        _keyed = _meter.CreateCounter<long>("tenancy.idempotency.requests", "{request}", "Requests with an idempotency key.");
    }

    /// <summary>Gets whether anybody listens to the duration of calls.</summary>
    public bool MeasuresCalls => _calls.Enabled;

    /// <summary>Gets whether anybody listens to the duration of what goes to the store.</summary>
    public bool MeasuresStore => _store.Enabled;

    /// <summary>The value of <c>tenancy.tenant</c> for a tenant that there is.</summary>
    public string SeriesOf(string tenant) => _series.Of(tenant);

    /// <summary>A handler has ended.</summary>
    public void Call(double seconds, string tenant, string? tool, string outcome)
    {
        var tags = new TagList { { Tenant, _series.Of(tenant) }, { "tenancy.outcome", outcome } };
        if (tool is not null)
        {
            tags.Add("gen_ai.tool.name", tool);
        }

        _calls.Record(seconds, tags);
    }

    /// <summary>A command of the store was answered, or was not.</summary>
    /// <param name="seconds">How long it took.</param>
    /// <param name="operation">The command.</param>
    /// <param name="script">The script, where it was one.</param>
    /// <param name="error">What was thrown; null where it was answered.</param>
    public void Store(double seconds, string operation, string? script, string? error)
    {
        var tags = new TagList { { "db.system.name", "redis" }, { "db.operation.name", operation } };
        if (script is not null)
        {
            tags.Add("db.stored_procedure.name", script);
        }

        if (error is not null)
        {
            tags.Add("error.type", error);
        }

        _store.Record(seconds, tags);
    }

    /// <summary>A request was refused.</summary>
    /// <param name="reason">The refusal's name.</param>
    /// <param name="status">Its HTTP status.</param>
    /// <param name="tenant">The tenant, where there is one that the caller may know of.</param>
    public void Refusal(string reason, int status, string? tenant)
    {
        if (!_refusals.Enabled)
        {
            return;
        }

        var tags = new TagList { { "tenancy.refusal", reason }, { "http.response.status_code", status } };
        if (tenant is not null)
        {
            tags.Add(Tenant, _series.Of(tenant));
        }

        _refusals.Add(1, tags);
    }

    /// <summary>A check of a tenant has a result.</summary>
    public void Recheck(string tenant, string result)
    {
        if (_rechecks.Enabled)
        {
            _rechecks.Add(1, new TagList { { Tenant, _series.Of(tenant) }, { "tenancy.result", result } });
        }
    }

    /// <summary>A request was counted against a limit, or refused by it.</summary>
    public void Limit(string tenant, string? policy, bool isAllowed)
    {
        if (_limits.Enabled)
        {
            _limits.Add(
                1,
                new TagList
                {
                    { Tenant, _series.Of(tenant) },
                    { "tenancy.limit.policy", policy },
                    { "tenancy.result", isAllowed ? "allowed" : "refused" },
                }
            );
        }
    }

    /// <summary>A part of a limit was asked for: at the store, or of what stands in while that is away.</summary>
    public void Trip(bool isLocal)
    {
        if (_trips.Enabled)
        {
            _trips.Add(1, new TagList { { "tenancy.result", isLocal ? "local" : "store" } });
        }
    }

    /// <summary>A commit was answered.</summary>
    public void Commit(string tenant, string result)
    {
        if (_commits.Enabled)
        {
            _commits.Add(1, new TagList { { Tenant, _series.Of(tenant) }, { "tenancy.result", result } });
        }
    }

    /// <summary>A request with an idempotency key was looked at.</summary>
    public void Keyed(string tenant, string? tool, string result)
    {
        if (_keyed.Enabled)
        {
            _keyed.Add(
                1,
                new TagList
                {
                    { Tenant, _series.Of(tenant) },
                    { "gen_ai.tool.name", tool },
                    { "tenancy.result", result },
                }
            );
        }
    }

    /// <summary>Says, whenever it is asked, how many tenants there are in each state.</summary>
    public void ObserveTenants(Func<IEnumerable<(string Health, int Count)>> count) =>
        _meter.CreateObservableGauge(
            "tenancy.tenants",
            () => count().Select(one => new Measurement<int>(one.Count, new KeyValuePair<string, object?>("tenancy.health", one.Health))),
            "{tenant}",
            "The tenants that this node knows, by health."
        );

    /// <summary>Says how long ago this node knew all that the store has.</summary>
    public void ObserveLag(Func<double> seconds) =>
        _meter.CreateObservableGauge("tenancy.node.lag", seconds, "s", "How long ago this node knew all changes that the store has.");

    /// <summary>Says how many parts of limits this node holds.</summary>
    public void ObserveSlices(Func<int> count) =>
        _meter.CreateObservableGauge("tenancy.limit.slices", count, "{slice}", "The subjects of rate limits that this node has in memory.");

    private static InstrumentAdvice<double> Buckets(params double[] bounds) => new() { HistogramBucketBoundaries = bounds };
}
