using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Tenancy.Administration;
using Tenancy.Configuration;
using Tenancy.Registry;
using Tenancy.State;

namespace Tenancy.Admin;

/// <summary>
/// The OAuth clients of a tenant's identity provider that may call it, where it lets no others. They go by handles, because their ids may
/// be URLs.
/// </summary>
internal static class ClientEndpoints
{
    public static void Map(AdminRoutes routes)
    {
        routes.Map(HttpMethods.Post, "{id}/clients", AddAsync);
        routes.Map(HttpMethods.Get, "{id}/clients", ListAsync, "take", "cursor");
        routes.Map(HttpMethods.Get, "{id}/clients/{handle}", GetAsync);
        routes.Map(HttpMethods.Post, "{id}/clients/{handle}/refresh", RefreshAsync);
        routes.Map(HttpMethods.Delete, "{id}/clients/{handle}", RemoveAsync);
    }

    private static async Task<IResult> AddAsync(
        string id,
        HttpContext context,
        TenantRegistry registry,
        ITenantAdministration administration
    )
    {
        if (await AdminEndpoints.FindAsync(registry, id, context.RequestAborted) is not { } tenant)
        {
            return AdminProblems.NotFound(id);
        }

        var client = await AdminRequest.ReadAsync(
            context,
            TenancyJson.Default.ClientRegistration,
            "The body must be a client, such as { \"clientId\": \"agent\" }."
        );
        return Show(await AddOnceAsync(context, administration, tenant, client), StatusCodes.Status201Created);
    }

    private static async Task<TenantClient> AddOnceAsync(
        HttpContext context,
        ITenantAdministration administration,
        TenantModel tenant,
        ClientRegistration client
    )
    {
        try
        {
            return await administration.AddClientAsync(tenant.Id, client, context.RequestAborted);
        }
        catch (TenantConflictException exception)
            when (exception.Field == "clientId" && context.Features.Get<AdminClaim>() is { FollowsCutOff: true })
        {
            // The run before was cut off, perhaps after it had listed the client.
            var handle = ClientStore.HandleOf(tenant.Config.Authentication!.Issuer!, client.ClientId);
            return await administration.FindClientAsync(tenant.Id, handle)
                ?? throw new TenantConflictException(exception.Field, exception.Message);
        }
    }

    private static async Task<IResult> ListAsync(string id, HttpContext context, ITenantAdministration administration)
    {
        if (!TenantId.TryParse(id, out var tenant))
        {
            return AdminProblems.NotFound(id);
        }

        var take = AdminRequest.ReadNumber(context, "take", absent: 100, least: 1, TenantClients.MaxPage, "clients");
        var cursor = AdminRequest.ReadText(context, "cursor", ClientStore.IsCursor, "the nextCursor of the page before");
        var page = await administration.ListClientsAsync(tenant, cursor, take);
        return TypedResults.Json(
            new ClientList([.. page.Clients.Select(ClientAnswer.From)], page.Count, page.NextCursor),
            AdminJson.Wire.ClientList
        );
    }

    private static async Task<IResult> GetAsync(string id, string handle, ITenantAdministration administration) =>
        !TenantId.TryParse(id, out var tenant) ? AdminProblems.NotFound(id)
        : await administration.FindClientAsync(tenant, handle) is { } client ? Show(client, StatusCodes.Status200OK)
        : NoClient(tenant);

    private static async Task<IResult> RefreshAsync(string id, string handle, HttpContext context, ITenantAdministration administration) =>
        !TenantId.TryParse(id, out var tenant) ? AdminProblems.NotFound(id)
        : await administration.RefreshClientAsync(tenant, handle, context.RequestAborted) is { } client
            ? Show(client, StatusCodes.Status200OK)
        : NoClient(tenant);

    private static async Task<IResult> RemoveAsync(string id, string handle, ITenantAdministration administration) =>
        !TenantId.TryParse(id, out var tenant) ? AdminProblems.NotFound(id)
        : await administration.RemoveClientAsync(tenant, handle) ? TypedResults.NoContent()
        : NoClient(tenant);

    private static JsonHttpResult<AdminProblem> NoClient(TenantId tenant) =>
        AdminProblems.Create(StatusCodes.Status404NotFound, $"The tenant '{tenant}' has no client with this handle.");

    private static JsonHttpResult<ClientAnswer> Show(TenantClient client, int status) =>
        TypedResults.Json(ClientAnswer.From(client), AdminJson.Wire.ClientAnswer, statusCode: status);
}
