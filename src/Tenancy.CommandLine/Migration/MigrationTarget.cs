using System.Text.Json.Nodes;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting.Internal;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Tenancy.Configuration;
using Tenancy.State;

namespace Tenancy.CommandLine.Migration;

/// <summary>
/// The server that keys are brought to. Tenants and clients go through its admin API, which makes the records, holds the quotas and writes
/// the audit. What nothing knows goes into its store: no request could bring it, as whoever may send what RESTORE takes has the whole store
/// in his hands.
/// </summary>
/// <param name="server">The admin API.</param>
/// <param name="redis">The store.</param>
/// <param name="isTrial">Whether nothing is written.</param>
internal sealed class MigrationTarget(AdminClient server, RedisConnection redis, bool isTrial) : IAsyncDisposable
{
    private readonly Dictionary<TenantId, TargetTenant?> _tenants = [];
    private readonly HashSet<TenantId> _others = [];

    /// <summary>Gets the tenants that count as the same although they differ here from what they are there.</summary>
    public IReadOnlySet<TenantId> Same { get; init; } = new HashSet<TenantId>();

    /// <summary>Whether another tenant has this id here: what belongs to the one does not come under the other.</summary>
    public bool IsAnother(TenantId id) => _others.Contains(id);

    /// <summary>Connects to the store of a server.</summary>
    /// <exception cref="ToolException">It is not that of the server.</exception>
    public static async Task<MigrationTarget> ConnectAsync(
        AdminClient server,
        string connectionString,
        bool isTrial,
        IReadOnlySet<TenantId> same,
        CancellationToken cancellationToken
    )
    {
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection([new("ConnectionStrings:Redis", MigrationSource.Patient(connectionString))])
            .Build();
        var redis = new RedisConnection(
            configuration,
            new HostingEnvironment(),
            Options.Create(new TenancyOptions()),
            TimeProvider.System,
            NullLogger<RedisConnection>.Instance
        );

        // A server says in its store that it is there: what was meant for another one is not written.
        var nodes = await server.ListNodesAsync(cancellationToken);
        if (!(await new FleetNodes(redis).ListAsync()).Any(entry => nodes.Contains(entry.Node.Id)))
        {
            await redis.DisposeAsync();
            throw new ToolException("The server does not use this store: is --server right, and the connection string that of the server?");
        }

        return new(server, redis, isTrial) { Same = same };
    }

    /// <summary>Finds a tenant; null where there is none.</summary>
    public async Task<TargetTenant?> FindAsync(TenantId id)
    {
        if (!_tenants.TryGetValue(id, out var tenant))
        {
            tenant = await redis.GetFieldsAsync(FleetKeyspace.Metadata(id), "record", "generation")
                is [{ IsNull: false }, { IsNull: false } generation]
                ? new(id, new(redis, id, (long)generation))
                : null;
            _tenants[id] = tenant;
        }

        return tenant;
    }

    /// <summary>Registers a tenant.</summary>
    public async Task<(MigrationOutcome Outcome, string? Reason)> RegisterAsync(
        TenantId id,
        JsonObject tenant,
        CancellationToken cancellationToken
    )
    {
        var result = await (isTrial ? TryRegisterAsync(id, tenant, cancellationToken) : PostAsync(id, tenant, cancellationToken));
        if (result.Outcome is not (MigrationOutcome.Tenant or MigrationOutcome.There))
        {
            Distrust(id);
        }

        return result;
    }

    /// <summary>Notes that nobody knows whether a tenant of this id is the one that it is there.</summary>
    public void Distrust(TenantId id)
    {
        if (!Same.Contains(id))
        {
            _others.Add(id);
        }
    }

    private async Task<(MigrationOutcome Outcome, string? Reason)> PostAsync(
        TenantId id,
        JsonObject tenant,
        CancellationToken cancellationToken
    )
    {
        try
        {
            var isNew = await server.TryRegisterAsync(tenant, cancellationToken);
            _tenants.Remove(id);
            return (isNew ? MigrationOutcome.Tenant : MigrationOutcome.There, null);
        }
        catch (RefusedException exception) when (IsOfTheRecord(exception))
        {
            return (exception.Status == ConflictStatus ? MigrationOutcome.Collided : MigrationOutcome.Failed, exception.Message);
        }
    }

    /// <summary>Lists a client of a tenant.</summary>
    public async Task<(MigrationOutcome Outcome, string? Reason)> AddClientAsync(
        TargetTenant tenant,
        JsonObject client,
        CancellationToken cancellationToken
    )
    {
        tenant.Clients ??= tenant.Keys is null ? [] : await ListClientsAsync(tenant.Id, cancellationToken);
        var id = (string)client["clientId"]!;
        if (tenant.Clients.TryGetValue(id, out var known))
        {
            return known == Content(client)
                ? (MigrationOutcome.There, null)
                : (MigrationOutcome.Collided, $"{tenant.Id} has a client of this id, and it is another one");
        }

        try
        {
            if (!isTrial)
            {
                await server.AddClientAsync(tenant.Id.Value, client, cancellationToken);
            }
        }
        catch (RefusedException exception) when (IsOfTheRecord(exception))
        {
            var isTaken = exception.Status == ConflictStatus && exception.Fields.Contains("clientId");
            if (isTaken)
            {
                // A try before this one may have listed it, although its answer was that the store is away.
                tenant.Clients = await ListClientsAsync(tenant.Id, cancellationToken);
                if (tenant.Clients.GetValueOrDefault(id) == Content(client))
                {
                    return (MigrationOutcome.Client, null);
                }
            }

            return (isTaken ? MigrationOutcome.Collided : MigrationOutcome.Failed, exception.Message);
        }

        tenant.Clients[id] = Content(client);
        return (MigrationOutcome.Client, null);
    }

    public ValueTask DisposeAsync() => redis.DisposeAsync();

    private const int ConflictStatus = 409;

    // What a server fills in where a tenant does not say it.
    private static readonly string[] Filled = ["name", "platform", "authentication", "limits"];

    // What is wrong with the key or the server is wrong with all records, and ends the run.
    private static bool IsOfTheRecord(RefusedException exception) =>
        exception.Status is 400 or 404 or ConflictStatus or 413 or 422 || exception is { Status: 503, Fields.Count: > 0 };

    private async Task<(MigrationOutcome Outcome, string? Reason)> TryRegisterAsync(
        TenantId id,
        JsonObject tenant,
        CancellationToken cancellationToken
    )
    {
        if (await server.FindAsync(id.Value, cancellationToken) is not { } there)
        {
            _tenants[id] = new(id, null);
            return (MigrationOutcome.Tenant, null);
        }

        var file = TenantFiles.Strip(tenant);
        var difference = TenantDifference.Between(file, there);

        // What the record leaves out is another tenant's where this one has it, unless the server fills it in by itself.
        var fields = difference
            .Fields.Concat(TenantDifference.Between(TenantFiles.Strip(there), file).Fields.Where(field => !Filled.Contains(field.Field)))
            .Select(field => field.Field)
            .Distinct();
        return !fields.Any()
            ? (MigrationOutcome.There, null)
            : (MigrationOutcome.Collided, $"{id} is there, and is another one: {string.Join(", ", fields)}");
    }

    private async Task<Dictionary<string, string>> ListClientsAsync(TenantId id, CancellationToken cancellationToken)
    {
        var clients = new Dictionary<string, string>(StringComparer.Ordinal);
        await foreach (var client in server.ListClientsAsync(id.Value, cancellationToken))
        {
            clients[(string)client["clientId"]!] = Content(client);
        }

        return clients;
    }

    /// <summary>What makes a client the same: not when it ends, which its use moves, nor what it publishes itself.</summary>
    private static string Content(JsonObject client) =>
        TenantKeyspace.Hash(
            (string?)client["name"] ?? "",
            ClientValidator.IsDocument((string)client["clientId"]!) ? null : client["metadata"]?.ToJsonString()
        );
}

/// <summary>A tenant that keys are brought to.</summary>
/// <param name="id">Its id.</param>
/// <param name="keys">Where its keys of unknown form are; null where the tenant would be registered first.</param>
internal sealed class TargetTenant(TenantId id, MigratedKeys? keys)
{
    public TenantId Id => id;

    public MigratedKeys? Keys => keys;

    /// <summary>Gets or sets the clients that it has, by id; null while that is not known.</summary>
    public Dictionary<string, string>? Clients { get; set; }
}
