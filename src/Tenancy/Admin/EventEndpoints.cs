using Microsoft.AspNetCore.Http;
using Tenancy.State;

namespace Tenancy.Admin;

/// <summary>What happens, as it happens.</summary>
internal static class EventEndpoints
{
    private const string LastEventId = "Last-Event-ID";

    public static void Map(AdminRoutes routes) => routes.Map(HttpMethods.Get, "", FollowAsync, "after");

    private static async Task<IResult> FollowAsync(HttpContext context, EventStreams streams)
    {
        var after = ReadAfter(context);
        var key = context.Features.Get<AdminKey>()?.Id ?? context.User.Identity?.Name ?? "";
        if (!streams.TryEnter(key))
        {
            return AdminAccess.TooMany(
                context,
                EventFeed.Interval,
                $"This key has {EventStreams.MaxOfKey} streams of events at this node: end one of them first."
            );
        }

        try
        {
            await streams.RunAsync(context, after, AdminAccess.TenantOf(context));
            return Results.Empty;
        }
        finally
        {
            streams.Leave(key);
        }
    }

    // A browser that comes again by itself sends the header with the URL that it began with.
    private static string? ReadAfter(HttpContext context)
    {
        const string Form = "the id of the last event that was seen";
        var header = context.Request.Headers[LastEventId].ToString();
        return header.Length == 0 ? AdminRequest.ReadText(context, "after", FleetEvents.IsId, Form)
            : FleetEvents.IsId(header) ? header
            : throw new AdminRequestException(StatusCodes.Status400BadRequest, LastEventId, $"The header is '{header}': send {Form}.");
    }
}
