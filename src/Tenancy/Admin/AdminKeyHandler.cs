using System.Security.Claims;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Tenancy.Audit;
using Tenancy.Authentication;

namespace Tenancy.Admin;

/// <summary>Checks the key of the admin API.</summary>
internal sealed class AdminKeyHandler(
    IOptionsMonitor<AuthenticationSchemeOptions> options,
    ILoggerFactory loggers,
    UrlEncoder encoder,
    AdminKeys keys,
    AdminLimits limits,
    RefusalCounts refusals
) : AuthenticationHandler<AuthenticationSchemeOptions>(options, loggers, encoder)
{
    private static readonly AuthenticateResult Invalid = AuthenticateResult.Fail("The admin key is not valid.");

    protected override Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        if (!Request.Headers.ContainsKey(AdminKeys.HeaderName))
        {
            return Task.FromResult(AuthenticateResult.NoResult());
        }

        if (keys.Find(Request) is not { } key)
        {
            return Task.FromResult(Invalid);
        }

        Context.Features.Set(key);
        var identity = new ClaimsIdentity([new(ClaimTypes.Name, key.Id)], Scheme.Name);
        return Task.FromResult(AuthenticateResult.Success(new(new ClaimsPrincipal(identity), Scheme.Name)));
    }

    // Only who has no valid key comes here, and is counted: who has one is never refused for what others guess.
    protected override Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        var wait = limits.Failure(ClientAddress.Of(Context));
        refusals.Count(
            "NoAdminKey",
            wait is null ? StatusCodes.Status401Unauthorized : StatusCodes.Status429TooManyRequests,
            tenant: null,
            Context.Connection.RemoteIpAddress
        );
        return (
            wait is { } time
                ? AdminAccess.TooMany(Context, time, "There were too many requests without a valid admin key from this address: wait.")
                : AdminProblems.Create(StatusCodes.Status401Unauthorized, $"Send an admin key in the header {AdminKeys.HeaderName}.")
        ).ExecuteAsync(Context);
    }

    protected override Task HandleForbiddenAsync(AuthenticationProperties properties) =>
        AdminProblems.Create(StatusCodes.Status403Forbidden, "An admin key alone does not allow this.").ExecuteAsync(Context);
}
