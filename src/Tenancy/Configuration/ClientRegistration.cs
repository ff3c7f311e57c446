using System.ComponentModel.DataAnnotations;
using System.Text.Json;

namespace Tenancy.Configuration;

/// <summary>An OAuth client of a tenant's identity provider, as an admin lists it.</summary>
public sealed record ClientRegistration
{
    internal const int MaxNameLength = 200;

    private const int DefaultExpiresIn = 90 * 24 * 60 * 60;

    /// <summary>
    /// Gets the client's id at the identity provider (RFC 6749, section 2.2). An https URL with a path is that of a Client ID Metadata
    /// Document.
    /// </summary>
    [Length(1, 1024)]
    public required string ClientId { get; init; }

    /// <summary>Gets the name that people see; it identifies nobody.</summary>
    [Length(1, MaxNameLength)]
    public string? Name { get; init; }

    /// <summary>Gets what else is known of the client, in the terms of RFC 7591, section 2.</summary>
    public JsonElement? Metadata { get; init; }

    /// <summary>Gets the seconds after its last use after which the client is taken out. Default: 90 days.</summary>
    [Range(60, 10 * 365 * 24 * 60 * 60), Unit("seconds")]
    public int? ExpiresIn { get; init; }

    /// <summary>How long the client lives after a use.</summary>
    internal TimeSpan Lifetime => TimeSpan.FromSeconds(ExpiresIn ?? DefaultExpiresIn);
}
