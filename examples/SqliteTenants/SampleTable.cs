using Microsoft.Data.Sqlite;

namespace SqliteTenants;

/// <summary>A table with two tenants to begin with. Yours is there already.</summary>
internal static class SampleTable
{
    public static async Task CreateAsync(string connectionString)
    {
        await using var connection = new SqliteConnection(connectionString);
        await connection.OpenAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = """
            CREATE TABLE IF NOT EXISTS tenants (
                id       TEXT NOT NULL PRIMARY KEY,
                name     TEXT,
                url      TEXT,
                platform TEXT,
                settings TEXT CHECK (settings IS NULL OR json_valid(settings)),
                customer TEXT
            ) STRICT;
            INSERT INTO tenants (id, name, settings, customer) SELECT * FROM (VALUES
                ('acme', 'ACME', '{ "greeting": "Welcome to ACME" }', 'customer-1'),
                ('globex', 'Globex', '{ "greeting": "Globex greets you" }', 'customer-2')
            ) WHERE NOT EXISTS (SELECT * FROM tenants);
            """;
        await command.ExecuteNonQueryAsync();
    }
}
