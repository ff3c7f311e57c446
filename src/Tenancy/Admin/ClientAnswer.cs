using System.Text.Json;
using System.Text.Json.Serialization;
using Tenancy.Administration;

namespace Tenancy.Admin;

/// <summary>A client as the admin API shows it.</summary>
internal sealed record ClientAnswer
{
    public required string Handle { get; init; }

    public required string ClientId { get; init; }

    public required string Issuer { get; init; }

    public string? Name { get; init; }

    public JsonElement? Metadata { get; init; }

    public DateTimeOffset CreatedAt { get; init; }

    public DateTimeOffset ExpiresAt { get; init; }

    /// <summary>The seconds after its last use after which it is taken out.</summary>
    public long ExpiresIn { get; init; }

    /// <summary>When its metadata document was fetched; left out for a client whose id names none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public DateTimeOffset? FetchedAt { get; init; }

    public static ClientAnswer From(TenantClient client) =>
        new()
        {
            Handle = client.Handle,
            ClientId = client.ClientId,
            Issuer = client.Issuer,
            Name = client.Name,
            Metadata = client.Metadata,
            CreatedAt = client.CreatedAt,
            ExpiresAt = client.ExpiresAt,
            ExpiresIn = (long)client.Lifetime.TotalSeconds,
            FetchedAt = client.FetchedAt,
        };
}

/// <summary>A page of a tenant's clients, in the order in which they came.</summary>
/// <param name="Clients">The clients.</param>
/// <param name="Count">How many there are in all.</param>
/// <param name="NextCursor">Where the next page begins; null on the last.</param>
internal sealed record ClientList(IReadOnlyList<ClientAnswer> Clients, int Count, string? NextCursor);
