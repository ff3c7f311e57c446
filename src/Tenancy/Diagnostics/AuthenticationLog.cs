using Microsoft.Extensions.Logging;

namespace Tenancy.Diagnostics;

/// <summary>What is logged about who calls: ids 60 to 89.</summary>
internal static partial class AuthenticationLog
{
    [LoggerMessage(
        60,
        LogLevel.Information,
        "Principal {PrincipalId} of tenant {TenantId} was issued a token.",
        EventName = "PrincipalIssued"
    )]
    public static partial void PrincipalIssued(this ILogger logger, string tenantId, string principalId);

    [LoggerMessage(
        61,
        LogLevel.Information,
        "Principal {PrincipalId} of tenant {TenantId} has a new token; the one before it ends in {Overlap} s.",
        EventName = "PrincipalRotated"
    )]
    public static partial void PrincipalRotated(this ILogger logger, string tenantId, string principalId, int overlap);

    [LoggerMessage(62, LogLevel.Information, "Principal {PrincipalId} of tenant {TenantId} is revoked.", EventName = "PrincipalRevoked")]
    public static partial void PrincipalRevoked(this ILogger logger, string tenantId, string principalId);

    [LoggerMessage(63, LogLevel.Information, "Client {Handle} of tenant {TenantId} is listed.", EventName = "ClientListed")]
    public static partial void ClientListed(this ILogger logger, string tenantId, string handle);

    [LoggerMessage(64, LogLevel.Information, "Client {Handle} of tenant {TenantId} is refreshed.", EventName = "ClientRefreshed")]
    public static partial void ClientRefreshed(this ILogger logger, string tenantId, string handle);

    [LoggerMessage(65, LogLevel.Information, "Client {Handle} of tenant {TenantId} is taken out.", EventName = "ClientRemoved")]
    public static partial void ClientRemoved(this ILogger logger, string tenantId, string handle);

    [LoggerMessage(
        68,
        LogLevel.Information,
        "A token was refused at tenant {TenantId} ({Cause}): {Reason} Refusals before it that were not logged: {Unlogged}.",
        EventName = "TokenRefused"
    )]
    public static partial void TokenRefused(this ILogger logger, string tenantId, string cause, string reason, int unlogged);
}
