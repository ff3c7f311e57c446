using System.Text.Json;

namespace Tenancy.Administration;

/// <summary>An OAuth client that a tenant lists.</summary>
public sealed record TenantClient
{
    /// <summary>Gets what names it here: ids of clients may be URLs.</summary>
    public required string Handle { get; init; }

    /// <summary>Gets its id at the issuer (RFC 6749, section 2.2).</summary>
    public required string ClientId { get; init; }

    /// <summary>Gets the issuer: the same id at another identity provider is somebody else.</summary>
    public required string Issuer { get; init; }

    /// <summary>Gets the name that people see; it identifies nobody.</summary>
    public string? Name { get; init; }

    /// <summary>Gets what else is known of it, in the terms of RFC 7591, section 2.</summary>
    public JsonElement? Metadata { get; init; }

    /// <summary>Gets when it was listed.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Gets when it is taken out unless it is used.</summary>
    public required DateTimeOffset ExpiresAt { get; init; }

    /// <summary>Gets how long it is listed after a use.</summary>
    public required TimeSpan Lifetime { get; init; }

    /// <summary>Gets when its metadata document was fetched; null for a client whose id names none.</summary>
    public DateTimeOffset? FetchedAt { get; init; }
}

/// <summary>A page of a tenant's clients.</summary>
/// <param name="Clients">The clients, in the order in which they came.</param>
/// <param name="Count">How many there are in all.</param>
/// <param name="NextCursor">Where the next page begins; null on the last.</param>
public sealed record TenantClientPage(IReadOnlyList<TenantClient> Clients, int Count, string? NextCursor);

/// <summary>
/// The metadata document that a client's id is the URL of could not be fetched, or does not vouch for the client; nothing was changed.
/// </summary>
/// <param name="reason">Why. It carries no credential.</param>
/// <param name="isTransient">Whether the same call may succeed later.</param>
public sealed class ClientMetadataException(string reason, bool isTransient) : Exception(reason)
{
    /// <summary>Gets whether the same call may succeed later.</summary>
    public bool IsTransient { get; } = isTransient;
}
