using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Configs;

namespace Tenancy.Benchmarks;

/// <summary>Finding the tenant of a request, against a bare dictionary look-up of the same keys.</summary>
[MemoryDiagnoser]
[GroupBenchmarksBy(BenchmarkLogicalGroupRule.ByCategory)]
[CategoriesColumn]
public class ResolveBenchmarks
{
    private Lookups _lookups = null!;

    [Params(10, 10_000, 100_000)]
    public int Count { get; set; }

    [GlobalSetup]
    public void Setup() => _lookups = new(Count);

    [Benchmark(Baseline = true), BenchmarkCategory("host")]
    public object BareHost() => _lookups.BareHost();

    [Benchmark, BenchmarkCategory("host")]
    public object Host() => _lookups.Host();

    [Benchmark(Baseline = true), BenchmarkCategory("url")]
    public object BareUrl() => _lookups.BareUrl();

    [Benchmark, BenchmarkCategory("url")]
    public object Url() => _lookups.Url();

    [Benchmark(Baseline = true), BenchmarkCategory("id")]
    public object BareId() => _lookups.BareId();

    [Benchmark, BenchmarkCategory("id")]
    public object IdInPath() => _lookups.IdInPath();
}
