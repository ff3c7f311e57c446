using System.Collections.Concurrent;
using Tenancy.Configuration;
using Tenancy.Validation;

namespace Tenancy.Tests.Registry;

/// <summary>A user's validator that answers as the test says, when the test says.</summary>
internal sealed class GatedValidator : ITenantValidator
{
    private readonly ConcurrentDictionary<string, TenantValidation> _results = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, ConcurrentQueue<Call>> _gates = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, int> _counts = new(StringComparer.Ordinal);

    public static TenantValidation Valid => TenantValidation.Valid.Instance;

    public static TenantValidation Transient { get; } = new TenantValidation.Transient("the provider does not answer");

    public static TenantValidation Doubtful { get; } = new TenantValidation.Doubtful("the provider answered 404");

    public static TenantValidation Permanent { get; } = new TenantValidation.Permanent("the provider is another");

    public int Count(string tenant) => _counts.GetValueOrDefault(tenant);

    /// <summary>From now on the tenant's checks give this, at once.</summary>
    public void Answer(string tenant, TenantValidation result) => _results[tenant] = result;

    /// <summary>The next check of the tenant waits until the test lets it go.</summary>
    public Call Hold(string tenant)
    {
        var call = new Call();
        _gates.GetOrAdd(tenant, static _ => new()).Enqueue(call);
        return call;
    }

    public ValueTask<TenantValidation> ValidateAsync(TenantConfig tenant, CancellationToken cancellationToken)
    {
        _counts.AddOrUpdate(tenant.Id, 1, static (_, count) => count + 1);
        return _gates.TryGetValue(tenant.Id, out var gates) && gates.TryDequeue(out var call)
            ? new(call.RunAsync())
            : new(_results.GetValueOrDefault(tenant.Id, Valid));
    }

    /// <summary>One check that is under way. It does not listen to its cancellation token, as bad validators do.</summary>
    internal sealed class Call
    {
        private readonly TaskCompletionSource _started = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource<TenantValidation> _result = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Started => _started.Task.WaitAsync(TimeSpan.FromSeconds(20));

        public void End(TenantValidation result) => _result.SetResult(result);

        public void Throw(Exception exception) => _result.SetException(exception);

        public Task<TenantValidation> RunAsync()
        {
            _started.TrySetResult();
            return _result.Task;
        }
    }
}
