using System.Text.Json;
using System.Text.Json.Nodes;

namespace Tenancy.Adcp;

/// <summary>Takes out of requests what is a secret of the buyer, before they are kept or answered.</summary>
public static class Secrets
{
    /// <summary>Gets the same targeting without what the agents of its lists ask for.</summary>
    public static TargetingOverlay WithoutSecrets(this TargetingOverlay targeting)
    {
        ArgumentNullException.ThrowIfNull(targeting);
        return targeting with
        {
            PropertyList = Without(targeting.PropertyList),
            CollectionList = Without(targeting.CollectionList),
            CollectionListExclude = Without(targeting.CollectionListExclude),
        };
    }

    /// <summary>
    /// Gets where the buyer wants to be told of changes, without its credentials: nothing is sent yet, so that nothing needs them.
    /// </summary>
    /// <returns>Null where the buyer does not want to be told.</returns>
    public static JsonElement? NotificationConfig(this AdcpRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (request.PushNotificationConfig is not { ValueKind: JsonValueKind.Object } config)
        {
            return null;
        }

        var kept = JsonObject.Create(config)!;
        (kept["authentication"] as JsonObject)?.Remove("credentials");
        kept.Remove("token");
        return JsonSerializer.SerializeToElement(kept, AdcpJson.Default.JsonObject);
    }

    // The form of its URL is looked at by whoever sends to it.
    internal static void CheckNotificationConfig(AdcpRequest request)
    {
        if (request.PushNotificationConfig is not { ValueKind: not JsonValueKind.Null } config)
        {
            return;
        }

        if (config.ValueKind != JsonValueKind.Object)
        {
            throw new AdcpException(
                AdcpError.InvalidRequest,
                "push_notification_config is an object with a url.",
                "push_notification_config"
            )
            {
                Keyword = "type",
            };
        }

        if (!config.TryGetProperty("url", out var url) || url is not { ValueKind: JsonValueKind.String })
        {
            throw new AdcpException(AdcpError.InvalidRequest, "url is required.", "push_notification_config.url") { Keyword = "required" };
        }
    }

    private static ListReference? Without(ListReference? list) => list is { AuthToken: not null } ? list with { AuthToken = null } : list;
}
