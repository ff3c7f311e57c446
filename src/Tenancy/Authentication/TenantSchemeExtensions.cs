using System.Security.Claims;
using Microsoft.AspNetCore.Authentication;
using Tenancy;
using Tenancy.Authentication;
using Tenancy.Configuration;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Lets tenants name ways to authenticate that the application registered.</summary>
public static class TenantSchemeExtensions
{
    private const int MaxNameLength = 64;

    private static readonly TimeSpan MaxStreamLifetime = TimeSpan.FromHours(24);

    /// <summary>Lets tenants name a scheme as their authentication: <c>{ "kind": "scheme", "scheme": "..." }</c>.</summary>
    /// <param name="builder">The builder.</param>
    /// <param name="scheme">The name under which an authentication handler is registered, such as <c>Certificate</c>.</param>
    /// <param name="idClaim">
    /// The claim that says who is calling: one value that is never given to somebody else. Default:
    /// <see cref="ClaimTypes.NameIdentifier"/>. For client certificates <see cref="ClaimTypes.Thumbprint"/> serves.
    /// </param>
    /// <param name="streamLifetime">
    /// How long the stream of a session stays open at most, for a scheme whose proof is good once, such as a signature with a nonce: more
    /// than zero, and 24 hours at most. Its client opens another one then, with a new proof. Default: null, for no such end; the proof is
    /// asked for again while the stream is open, every <see cref="TenancyOptions.HeartbeatInterval"/>, and the stream ends when it is not
    /// good any more.
    /// </param>
    /// <remarks>
    /// The caller is <c>scheme:{scheme}|{id}</c>. A caller whose credentials have no such claim, or two, is refused. With
    /// <paramref name="streamLifetime"/> a caller whom the scheme lets in no more hears what its stream is told until then; its requests
    /// are refused at once.
    /// </remarks>
    /// <exception cref="ArgumentException">The claim can be given to somebody else, such as an e-mail address or a name.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The lifetime is not more than zero, or is more than 24 hours.</exception>
    public static ITenancyBuilder AddTenantScheme(
        this ITenancyBuilder builder,
        string scheme,
        string idClaim = ClaimTypes.NameIdentifier,
        TimeSpan? streamLifetime = null
    )
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentException.ThrowIfNullOrWhiteSpace(scheme);
        ArgumentException.ThrowIfNullOrWhiteSpace(idClaim);
        if (scheme.Length > MaxNameLength || scheme.Any(c => c is not (> ' ' and < '\u007f') or '|') || TenantSchemes.All.Contains(scheme))
        {
            throw new ArgumentException(
                $"'{scheme}' is no scheme that tenants may name: use 1 to {MaxNameLength} visible ASCII characters without '|', and "
                    + $"none of {string.Join(", ", TenantSchemes.All)}.",
                nameof(scheme)
            );
        }

        if (ReassignableClaims.Contains(idClaim))
        {
            throw new ArgumentException(
                $"The claim '{idClaim}' can be given to somebody else, and with it all that belongs to the caller: use one that never "
                    + $"is, such as '{ClaimTypes.NameIdentifier}' or 'sub'.",
                nameof(idClaim)
            );
        }

        if (streamLifetime is { } lifetime && (lifetime <= TimeSpan.Zero || lifetime > MaxStreamLifetime))
        {
            throw new ArgumentOutOfRangeException(
                nameof(streamLifetime),
                lifetime,
                "A stream cannot live so long: use more than zero, and 24 hours at most."
            );
        }

        builder.Services.Configure<TenancyOptions>(options => options.Schemes[scheme] = new(idClaim, streamLifetime));
        builder
            .Services.AddOptions<AuthenticationOptions>()
            .Validate(
                options => options.SchemeMap.ContainsKey(scheme),
                $"No authentication handler is registered as '{scheme}': call AddAuthentication().AddScheme<...>(\"{scheme}\", ...) or "
                    + $"the like, beside AddTenantScheme(\"{scheme}\")."
            )
            .ValidateOnStart();
        return builder;
    }
}
