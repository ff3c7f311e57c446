using Microsoft.Extensions.Logging;

namespace Tenancy.Adcp;

internal static partial class AdcpLog
{
    [LoggerMessage(
        101,
        LogLevel.Error,
        "Tool {Tool} of tenant {TenantId} failed. The caller was told the reference {Reference}.",
        EventName = "ToolFailed"
    )]
    public static partial void LogToolFailed(this ILogger logger, Exception exception, string tool, string tenantId, string reference);

    [LoggerMessage(102, LogLevel.Warning, "The store did not answer tool {Tool} of tenant {TenantId}.", EventName = "ToolStoreAway")]
    public static partial void LogStoreAway(this ILogger logger, Exception exception, string tool, string tenantId);

    [LoggerMessage(104, LogLevel.Warning, "{Type} is malformed at {Pointer}: {Mistake}", EventName = "MessageMalformed")]
    public static partial void LogMalformed(this ILogger logger, string type, string pointer, string mistake);

    [LoggerMessage(106, LogLevel.Information, "Tool {Tool} of tenant {TenantId} refused a call: {Code}.", EventName = "ToolRefused")]
    public static partial void LogToolRefused(this ILogger logger, string tool, string tenantId, string code);

    [LoggerMessage(
        105,
        LogLevel.Warning,
        "A buyer gave a push_notification_config. It is kept, and nothing is sent to it yet: the capabilities claim no webhooks. "
            + "This is said once.",
        EventName = "NoWebhooks"
    )]
    public static partial void LogNoWebhooks(this ILogger logger);
}
