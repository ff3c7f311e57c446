using System.Security.Claims;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Tenancy.Admin;

/// <summary>Checks the key of the admin API.</summary>
internal sealed class AdminKeyHandler(
    IOptionsMonitor<AuthenticationSchemeOptions> options,
    ILoggerFactory loggers,
    UrlEncoder encoder,
    AdminKeys keys
) : AuthenticationHandler<AuthenticationSchemeOptions>(options, loggers, encoder)
{
    private static readonly AuthenticateResult Invalid = AuthenticateResult.Fail("The admin key is not valid.");

    protected override Task<AuthenticateResult> HandleAuthenticateAsync() =>
        Task.FromResult(
            !Request.Headers.ContainsKey(AdminKeys.HeaderName) ? AuthenticateResult.NoResult()
            : keys.Contains(Request) ? AuthenticateResult.Success(new(new ClaimsPrincipal(new ClaimsIdentity(Scheme.Name)), Scheme.Name))
            : Invalid
        );

    protected override Task HandleChallengeAsync(AuthenticationProperties properties) =>
        AdminProblems
            .Create(StatusCodes.Status401Unauthorized, $"Send an admin key in the header {AdminKeys.HeaderName}.")
            .ExecuteAsync(Context);

    protected override Task HandleForbiddenAsync(AuthenticationProperties properties) =>
        AdminProblems.Create(StatusCodes.Status403Forbidden, "An admin key alone does not allow this.").ExecuteAsync(Context);
}
