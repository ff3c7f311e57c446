using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Tenancy.Authentication;
using Tenancy.Configuration;
using Tenancy.Diagnostics;
using Tenancy.Registry;
using Tenancy.State;
using Tenancy.Validation;

namespace Tenancy.Admin;

/// <summary>The OAuth clients of a tenant's identity provider that may call it, where it lets no others. They go by handles, because their ids may be URLs.</summary>
internal sealed class ClientEndpoints(
    TenantRegistry registry, RedisConnection redis, ClientCache cache, ClientMetadata metadata, IOptions<TenancyOptions> options, TimeProvider time, ILogger<ClientEndpoints> logger)
{
    private const int MaxPage = 1000;
    private const int MaxCursorLength = 100;
    private const int HandleLength = 43;

    public static void Map(AdminRoutes routes)
    {
        routes.Map(HttpMethods.Post, "{id}/clients", (string id, HttpContext context, ClientEndpoints endpoints) => endpoints.AddAsync(id, context));
        routes.Map(HttpMethods.Get, "{id}/clients", (string id, HttpContext context, ClientEndpoints endpoints, string? cursor = null) => endpoints.ListAsync(id, cursor, context));
        routes.Map(HttpMethods.Get, "{id}/clients/{handle}", (string id, string handle, ClientEndpoints endpoints) => endpoints.GetAsync(id, handle));
        routes.Map(HttpMethods.Post, "{id}/clients/{handle}/refresh", (string id, string handle, HttpContext context, ClientEndpoints endpoints) => endpoints.RefreshAsync(id, handle, context));
        routes.Map(HttpMethods.Delete, "{id}/clients/{handle}", (string id, string handle, ClientEndpoints endpoints) => endpoints.RemoveAsync(id, handle));
    }

    private async Task<IResult> AddAsync(string id, HttpContext context)
    {
        if (registry.Get(id) is not { } tenant)
        {
            return AdminProblems.NotFound(id);
        }

        if (tenant.Config.Authentication is not { Kind: TenantAuthenticationKind.Jwks, Issuer: { } issuer })
        {
            const string message = "Clients are those of an identity provider, and the tenant has none: change its authentication to the kind 'jwks' first.";
            return AdminProblems.Create(StatusCodes.Status409Conflict, message, new() { ["authentication.kind"] = [message] });
        }

        var client = await AdminRequest.ReadAsync(context, TenancyJson.Default.ClientRegistration, "The body must be a client, such as { \"clientId\": \"agent\" }.");
        if (ClientValidator.Validate(client, options.Value.Validation).ToArray() is { Length: > 0 } errors)
        {
            return AdminProblems.Invalid(errors);
        }

        var (record, problem) = await DescribeAsync(new(client.ClientId, issuer) { Name = client.Name, Metadata = client.Metadata }, context);
        return record is null ? problem! : await AddAsync(tenant, record, client.Lifetime);
    }

    private async Task<IResult> AddAsync(TenantModel tenant, ClientRecord record, TimeSpan lifetime)
    {
        var maxClients = (tenant.Config.Limits ?? new()).MaxClients;
        var (created, refusal) = await ChangeAsync(tenant, clients => clients.CreateAsync(record, lifetime, maxClients));
        if (created is null)
        {
            var (field, message) = refusal == ClientRefusal.TooMany
                ? ("limits.maxClients", $"The tenant has {maxClients} clients, as many as it may: take one out, or raise limits.maxClients.")
                : ("clientId", "The client is listed already: take it out first, or refresh it.");
            return AdminProblems.Create(StatusCodes.Status409Conflict, message, new() { [field] = [message] });
        }

        logger.ClientListed(tenant.Id.Value, created.Handle);
        return Show(created, StatusCodes.Status201Created);
    }

    private async Task<IResult> ListAsync(string id, string? cursor, HttpContext context)
    {
        if (registry.Get(id) is not { } tenant)
        {
            return AdminProblems.NotFound(id);
        }

        var take = AdminRequest.ReadNumber(context, "take", absent: 100, least: 1, MaxPage, "clients");
        if (cursor?.Length > MaxCursorLength)
        {
            return AdminProblems.Invalid([new("cursor", "must be the nextCursor of the page before")]);
        }

        var (clients, count, nextCursor) = await new ClientStore(redis, tenant.Id).ListAsync(cursor, take);
        return TypedResults.Json(new ClientList([.. clients.Select(ClientAnswer.From)], count, nextCursor), AdminJson.Wire.ClientList);
    }

    private async Task<IResult> GetAsync(string id, string handle) =>
        registry.Get(id) is not { } tenant ? AdminProblems.NotFound(id)
        : await FindAsync(tenant, handle) is { } client ? Show(client, StatusCodes.Status200OK)
        : NoClient(tenant.Id);

    private async Task<IResult> RefreshAsync(string id, string handle, HttpContext context)
    {
        if (registry.Get(id) is not { } tenant)
        {
            return AdminProblems.NotFound(id);
        }

        if (await FindAsync(tenant, handle) is not { } client)
        {
            return NoClient(tenant.Id);
        }

        var (record, problem) = await DescribeAsync(client.Record, context);
        if (record is null)
        {
            return problem!;
        }

        if (await ChangeAsync(tenant, clients => clients.RefreshAsync(client, record)) is not { } refreshed)
        {
            return NoClient(tenant.Id);
        }

        logger.ClientRefreshed(tenant.Id.Value, handle);
        return Show(refreshed, StatusCodes.Status200OK);
    }

    private async Task<IResult> RemoveAsync(string id, string handle)
    {
        if (registry.Get(id) is not { } tenant)
        {
            return AdminProblems.NotFound(id);
        }

        if (handle.Length != HandleLength || !await ChangeAsync(tenant, clients => clients.DeleteAsync(handle)))
        {
            return NoClient(tenant.Id);
        }

        logger.ClientRemoved(tenant.Id.Value, handle);
        return TypedResults.NoContent();
    }

    private async Task<StoredClient?> FindAsync(TenantModel tenant, string handle) =>
        handle.Length == HandleLength ? await new ClientStore(redis, tenant.Id).FindAsync(handle, time.GetUtcNow()) : null;

    // Where the store does not answer, the change may have happened: what is known must go in any case.
    private async Task<T> ChangeAsync<T>(TenantModel tenant, Func<ClientStore, Task<T>> change)
    {
        try
        {
            return await change(new(redis, tenant.Id));
        }
        finally
        {
            cache.Forget(tenant.Id);
        }
    }

    private async Task<(ClientRecord? Record, IResult? Problem)> DescribeAsync(ClientRecord client, HttpContext context)
    {
        if (!ClientValidator.IsDocument(client.ClientId))
        {
            return (client, null);
        }

        try
        {
            return (client with { Metadata = await metadata.LoadAsync(client.ClientId, context.RequestAborted), FetchedAt = time.GetUtcNow() }, null);
        }
        catch (FetchException exception) when (exception.IsTransient)
        {
            return (null, AdminProblems.Unavailable(context, "30", $"The client's metadata document could not be fetched now, and nothing was changed: {exception.Message}", Field(exception)));
        }
        catch (Exception exception) when (exception is FetchException or ClientRejectedException)
        {
            return (null, AdminProblems.Create(StatusCodes.Status422UnprocessableEntity, $"The client's metadata document will not do, and nothing was changed: {exception.Message}", Field(exception)));
        }
    }

    private static Dictionary<string, string[]> Field(Exception exception) => new() { ["clientId"] = [exception.Message] };

    private static JsonHttpResult<AdminProblem> NoClient(TenantId tenant) => AdminProblems.Create(StatusCodes.Status404NotFound, $"The tenant '{tenant}' has no client with this handle.");

    private static JsonHttpResult<ClientAnswer> Show(StoredClient client, int status) => TypedResults.Json(ClientAnswer.From(client), AdminJson.Wire.ClientAnswer, statusCode: status);
}
