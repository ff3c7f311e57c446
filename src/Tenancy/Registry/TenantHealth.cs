using System.Text.Json.Serialization;

namespace Tenancy.Registry;

/// <summary>What the last validations say of a tenant.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<TenantHealth>))]
public enum TenantHealth
{
    /// <summary>Not validated yet; gets no traffic.</summary>
    [JsonStringEnumMemberName("pending")]
    Pending,

    /// <summary>The last validation succeeded; gets traffic.</summary>
    [JsonStringEnumMemberName("healthy")]
    Healthy,

    /// <summary>Was healthy, and could not be validated since for a reason that may pass; gets traffic.</summary>
    [JsonStringEnumMemberName("unverified")]
    Unverified,

    /// <summary>Failed for a reason that does not pass by itself; gets no traffic.</summary>
    [JsonStringEnumMemberName("disabled")]
    Disabled,
}
