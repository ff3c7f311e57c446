using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
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
    ClientCache cache,
    FleetMessages messages,
    Revocations revocations,
    ClientMetadata metadata,
    IOptions<TenancyOptions> options,
    TimeProvider time,
    ILogger<TenantClients> logger
)
{
    /// <summary>The most clients of a page.</summary>
    public const int MaxPage = 1000;

    private const int MaxCursorLength = 100;
    private const int HandleLength = 43;

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
        var maxClients = (tenant.Config.Limits ?? new()).MaxClients;
        var (created, refusal) = await ChangeAsync(tenant, clients => clients.CreateAsync(record, client.Lifetime, maxClients))
            .ConfigureAwait(false);
        if (created is null)
        {
            throw refusal == ClientRefusal.TooMany
                ? new TenantConflictException(
                    "limits.maxClients",
                    $"The tenant has {maxClients} clients, as many as it may: take one out, or raise limits.maxClients."
                )
                : new TenantConflictException("clientId", "The client is listed already: take it out first, or refresh it.");
        }

        logger.ClientListed(tenant.Id.Value, created.Handle);
        return Show(created);
    }

    public async Task<TenantClientPage> ListAsync(TenantModel tenant, string? cursor, int take)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(take, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(take, MaxPage);
        if (cursor?.Length > MaxCursorLength)
        {
            throw new TenantConfigException([new("cursor", "must be the nextCursor of the page before")]);
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

        var record = await DescribeAsync(client.Record, cancellationToken).ConfigureAwait(false);
        if (await ChangeAsync(tenant, clients => clients.RefreshAsync(client, record)).ConfigureAwait(false) is not { } refreshed)
        {
            return null;
        }

        logger.ClientRefreshed(tenant.Id.Value, handle);
        return Show(refreshed);
    }

    public async Task<bool> RemoveAsync(TenantModel tenant, string handle)
    {
        if (handle.Length != HandleLength || !await ChangeAsync(tenant, clients => clients.DeleteAsync(handle)).ConfigureAwait(false))
        {
            return false;
        }

        logger.ClientRemoved(tenant.Id.Value, handle);
        return true;
    }

    private async Task<StoredClient?> FindStoredAsync(TenantModel tenant, string handle) =>
        handle.Length == HandleLength
            ? await new ClientStore(redis, tenant.Id, tenant.Generation).FindAsync(handle, time.GetUtcNow()).ConfigureAwait(false)
            : null;

    // Also where the store did not answer: the change may have happened, so that the cached answers are dropped in any case.
    private async Task<T> ChangeAsync<T>(TenantModel tenant, Func<ClientStore, Task<T>> change)
    {
        try
        {
            return await change(new(redis, tenant.Id, tenant.Generation)).ConfigureAwait(false);
        }
        finally
        {
            cache.Forget(tenant.Id);
            messages.Tell(new(FleetTopic.Clients, tenant.Id));
            revocations.Tell(tenant.Id);
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
