using System.Runtime.CompilerServices;
using Tenancy.Configuration;
using Tenancy.Fleet;

namespace Tenancy.Tests.Docs.Snippets;

internal sealed class CityTenants : ITenantSource
{
    private readonly TaskCompletionSource _changed = new();

    public async IAsyncEnumerable<TenantRegistration> LoadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        foreach (var city in new[] { "berlin", "lisbon" })
        {
            yield return new()
            {
                Tenant = new() { Id = city, Name = $"Shop of {city}" },
                Owner = $"city hall of {city}",
            };
        }

        await Task.CompletedTask;
    }

    // Ends when LoadAsync may give something else.
    public Task WaitForChangeAsync(CancellationToken cancellationToken) => _changed.Task.WaitAsync(cancellationToken);
}
