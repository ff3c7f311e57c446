using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Tenancy.Audit;
using Tenancy.Authentication;
using Tenancy.Configuration;
using Tenancy.Diagnostics;
using Tenancy.Outbound;
using Tenancy.Registry;
using Tenancy.State;

namespace Tenancy.Administration;

/// <summary>Changes the OAuth clients that tenants list.</summary>
internal sealed class TenantClients(
    RedisConnection redis,
    AuditLog audit,
    Revocations revocations,
    ClientMetadata metadata,
    ClientClaims claims,
    TenantRegistry registry,
    IOptions<TenancyOptions> options,
    TimeProvider time,
    ILogger<TenantClients> logger
)
{
    /// <summary>The most clients of a page.</summary>
    public const int MaxPage = 1000;

    public async Task<TenantClient> AddAsync(TenantModel tenant, ClientRegistration client, CancellationToken cancellationToken)
    {
        if (tenant.Config.Authentication is not { Kind: TenantAuthenticationKind.Jwks, Issuer: { } issuer })
        {
            throw new TenantConflictException(
                "authentication.kind",
                "Clients are those of an identity provider, and the tenant has none: change its authentication to the kind 'jwks' first."
            );
        }

        if (ClientValidator.Validate(client, options.Value.Validation).ToArray() is { Length: > 0 } errors)
        {
            throw new TenantConfigException(errors);
        }

        var record = await DescribeAsync(new(client.ClientId, issuer) { Name = client.Name, Metadata = client.Metadata }, cancellationToken)
            .ConfigureAwait(false);
        var maxClients = tenant.Limits.MaxClients;
        await ClaimAsync(tenant, client.ClientId).ConfigureAwait(false);
        var (created, refusal) = await ChangeAsync(tenant, clients =>
                clients.CreateAsync(record, client.Lifetime, maxClients, Entry(AuditAction.ClientListed, tenant, record))
            )
            .ConfigureAwait(false);
        if (created is null)
        {
            await ReleaseAsync(tenant, issuer, client.ClientId).ConfigureAwait(false);
            throw refusal == ClientRefusal.TooMany
                ? new TenantConflictException(
                    "limits.maxClients",
                    $"The tenant has {maxClients} clients, as many as it may: take one out, or raise limits.maxClients."
                )
                : new TenantConflictException("clientId", "The client is listed already: take it out first, or refresh it.");
        }

        try
        {
            // A change of the tenant that began before the client was in the list does not know it, and has given up the claim.
            await ClaimAsync(tenant, client.ClientId).ConfigureAwait(false);
        }
        catch (TenantConflictException)
        {
            await ChangeAsync(tenant, clients => clients.DeleteAsync(created.Handle, Removed(tenant, record))).ConfigureAwait(false);
            throw;
        }

        logger.ClientListed(tenant.Id.Value, created.Handle);
        return Show(created);
    }

    public async Task<TenantClientPage> ListAsync(TenantModel tenant, string? cursor, int take)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(take, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(take, MaxPage);
        if (cursor is not null && !ClientStore.IsCursor(cursor))
        {
            throw new TenantConfigException([new("cursor", $"is '{cursor}': use the nextCursor of the page before")]);
        }

        var (clients, count, nextCursor) = await new ClientStore(redis, tenant.Id, tenant.Generation)
            .ListAsync(cursor, take)
            .ConfigureAwait(false);
        return new([.. clients.Select(Show)], count, nextCursor);
    }

    public async Task<TenantClient?> FindAsync(TenantModel tenant, string handle) =>
        await FindStoredAsync(tenant, handle).ConfigureAwait(false) is { } client ? Show(client) : null;

    public async Task<TenantClient?> RefreshAsync(TenantModel tenant, string handle, CancellationToken cancellationToken)
    {
        if (await FindStoredAsync(tenant, handle).ConfigureAwait(false) is not { } client)
        {
            return null;
        }

        await ClaimAsync(tenant, client.Record.ClientId, client.Record.Issuer).ConfigureAwait(false);
        var record = await DescribeAsync(client.Record, cancellationToken).ConfigureAwait(false);
        if (
            await ChangeAsync(tenant, clients => clients.RefreshAsync(client, record, Entry(AuditAction.ClientRefreshed, tenant, record)))
                .ConfigureAwait(false)
            is not { } refreshed
        )
        {
            return null;
        }

        logger.ClientRefreshed(tenant.Id.Value, handle);
        return Show(refreshed);
    }

    public async Task<bool> RemoveAsync(TenantModel tenant, string handle)
    {
        StoredClient? client = null;
        if (
            handle.Length != TenantKeyspace.HashLength
            || !await ChangeAsync(tenant, async clients =>
                {
                    client = await clients.FindAsync(handle, time.GetUtcNow()).ConfigureAwait(false);
                    return await clients.DeleteAsync(handle, Removed(tenant, client?.Record)).ConfigureAwait(false);
                })
                .ConfigureAwait(false)
        )
        {
            return false;
        }

        if (client is not null)
        {
            await ReleaseAsync(tenant, client.Record.Issuer, client.Record.ClientId).ConfigureAwait(false);
        }

        logger.ClientRemoved(tenant.Id.Value, handle);
        return true;
    }

    /// <summary>
    /// Claims a client for the tenant, where the client stands for the audience there. One that the other tenant only has a claim on, and
    /// lists no more because it expired, is taken over.
    /// </summary>
    /// <exception cref="TenantConflictException">Another tenant lists it.</exception>
    private async Task ClaimAsync(TenantModel tenant, string clientId, string? issuer = null)
    {
        if (tenant.Config.Authentication is not { AudienceFromClients: true, Issuer: { } ours } || (issuer is not null && issuer != ours))
        {
            return;
        }

        var owner = await claims.ClaimAsync(tenant.Id, tenant.Generation, ours, clientId).ConfigureAwait(false);
        if (owner != tenant.Id.Value && await TryFreeAsync(owner, ours, clientId).ConfigureAwait(false))
        {
            owner = await claims.ClaimAsync(tenant.Id, tenant.Generation, ours, clientId).ConfigureAwait(false);
        }

        if (owner != tenant.Id.Value)
        {
            throw new TenantConflictException(
                "clientId",
                $"Tenant '{owner}' has the client of this issuer for its audience, too, so that each would accept the other's tokens: have "
                    + "the identity provider give each tenant a client of its own."
            );
        }
    }

    /// <summary>Gives up the claim of a tenant that does not list the client any more.</summary>
    private async Task<bool> TryFreeAsync(string owner, string issuer, string clientId) =>
        registry.Get(owner) is { } other && await ReleaseAsync(other, issuer, clientId).ConfigureAwait(false);

    /// <summary>Gives up a tenant's claim of a client that it does not list, and that is no audience of its settings.</summary>
    private async Task<bool> ReleaseAsync(TenantModel tenant, string issuer, string clientId)
    {
        if (
            tenant.Config.Authentication is not { AudienceFromClients: true }
            || TenantAudiences.Of(tenant.Config, options.Value).Contains(clientId, StringComparer.Ordinal)
        )
        {
            return false;
        }

        var count = await claims.CountAsync(tenant.Id).ConfigureAwait(false);
        if (await FindStoredAsync(tenant, ClientStore.HandleOf(issuer, clientId)).ConfigureAwait(false) is not null)
        {
            return false;
        }

        await claims.ReleaseAsync(tenant.Id, tenant.Generation, tenant.Version, count, issuer, clientId).ConfigureAwait(false);
        return true;
    }

    private async Task<StoredClient?> FindStoredAsync(TenantModel tenant, string handle) =>
        handle.Length == TenantKeyspace.HashLength
            ? await new ClientStore(redis, tenant.Id, tenant.Generation).FindAsync(handle, time.GetUtcNow()).ConfigureAwait(false)
            : null;

    // Also where the store did not answer: the change may have happened, so that the cached answers are dropped in any case.
    private async Task<T> ChangeAsync<T>(TenantModel tenant, Func<ClientStore, Task<T>> change)
    {
        try
        {
            return await audit.ChangeAsync(tenant.Id, () => change(new(redis, tenant.Id, tenant.Generation))).ConfigureAwait(false);
        }
        finally
        {
            revocations.TellOfClients(tenant.Id);
        }
    }

    /// <summary>Adds what a client publishes of itself, where its id is the URL of that.</summary>
    private async Task<ClientRecord> DescribeAsync(ClientRecord client, CancellationToken cancellationToken)
    {
        if (!ClientValidator.IsDocument(client.ClientId))
        {
            return client;
        }

        try
        {
            var document = await metadata.LoadAsync(client.ClientId, cancellationToken).ConfigureAwait(false);
            return client with { Metadata = document, FetchedAt = time.GetUtcNow() };
        }
        catch (FetchException exception)
        {
            throw new ClientMetadataException(exception.Message, exception.IsTransient);
        }
        catch (ClientRejectedException exception)
        {
            throw new ClientMetadataException(exception.Message, isTransient: false);
        }
    }

    // What a client's metadata says is not told: it may have a secret.
    private static AuditEntry Entry(string action, TenantModel tenant, ClientRecord? client) =>
        AuditEntry.Of(action, tenant.Id.Value) with
        {
            Changes = AuditChanges.Told(("clientId", client?.ClientId), ("issuer", client?.Issuer), ("name", client?.Name)),
        };

    private static AuditEntry Removed(TenantModel tenant, ClientRecord? client) =>
        AuditEntry.Of(AuditAction.ClientRemoved, tenant.Id.Value) with
        {
            Changes = AuditChanges.Gone(("clientId", client?.ClientId), ("issuer", client?.Issuer), ("name", client?.Name)),
        };

    private static TenantClient Show(StoredClient client) =>
        new()
        {
            Handle = client.Handle,
            ClientId = client.Record.ClientId,
            Issuer = client.Record.Issuer,
            Name = client.Record.Name,
            Metadata = client.Record.Metadata,
            CreatedAt = client.CreatedAt,
            ExpiresAt = client.ExpiresAt,
            Lifetime = client.Lifetime,
            FetchedAt = client.Record.FetchedAt,
        };
}
