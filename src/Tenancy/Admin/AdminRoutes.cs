using System.Diagnostics.CodeAnalysis;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Tenancy.Audit;
using Tenancy.Resolution;
using Tenancy.State;

namespace Tenancy.Admin;

/// <summary>
/// The routes of the admin API. Methods and paths that none of them takes are answered by it, too, after the key was checked.
/// </summary>
/// <remarks>ASP.NET Core's own 404 and 405 belong to no endpoint: caches may keep them, and they do not say what is wrong.</remarks>
/// <param name="root">The path that all of them begin with.</param>
/// <param name="group">Where they are mapped.</param>
internal sealed class AdminRoutes(string root, RouteGroupBuilder group)
{
    private readonly Dictionary<string, List<string>> _methods = [];
    private readonly AdminLimits _limits = Services(group).GetRequiredService<AdminLimits>();
    private readonly RefusalCounts _refusals = Services(group).GetRequiredService<RefusalCounts>();

    // It needs the store, which is not asked for before the server runs.
    private readonly Lazy<AdminAnswers> _answers = new(() => Services(group).GetRequiredService<AdminAnswers>());

    /// <summary>Maps an endpoint.</summary>
    /// <param name="method">The HTTP method.</param>
    /// <param name="pattern">The path.</param>
    /// <param name="handler">What answers.</param>
    /// <param name="query">The parameters of the query that it has. Others are refused: a misspelt one would change nothing.</param>
    public AdminRoutes Map(string method, [StringSyntax("Route")] string pattern, Delegate handler, params string[] query)
    {
        var showsOwn = method == HttpMethods.Get && pattern.Length == 0 && root is AdminEndpoints.Tenants or AdminEndpoints.Events;
        var path = pattern.Length == 0 ? root : $"{root}/{pattern}";
        var operation = AdminOperation.Of(method, path, query);
        var endpoint = group
            .MapMethods(pattern, [method], handler)
            .WithMetadata(operation)
            .AddEndpointFilter(
                async (context, next) =>
                {
                    if (AdminAccess.Refuse(context.HttpContext, _limits, showsOwn) is { } refusal)
                    {
                        Count(context.HttpContext, refusal.StatusCode ?? 0);
                        return refusal;
                    }

                    AuditActor.Become(AdminAccess.ActorOf(context.HttpContext));
                    AdminRequest.ThrowIfUnknown(context.HttpContext, query);
                    AdminRequest.ThrowIfUnheeded(context.HttpContext, operation);
                    return await next(context);
                }
            );
        if (operation.IsKeyed)
        {
            endpoint.AddEndpointFilter((context, next) => AdminIdempotency.RunAsync(context, next, _answers.Value));
        }

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

        var paths = string.Join(", ", _methods.Keys.Select(pattern => $"{root}/{pattern}".TrimEnd('/')).Order(StringComparer.Ordinal));
        group.Map("{**path}", () => NothingAt(paths));
        group.WithMetadata(AdminEndpointMetadata.Instance);
    }

    /// <summary>Says that there is nothing at a path, and where there is something.</summary>
    public static JsonHttpResult<AdminProblem> NothingAt(string paths) =>
        AdminProblems.Create(StatusCodes.Status404NotFound, $"The admin API has nothing at this path. It has {paths}.");

    // A key that asks for what it may not is its own tenant's matter, whatever it asked for.
    private void Count(HttpContext context, int status) =>
        _refusals.Count(
            status == StatusCodes.Status429TooManyRequests ? "TooManyAdminRequests" : "AdminKeyForbids",
            status,
            AdminAccess.TenantOf(context)?.Value,
            context.Connection.RemoteIpAddress
        );

    private static IServiceProvider Services(IEndpointRouteBuilder group) => group.ServiceProvider;

    private static JsonHttpResult<AdminProblem> RefuseMethod(HttpContext context, string allowed)
    {
        context.Response.Headers.Allow = allowed;
        return AdminProblems.Create(
            StatusCodes.Status405MethodNotAllowed,
            $"{context.Request.Method} is not possible here: use {allowed}."
        );
    }
}
