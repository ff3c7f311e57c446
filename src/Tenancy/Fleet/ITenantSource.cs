using Tenancy.Configuration;

namespace Tenancy.Fleet;

/// <summary>A place outside where the truth about tenants is, such as a table of a database. The server follows it.</summary>
/// <remarks>
/// Add it with <c>AddTenantSource&lt;YourSource&gt;()</c> on the builder. What it gives is registered or updated; a tenant that it gave and
/// gives no more is unregistered, and its data is kept: for the same <see cref="TenantRegistration.Owner"/>, where the source names one,
/// and else for nobody until an admin adopts or deletes it. A tenant that somebody registered by the admin API is left alone. A source
/// lifts a suspension of its own; one that an admin suspended stays so until an admin lifts it.
/// </remarks>
public interface ITenantSource
{
    /// <summary>Gives all tenants of the source, now.</summary>
    IAsyncEnumerable<TenantRegistration> LoadAsync(CancellationToken cancellationToken);

    /// <summary>Ends when something may have changed since <see cref="LoadAsync"/> was last called, so that it is called again.</summary>
    Task WaitForChangeAsync(CancellationToken cancellationToken);
}
