using System.Security.Claims;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Tenancy.Diagnostics;
using Tenancy.Mcp.Sessions;
using Tenancy.Registry;
using Tenancy.State;

namespace Tenancy.Mcp.Sdk;

/// <summary>Takes what other nodes were told by the clients of sessions that are open here.</summary>
/// <remarks>The session is looked up by its handle among those of the tenant; the MCP SDK compares the user once more.</remarks>
internal sealed class FleetInbox(
    FleetMessages messages,
    OpenSessions sessions,
    TenantRegistry registry,
    SdkInbox sdk,
    ILogger<FleetInbox> logger
) : IHostedService
{
    private static readonly ClaimsPrincipal Nobody = new();

    public Task StartAsync(CancellationToken cancellationToken)
    {
        messages.Listen(message =>
        {
            if (message.Topic == FleetTopic.Delivery)
            {
                _ = Task.Run(() => TakeAsync(message), CancellationToken.None);
            }
        });
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private async Task TakeAsync(FleetMessage message)
    {
        try
        {
            if (
                Delivery.Read(message.Detail) is not { } delivery
                || registry.Get(message.Tenant.Value) is not { } tenant
                || sessions.FindByHandle(message.Tenant, delivery.Handle) is not var (id, session)
                || !IsTaken(session, delivery)
            )
            {
                return;
            }

            messages.Tell(new(FleetTopic.Delivered, message.Tenant, delivery.Id));
            await sdk.PostAsync(tenant, delivery.User?.ToPrincipal() ?? Nobody, id, delivery.Message);
        }
        catch (Exception exception)
        {
            logger.NotDelivered(exception, message.Tenant.Value);
        }
    }

    private static bool IsTaken(OpenSession session, Delivery delivery) =>
        delivery.Kind switch
        {
            DeliveryKind.Cancellation => session.TryCancel(delivery.Subject),
            DeliveryKind.Answer => session.TryAnswer(delivery.Subject),
            _ => true,
        };
}
