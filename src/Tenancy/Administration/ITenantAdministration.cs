using Tenancy.Configuration;
using Tenancy.Registry;

namespace Tenancy.Administration;

/// <summary>
/// The one way to change the tenants of this server, and who may call them: for the admin API, the configuration, sources of tenants and an
/// application's own code.
/// </summary>
/// <remarks>
/// <para>
/// Take it in a constructor. A change is stored first and then served, whole or not at all; requests that began before it end on what was
/// there. It needs no HTTP.
/// </para>
/// <para>
/// Each method can throw, beside what it names, <see cref="StoreUnavailableException"/>: then the change may or may not have happened, and
/// the same call again completes it. What is read of tenants, <see cref="TenantRegistry"/> has.
/// </para>
/// </remarks>
public interface ITenantAdministration
{
    /// <summary>Registers a tenant, with the principals that it begins with. An equal one again changes nothing.</summary>
    /// <param name="registration">The tenant and its principals.</param>
    /// <param name="options">How; null for the defaults.</param>
    /// <param name="cancellationToken">Ends the wait; what was stored stays.</param>
    /// <returns>
    /// The tenant, and the principals with their tokens, which nothing can show again. Where an equal tenant was there already, its
    /// principals are found by the tokens that are given.
    /// </returns>
    /// <exception cref="TenantConfigException">The tenant or a principal has mistakes; nothing was changed.</exception>
    /// <exception cref="TenantConflictException">
    /// The id is taken by a different configuration or by an equal one that does not have these principals, a URL by another tenant, or a
    /// token is in use; nothing was changed.
    /// </exception>
    /// <exception cref="TenantNotFoundException">The tenant was taken away while its validation was waited for.</exception>
    /// <exception cref="TenantValidationException">
    /// The tenant's platform cannot be built from its settings; nothing was changed.
    /// </exception>
    Task<RegisteredTenant> RegisterAsync(
        TenantRegistration registration,
        TenantRegistrationOptions? options = null,
        CancellationToken cancellationToken = default
    );

    /// <summary>
    /// Changes a tenant without a gap. Changed authentication or platform settings are validated first, while the old ones serve.
    /// </summary>
    /// <param name="tenantId">The tenant.</param>
    /// <param name="change">
    /// Makes the new configuration of the present one: <c>tenant => tenant with { Name = "..." }</c>. It is called again where the tenant
    /// was changed meanwhile.
    /// </param>
    /// <param name="options">How; null for the defaults.</param>
    /// <param name="cancellationToken">Ends the wait for validation; what was stored stays.</param>
    /// <exception cref="TenantNotFoundException">There is no such tenant.</exception>
    /// <exception cref="TenantConfigException">The configuration has mistakes; nothing was changed.</exception>
    /// <exception cref="TenantValidationException">The change did not pass validation; nothing was changed.</exception>
    /// <exception cref="TenantConflictException">
    /// A URL belongs to another tenant, or the tenant is at another version than was expected; nothing was changed.
    /// </exception>
    Task<TenantStatus> UpdateAsync(
        TenantId tenantId,
        Func<TenantConfig, TenantConfig> change,
        TenantUpdateOptions? options = null,
        CancellationToken cancellationToken = default
    );

    /// <summary>
    /// Validates a tenant now, and builds its platform anew. Callers that come while a validation runs share the next one.
    /// </summary>
    /// <exception cref="TenantNotFoundException">There is no such tenant, or it was taken away meanwhile.</exception>
    Task<TenantStatus> RecheckAsync(TenantId tenantId, CancellationToken cancellationToken = default);

    /// <summary>Takes a tenant out of service and keeps its data.</summary>
    /// <returns>False where there is no such tenant.</returns>
    Task<bool> UnregisterAsync(TenantId tenantId, CancellationToken cancellationToken = default);

    /// <summary>Takes a tenant out of service and deletes all that it keeps.</summary>
    /// <param name="tenantId">The tenant.</param>
    /// <param name="cancellationToken">
    /// Looked at before it begins: what was begun is completed, whether or not the caller waits for it.
    /// </param>
    /// <returns>
    /// False where there is no such tenant, and no data of one whose deletion was cut off: until that is done, nobody can have the id.
    /// </returns>
    Task<bool> DeleteAsync(TenantId tenantId, CancellationToken cancellationToken = default);

    /// <summary>Issues a principal of a tenant, with a bearer token that nothing can show again.</summary>
    /// <exception cref="TenantNotFoundException">There is no such tenant.</exception>
    /// <exception cref="TenantConfigException">The principal has mistakes.</exception>
    /// <exception cref="TenantConflictException">The token is in use, or the tenant has as many principals as it may.</exception>
    Task<IssuedPrincipal> IssuePrincipalAsync(
        TenantId tenantId,
        PrincipalRegistration principal,
        CancellationToken cancellationToken = default
    );

    /// <summary>Lists the principals of a tenant, without their tokens, in the order in which they were issued.</summary>
    /// <exception cref="TenantNotFoundException">There is no such tenant.</exception>
    Task<IReadOnlyList<TenantPrincipal>> ListPrincipalsAsync(TenantId tenantId, CancellationToken cancellationToken = default);

    /// <summary>Gives a principal a new token.</summary>
    /// <param name="tenantId">The tenant.</param>
    /// <param name="principalId">The principal's id.</param>
    /// <param name="overlap">For how long the token before it is good too: seven days at most. Default: not at all.</param>
    /// <param name="cancellationToken">Looked at before it begins.</param>
    /// <returns>The principal with its new token; null where there is no such principal.</returns>
    /// <exception cref="TenantNotFoundException">There is no such tenant.</exception>
    Task<IssuedPrincipal?> RotatePrincipalAsync(
        TenantId tenantId,
        string principalId,
        TimeSpan overlap = default,
        CancellationToken cancellationToken = default
    );

    /// <summary>Revokes a principal with all its tokens: at once on this node, within a second on others.</summary>
    /// <returns>False where there is no such principal.</returns>
    /// <exception cref="TenantNotFoundException">There is no such tenant.</exception>
    Task<bool> RevokePrincipalAsync(TenantId tenantId, string principalId, CancellationToken cancellationToken = default);

    /// <summary>
    /// Lists an OAuth client of a tenant's identity provider, so that it may call the tenant where that requires clients.
    /// </summary>
    /// <exception cref="TenantNotFoundException">There is no such tenant.</exception>
    /// <exception cref="TenantConfigException">The client has mistakes.</exception>
    /// <exception cref="TenantConflictException">
    /// The tenant has no identity provider, lists the client already, or has as many clients as it may.
    /// </exception>
    /// <exception cref="ClientMetadataException">
    /// The document that the client's id is the URL of could not be fetched, or does not vouch for the client.
    /// </exception>
    Task<TenantClient> AddClientAsync(TenantId tenantId, ClientRegistration client, CancellationToken cancellationToken = default);

    /// <summary>Lists the clients of a tenant, in the order in which they came.</summary>
    /// <param name="tenantId">The tenant.</param>
    /// <param name="cursor">The cursor of the page before; null for the first page.</param>
    /// <param name="take">The most clients of a page: 1 to 1,000.</param>
    /// <param name="cancellationToken">Looked at before it begins.</param>
    /// <exception cref="TenantNotFoundException">There is no such tenant.</exception>
    /// <exception cref="TenantConfigException">The cursor is none.</exception>
    Task<TenantClientPage> ListClientsAsync(
        TenantId tenantId,
        string? cursor = null,
        int take = 100,
        CancellationToken cancellationToken = default
    );

    /// <summary>Finds a client of a tenant.</summary>
    /// <returns>Null where the tenant lists none with this handle.</returns>
    /// <exception cref="TenantNotFoundException">There is no such tenant.</exception>
    Task<TenantClient?> FindClientAsync(TenantId tenantId, string handle, CancellationToken cancellationToken = default);

    /// <summary>Gives a client its full lifetime again, and fetches its metadata document anew where its id is the URL of one.</summary>
    /// <returns>Null where the tenant lists none with this handle.</returns>
    /// <exception cref="TenantNotFoundException">There is no such tenant.</exception>
    /// <exception cref="ClientMetadataException">
    /// The document could not be fetched, or does not vouch for the client; nothing was changed.
    /// </exception>
    Task<TenantClient?> RefreshClientAsync(TenantId tenantId, string handle, CancellationToken cancellationToken = default);

    /// <summary>Takes a client out of a tenant's list: at once on this node, within a second on others.</summary>
    /// <returns>False where the tenant lists none with this handle.</returns>
    /// <exception cref="TenantNotFoundException">There is no such tenant.</exception>
    Task<bool> RemoveClientAsync(TenantId tenantId, string handle, CancellationToken cancellationToken = default);
}

/// <summary>How a tenant is registered.</summary>
public sealed record TenantRegistrationOptions
{
    /// <summary>Gets whether to wait for the first result of validation, whatever it is. Default: false.</summary>
    public bool AwaitFirstValidation { get; init; }

    /// <summary>Gets what is done where the id was used before. Default: nobody's data may be there.</summary>
    public TenantCreation Creation { get; init; }

    /// <summary>Who registers it; what one registered, another does not change by itself.</summary>
    internal string Origin { get; init; } = TenantOrigin.Admin;
}

/// <summary>How a tenant is changed.</summary>
public sealed record TenantUpdateOptions
{
    /// <summary>Gets the version that the caller saw; null, the default, for any.</summary>
    public long? ExpectedVersion { get; init; }

    /// <summary>
    /// Gets whether to switch at once and validate then, instead of before: the tenant is pending until that passed. Default: false.
    /// </summary>
    public bool Force { get; init; }

    /// <summary>Who changes it. A source lifts no suspension but its own.</summary>
    internal string Origin { get; init; } = TenantOrigin.Admin;
}

/// <summary>A tenant that was registered.</summary>
/// <param name="Status">The tenant.</param>
/// <param name="IsNew">Whether it is new; else an equal one was there.</param>
/// <param name="Principals">The principals of the registration, and their tokens.</param>
public sealed record RegisteredTenant(TenantStatus Status, bool IsNew, IReadOnlyList<IssuedPrincipal> Principals)
{
    /// <summary>Gets what it has of an unregistered tenant with its id; null where there was none.</summary>
    public AdoptedData? Adopted { get; init; }
}
