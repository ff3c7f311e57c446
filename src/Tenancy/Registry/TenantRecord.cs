using Tenancy.Configuration;

namespace Tenancy.Registry;

/// <summary>A tenant as the store keeps it.</summary>
internal sealed record TenantRecord
{
    public required TenantConfig Config { get; init; }

    public required long Version { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public TenantCheck Check { get; init; } = TenantCheck.None;
}

/// <summary>The result of the last validation.</summary>
internal sealed record TenantCheck(TenantHealth Health, string? Reason, DateTimeOffset? CheckedAt)
{
    public static TenantCheck None { get; } = new(TenantHealth.Pending, null, null);
}
