using System.Security.Claims;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Tenancy.Authentication;
using Tenancy.Registry;
using Tenancy.Resolution;

namespace Tenancy.Mcp;

/// <summary>What handlers know of the HTTP request that their message came with. It flows with the message, and with nothing else.</summary>
/// <remarks>It has no <see cref="HttpContext"/>: Kestrel uses that again, and a handler that outlives its request would see the next one's tenant.</remarks>
internal class CallOrigin
{
    private static readonly AsyncLocal<CallOrigin?> Flow = new();

    protected CallOrigin(HttpContext context, HeldReply reply)
    {
        var feature = context.Features.GetRequiredFeature<ITenantFeature>();
        (Tenant, User, Reply) = (feature.Tenant, context.User, reply);
        Caller = feature.CallerOf(User);
        Slot = context.Features.GetRequiredFeature<CallSlot>();
    }

    public static CallOrigin? Current
    {
        get => Flow.Value;
        protected set => Flow.Value = value;
    }

    public TenantModel Tenant { get; }

    public ClaimsPrincipal User { get; }

    public CallerIdentity Caller { get; }

    /// <summary>Gets the call's place among those of its tenant.</summary>
    public CallSlot Slot { get; }

    /// <summary>Gets the answer, which may yet be refused.</summary>
    public HeldReply Reply { get; }

    /// <summary>Lets what the caller of this method goes on to call know the request.</summary>
    public static void Begin(HttpContext context, HeldReply reply) => Current = new(context, reply);
}
