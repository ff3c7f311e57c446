using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Tenancy.Configuration;
using Tenancy.Registry;

namespace Tenancy.State;

/// <summary>How a tenant stands in the store.</summary>
/// <remarks>
/// One record that cannot be read is that tenant's trouble alone: it is there, has its id and its URLs, and is disabled with the reason.
/// </remarks>
internal static class TenantRecordFormat
{
    // What the scripts write. A later release raises it where this one could not read what it writes.
    private const int Known = 2;

    private static readonly TenantAuthentication[] OnlyKinds =
    [
        .. Enum.GetValues<TenantAuthenticationKind>().Select(kind => new TenantAuthentication { Kind = kind }),
    ];

    /// <param name="tenant">The tenant.</param>
    /// <param name="secrets">Its secrets, encrypted; null where it has none.</param>
    public static string Write(TenantRecord tenant, string? secrets) =>
        UnknownFields.Add(
            JsonSerializer.Serialize(
                new(tenant.Config with { Secrets = null }, tenant.CreatedAt, tenant.SessionEpoch, tenant.Origin)
                {
                    Owner = tenant.Owner,
                    SuspendedBy = tenant.SuspendedBy,
                    Secrets = secrets,
                },
                TenantStoreJson.Default.StoredTenant
            ),
            tenant.Unknown
        );

    public static string Write(TenantCheck check) => JsonSerializer.Serialize(check, TenantStoreJson.Default.TenantCheck);

    public static TenantCheck ReadCheck(string? check)
    {
        try
        {
            return check is null ? TenantCheck.None : JsonSerializer.Deserialize(check, TenantStoreJson.Default.TenantCheck)!;
        }
        catch (JsonException)
        {
            // A kind of health that a later release knows: this one finds out for itself.
            return TenantCheck.None;
        }
    }

    /// <param name="id">The tenant.</param>
    /// <param name="json">Its record, in UTF-8.</param>
    /// <param name="version">Its version.</param>
    /// <param name="check">Its last check; null where there was none.</param>
    /// <param name="format">The format of the record; null where it is not known.</param>
    /// <param name="urls">What it claims, as a list; null where it is not known.</param>
    public static TenantRecord Read(
        TenantId id,
        ReadOnlySpan<byte> json,
        long version,
        string? check,
        string? format = null,
        string? urls = null
    )
    {
        if (int.TryParse(format, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > Known)
        {
            return Unreadable(id, version, urls, $"a later release of the library wrote it, in format {number}");
        }

        try
        {
            if (JsonSerializer.Deserialize(json, TenantStoreJson.Default.StoredTenant) is not { Config: { } config } stored)
            {
                return Unreadable(id, version, urls, "it has no configuration");
            }

            if (config.Id != id.Value)
            {
                return Unreadable(id, version, urls, "it is of a tenant with another id");
            }

            // Of platforms, origins and limits there are few, and very many tenants have each of them.
            return new()
            {
                Config = config with
                {
                    Platform = config.Platform is { } platform ? string.Intern(platform) : null,
                    Authentication = Shared(config.Authentication),
                    Limits = config.Limits == TenantLimits.Default ? TenantLimits.Default : config.Limits,
                    // Not decrypted yet.
                    Secrets = stored.Secrets is { } secrets ? TenantSecrets.FromCiphertext(secrets) : null,
                },
                CreatedAt = stored.CreatedAt,
                SessionEpoch = stored.SessionEpoch,
                Origin = string.Intern(stored.Origin ?? ""),
                Owner = stored.Owner,
                SuspendedBy = stored.SuspendedBy,
                Version = version,
                Check = ReadCheck(check),
                Unknown = UnknownFields.Of(json, TenantStoreJson.Default.StoredTenant),
            };
        }
        catch (JsonException exception)
        {
            return Unreadable(id, version, urls, $"{exception.Path} is not what this release knows");
        }
    }

    /// <summary>What stands for a record that cannot be read.</summary>
    public static TenantRecord Unreadable(TenantId id, long version, string? urls, string why) =>
        Unreadable(id, version, ReadUrls(urls), why);

    /// <summary>What stands for a record of which something beside it cannot be read.</summary>
    public static TenantRecord Unreadable(TenantRecord tenant, string why) =>
        Unreadable(TenantId.Parse(tenant.Config.Id), tenant.Version, tenant.Config.Urls, why);

    private static TenantRecord Unreadable(TenantId id, long version, IReadOnlyList<string> urls, string why) =>
        new()
        {
            Config = new() { Id = id.Value, Urls = urls },
            CreatedAt = default,
            SessionEpoch = "",
            Origin = "",
            Version = version,
            IsUnreadable = true,
            Check = new(
                TenantHealth.Disabled,
                $"The tenant's record in the store cannot be read: {why}. Run the release that wrote it, or delete the tenant.",
                CheckedAt: null
            ),
        };

    private static TenantAuthentication? Shared(TenantAuthentication? authentication) =>
        authentication is { IsOnlyKind: true } ? Array.Find(OnlyKinds, one => one.Kind == authentication.Kind) : authentication;

    private static string[] ReadUrls(string? urls)
    {
        try
        {
            return
            [
                // URLs are claimed without their scheme.
                .. (urls is null ? [] : JsonSerializer.Deserialize(urls, TenantStoreJson.Default.StringArray)!)
                    .Where(RedisTenantStore.IsOfUrl)
                    .Select(claim => "https://" + claim),
            ];
        }
        catch (JsonException)
        {
            return [];
        }
    }
}

/// <summary>A tenant's record in the store.</summary>
internal sealed record StoredTenant(TenantConfig Config, DateTimeOffset CreatedAt, string SessionEpoch, string Origin)
{
    public string? Owner { get; init; }

    public string? SuspendedBy { get; init; }

    /// <summary>The configuration's secrets, encrypted.</summary>
    public string? Secrets { get; init; }
}

/// <summary>
/// Records in the store. Fields that an older release does not know stay there (<see cref="UnknownFields"/>), so that two releases can run
/// side by side.
/// </summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(StoredTenant))]
[JsonSerializable(typeof(TenantCheck))]
[JsonSerializable(typeof(JsonElement))]
[JsonSerializable(typeof(string[]))]
[JsonSerializable(typeof(DuePrincipal[]))]
internal sealed partial class TenantStoreJson : JsonSerializerContext;
