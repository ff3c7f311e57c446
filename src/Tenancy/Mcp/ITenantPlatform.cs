namespace Tenancy.Mcp;

/// <summary>What a tenant can do, and what each tenant of this kind is configured with.</summary>
/// <typeparam name="TSelf">The class itself.</typeparam>
/// <remarks>
/// Tools, prompts and resources are built once per platform and shared by its tenants; the instance belongs to one tenant. It is disposed,
/// where it is disposable, after the last request that uses it.
/// </remarks>
public interface ITenantPlatform<TSelf>
    where TSelf : class, ITenantPlatform<TSelf>
{
    /// <summary>Says which handlers the platform has.</summary>
    static abstract void Define(IPlatformBuilder platform);

    /// <summary>
    /// Builds the instance of one tenant. What it throws disables the tenant, with the message as the reason; no other tenant notices.
    /// </summary>
    static abstract Task<TSelf> CreateAsync(TenantSetup tenant, CancellationToken cancellationToken);
}

/// <summary>Collects what a platform has.</summary>
public interface IPlatformBuilder
{
    /// <summary>
    /// Adds a class whose methods are tools, prompts or resources. It is created for each call, with services of the call's own scope.
    /// </summary>
    IPlatformBuilder AddHandlers<THandlers>()
        where THandlers : class;

    /// <summary>
    /// Adds all classes of the platform's own assembly that have tools, prompts or resources, except those that
    /// <see cref="HandlersOfAttribute"/> keeps to other platforms.
    /// </summary>
    IPlatformBuilder AddHandlersFromAssembly();
}
