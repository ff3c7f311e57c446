using System.Diagnostics.CodeAnalysis;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Tenancy.Resolution;

namespace Tenancy.Admin;

/// <summary>
/// The routes of the admin API. Methods and paths that none of them takes are answered by it, too, after the key was checked.
/// </summary>
/// <remarks>ASP.NET Core's own 404 and 405 belong to no endpoint: caches may keep them, and they do not say what is wrong.</remarks>
internal sealed class AdminRoutes(RouteGroupBuilder group)
{
    private readonly Dictionary<string, List<string>> _methods = [];

    public AdminRoutes Map(string method, [StringSyntax("Route")] string pattern, Delegate handler)
    {
        group.MapMethods(pattern, [method], handler);
        if (!_methods.TryGetValue(pattern, out var methods))
        {
            _methods[pattern] = methods = [];
        }

        methods.Add(method);
        return this;
    }

    /// <summary>Maps what the routes leave over; there are none after it.</summary>
    public void Close()
    {
        foreach (var (pattern, methods) in _methods)
        {
            var allowed = string.Join(", ", methods);
            group.Map(pattern, (HttpContext context) => RefuseMethod(context, allowed));
        }

        group.Map("{**path}", () => AdminProblems.Create(StatusCodes.Status404NotFound, "The admin API has nothing at this path."));
        group.WithMetadata(AdminEndpointMetadata.Instance);
    }

    private static JsonHttpResult<AdminProblem> RefuseMethod(HttpContext context, string allowed)
    {
        context.Response.Headers.Allow = allowed;
        return AdminProblems.Create(
            StatusCodes.Status405MethodNotAllowed,
            $"{context.Request.Method} is not possible here: use {allowed}."
        );
    }
}
