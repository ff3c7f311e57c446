using Microsoft.Extensions.Logging;

namespace Tenancy.Diagnostics;

/// <summary>What is logged about who calls: ids 60 to 89.</summary>
internal static partial class AuthenticationLog
{
    [LoggerMessage(60, LogLevel.Information, "Principal {PrincipalId} of tenant {TenantId} was issued a token.", EventName = "PrincipalIssued")]
    public static partial void PrincipalIssued(this ILogger logger, string tenantId, string principalId);

    [LoggerMessage(61, LogLevel.Information, "Principal {PrincipalId} of tenant {TenantId} has a new token; the one before it ends in {Overlap} s.", EventName = "PrincipalRotated")]
    public static partial void PrincipalRotated(this ILogger logger, string tenantId, string principalId, int overlap);

    [LoggerMessage(62, LogLevel.Information, "Principal {PrincipalId} of tenant {TenantId} is revoked.", EventName = "PrincipalRevoked")]
    public static partial void PrincipalRevoked(this ILogger logger, string tenantId, string principalId);
}
