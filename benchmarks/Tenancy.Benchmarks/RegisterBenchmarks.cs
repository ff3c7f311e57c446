using BenchmarkDotNet.Attributes;

namespace Tenancy.Benchmarks;

/// <summary>Registering 100,000 tenants one by one, without validators, the store aside.</summary>
[MemoryDiagnoser]
[SimpleJob(launchCount: 1, warmupCount: 1, iterationCount: 5, invocationCount: 1)]
public class RegisterBenchmarks
{
    private Tenants _tenants = null!;

    [IterationSetup]
    public void Setup() => _tenants = new();

    [IterationCleanup]
    public void Cleanup() => _tenants.Dispose();

    [Benchmark]
    public Task Register() => _tenants.RegisterAsync(100_000);
}
