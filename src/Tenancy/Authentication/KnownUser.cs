using System.Security.Claims;
using Microsoft.AspNetCore.Http.Features.Authentication;

namespace Tenancy.Authentication;

/// <summary>The user of a request whose caller is known. It is made when somebody asks for it, which most requests never do.</summary>
internal sealed class KnownUser : IHttpAuthenticationFeature
{
    private readonly KnownPrincipal? _principal;
    private readonly ClaimsPrincipal? _believed;
    private ClaimsPrincipal? _user;

    private KnownUser(CallerIdentity caller, KnownPrincipal? principal, ClaimsPrincipal? believed) =>
        (Caller, _principal, _believed) = (caller, principal, believed);

    /// <summary>Gets who is calling.</summary>
    public CallerIdentity Caller { get; }

    /// <summary>Gets whether the application has put another user in this one's place: then that one is calling.</summary>
    public bool IsReplaced { get; private set; }

    public ClaimsPrincipal? User
    {
        get => _user ??= _principal?.ToUser() ?? _believed!.Copy();
        set
        {
            _user = value;
            IsReplaced = true;
        }
    }

    /// <summary>The user of a principal.</summary>
    public static KnownUser Of(KnownPrincipal principal) => new(principal.Caller, principal, believed: null);

    /// <summary>The user of a token that was checked before.</summary>
    public static KnownUser Of(BelievedToken believed) => new(believed.Caller, principal: null, believed.User);
}
