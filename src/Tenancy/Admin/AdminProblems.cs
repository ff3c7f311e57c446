using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.WebUtilities;
using Tenancy.Administration;
using Tenancy.Configuration;
using Tenancy.Registry;
using Tenancy.State;

namespace Tenancy.Admin;

/// <summary>What the admin API answers when something is wrong: problem+json that names the field and the fix.</summary>
internal static class AdminProblems
{
    public static JsonHttpResult<AdminProblem> Create(int status, string detail, Dictionary<string, string[]>? errors = null) =>
        TypedResults.Json(
            new AdminProblem(ReasonPhrases.GetReasonPhrase(status), status, detail, errors),
            AdminJson.Wire.AdminProblem,
            "application/problem+json",
            status
        );

    public static JsonHttpResult<AdminProblem> NotFound(string id) => Create(StatusCodes.Status404NotFound, $"There is no tenant '{id}'.");

    /// <summary>The tenant is gone, and its data is still being deleted.</summary>
    public static JsonHttpResult<AdminProblem> Purging(string id, PurgeProgress progress) =>
        TypedResults.Json(
            new AdminProblem(
                ReasonPhrases.GetReasonPhrase(StatusCodes.Status404NotFound),
                StatusCodes.Status404NotFound,
                $"Tenant '{id}' was deleted, and its data is still being deleted: until that is done, nobody can have the id."
            )
            {
                Purging = progress,
            },
            AdminJson.Wire.AdminProblem,
            "application/problem+json",
            StatusCodes.Status404NotFound
        );

    public static JsonHttpResult<AdminProblem> Invalid(IReadOnlyList<TenantConfigError> errors) =>
        Create(
            StatusCodes.Status400BadRequest,
            "The request has mistakes; nothing was changed.",
            errors.GroupBy(error => error.Field).ToDictionary(group => group.Key, group => group.Select(error => error.Message).ToArray())
        );

    /// <summary>Whether an exception says that a request was refused, and nothing was changed.</summary>
    public static bool IsRefusal(Exception exception) =>
        exception
            is AdminRequestException
                or TenantConfigException
                or TenantConfigPatchException
                or TenantConflictException
                or TenantNotFoundException
                or TenantValidationException
                or ClientMetadataException;

    /// <summary>Words what the registry throws, and what is wrong with a request.</summary>
    public static async ValueTask<object?> ExplainAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        try
        {
            return await next(context);
        }
        catch (AdminRequestException exception)
        {
            return Create(exception.Status, exception.Message, new() { [exception.Field] = [exception.Message] });
        }
        catch (TenantConfigException exception)
        {
            return Invalid(exception.Errors);
        }
        catch (TenantConfigPatchException exception)
        {
            return Invalid([exception.Error]);
        }
        catch (TenantConflictException exception)
        {
            var status = exception.Field == "version" ? StatusCodes.Status412PreconditionFailed : StatusCodes.Status409Conflict;
            return Create(status, exception.Message, new() { [exception.Field] = [exception.Message] });
        }
        catch (TenantNotFoundException exception)
        {
            return Create(StatusCodes.Status404NotFound, exception.Message);
        }
        catch (TenantValidationException exception)
        {
            var errors = new Dictionary<string, string[]> { [exception.Field ?? ""] = [exception.Message] };
            return exception.IsTransient
                ? Unavailable(
                    context.HttpContext,
                    "30",
                    $"The tenant could not be validated now, and nothing was changed: {exception.Message}",
                    errors
                )
                : Create(
                    StatusCodes.Status422UnprocessableEntity,
                    $"The tenant did not pass validation, and nothing was changed: {exception.Message}",
                    errors
                );
        }
        catch (ClientMetadataException exception)
        {
            var errors = new Dictionary<string, string[]> { ["clientId"] = [exception.Message] };
            return exception.IsTransient
                ? Unavailable(
                    context.HttpContext,
                    "30",
                    $"The client's metadata document could not be fetched now, and nothing was changed: {exception.Message}",
                    errors
                )
                : Create(
                    StatusCodes.Status422UnprocessableEntity,
                    $"The client's metadata document will not do, and nothing was changed: {exception.Message}",
                    errors
                );
        }
        catch (OperationCanceledException) when (!context.HttpContext.RequestAborted.IsCancellationRequested)
        {
            return Unavailable(context.HttpContext, "2", "The server was stopped before it was done: send the request again as it was.");
        }
        catch (StoreUnavailableException)
        {
            return Unavailable(
                context.HttpContext,
                "2",
                "The server's store is not available now. The change may have happened: send it again as it was."
            );
        }
    }

    public static JsonHttpResult<AdminProblem> Unavailable(
        HttpContext context,
        string retryAfter,
        string detail,
        Dictionary<string, string[]>? errors = null
    )
    {
        context.Response.Headers.RetryAfter = retryAfter;
        return Create(StatusCodes.Status503ServiceUnavailable, detail, errors);
    }
}
