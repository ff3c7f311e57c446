using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Tenancy.Audit;
using Tenancy.Configuration;

namespace Tenancy.Admin;

/// <summary>Says what an admin key may ask for. Who is an admin by a policy of the application's own may ask for everything.</summary>
internal static class AdminAccess
{
    /// <summary>The tenant that a request is confined to; null for all.</summary>
    public static TenantId? TenantOf(HttpContext context) => context.Features.Get<AdminKey>()?.Tenant;

    /// <summary>Who the audit says made a request: its key, or whom a policy of the application let in.</summary>
    public static AuditActor ActorOf(HttpContext context) =>
        context.Features.Get<AdminKey>() is { } key
            ? new("admin", key.Id, context.Connection.RemoteIpAddress?.ToString())
            : new($"admin:{context.User.Identity?.Name}", Key: null, context.Connection.RemoteIpAddress?.ToString());

    /// <summary>Refuses what the request's key may not ask for.</summary>
    /// <param name="context">The request.</param>
    /// <param name="limits">Counts the requests of each key.</param>
    /// <param name="showsOwn">Whether it is of all tenants, and shows a key of one tenant what is of that tenant alone.</param>
    public static JsonHttpResult<AdminProblem>? Refuse(HttpContext context, AdminLimits limits, bool showsOwn)
    {
        if (context.Features.Get<AdminKey>() is not { } key)
        {
            return null;
        }

        if (limits.Call(key) is { } wait)
        {
            return TooMany(context, wait, $"This key has made {limits.CallsPerMinute} requests within a minute: wait.");
        }

        if (key.ReadsOnly && !HttpMethods.IsGet(context.Request.Method))
        {
            return AdminProblems.Create(
                StatusCodes.Status403Forbidden,
                "This key reads only (Tenancy:Admin:ReadKeys and TenantReadKeys): use one that may change tenants."
            );
        }

        if (key.Tenant is not { } own || showsOwn)
        {
            return null;
        }

        // Whether another tenant is there is not for this key to know.
        return context.GetRouteValue("id") is not string id
                ? AdminProblems.Create(
                    StatusCodes.Status403Forbidden,
                    $"This key is for the tenant '{own}' alone: use one of Tenancy:Admin:Keys."
                )
            : id == own.Value ? null
            : AdminProblems.NotFound(id);
    }

    /// <summary>Refuses one request too many.</summary>
    public static JsonHttpResult<AdminProblem> TooMany(HttpContext context, TimeSpan wait, string detail)
    {
        context.Response.Headers.RetryAfter = Math.Max(1, (int)Math.Ceiling(wait.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
        return AdminProblems.Create(StatusCodes.Status429TooManyRequests, detail);
    }
}
