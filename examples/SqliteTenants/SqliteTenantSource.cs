using System.Data.Common;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Microsoft.Data.Sqlite;
using Tenancy.Configuration;
using Tenancy.Fleet;

namespace SqliteTenants;

/// <summary>The tenants are the rows of a table. The server loads them when it starts, and follows what others write.</summary>
internal sealed class SqliteTenantSource(string connectionString, TimeProvider time) : ITenantSource, IAsyncDisposable
{
    private static readonly TimeSpan PollInterval = TimeSpan.FromSeconds(1);

    private SqliteConnection? _connection;
    private long _loadedVersion;

    public async IAsyncEnumerable<TenantRegistration> LoadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        // Before the rows are read: what is written meanwhile is a change.
        _loadedVersion = await ReadVersionAsync(cancellationToken);

        await using var command = _connection!.CreateCommand();
        command.CommandText = "SELECT id, name, url, platform, settings, customer FROM tenants";
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        while (await rows.ReadAsync(cancellationToken))
        {
            // An id may be given to another customer later: who must not get what the first one left.
            yield return new() { Tenant = Read(rows), Owner = rows.IsDBNull(5) ? null : rows.GetString(5) };
        }
    }

    public async Task WaitForChangeAsync(CancellationToken cancellationToken)
    {
        while (await ReadVersionAsync(cancellationToken) == _loadedVersion)
        {
            await Task.Delay(PollInterval, time, cancellationToken);
        }
    }

    public ValueTask DisposeAsync() => _connection?.DisposeAsync() ?? default;

    private static TenantConfig Read(DbDataReader row) =>
        new()
        {
            Id = row.GetString(0),
            Name = row.IsDBNull(1) ? null : row.GetString(1),
            Urls = row.IsDBNull(2) ? [] : [row.GetString(2)],
            Platform = row.IsDBNull(3) ? null : row.GetString(3),
            Settings = row.IsDBNull(4) ? null : JsonSerializer.Deserialize<JsonElement>(row.GetString(4)),
        };

    /// <summary>
    /// A number that differs as soon as another connection has committed something. It means nothing on any connection but this one.
    /// </summary>
    private async Task<long> ReadVersionAsync(CancellationToken cancellationToken)
    {
        if (_connection is null)
        {
            var connection = new SqliteConnection(connectionString);
            await connection.OpenAsync(cancellationToken);
            _connection = connection;
        }

        await using var command = _connection.CreateCommand();
        command.CommandText = "PRAGMA data_version";
        return (long)(await command.ExecuteScalarAsync(cancellationToken))!;
    }
}
