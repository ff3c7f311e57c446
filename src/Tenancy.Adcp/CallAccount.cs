using Tenancy.Mcp;

namespace Tenancy.Adcp;

/// <summary>Finds the account that a request names, and narrows the call to it.</summary>
internal sealed class CallAccount(IAccountResolver resolver)
{
    /// <exception cref="AdcpException">The caller has no such account, or it cannot be used now.</exception>
    public async ValueTask ResolveAsync(Call call, AdcpRequest request, CancellationToken cancellationToken)
    {
        if (IsAnonymous(call) || request is not (IAccountRequest or TestControllerRequest))
        {
            call.ForAccount(null);
            return;
        }

        if (
            request is TestControllerRequest { Account: { } wanted }
            && IsComplete(wanted)
            && await resolver.ResolveAsync(wanted, call.Context, cancellationToken) is [var one]
        )
        {
            call.ForAccount(one.AccountId);
            return;
        }

        if (request is not IAccountRequest { Account: { } reference })
        {
            // Which accounts the caller has is asked when the handler reads what lies in them: most reads do not.
            var context = call.Context;
            call.ForAccounts(async token => [.. (await resolver.ResolveAsync(null, context, token)).Select(account => account.AccountId)]);
            return;
        }

        if (!IsComplete(reference))
        {
            throw new AdcpException(AdcpError.InvalidRequest, "account must have an account_id, or brand and operator.", "/account");
        }

        var found = await resolver.ResolveAsync(reference, call.Context, cancellationToken);
        call.ForAccount(
            found switch
            {
                [] => throw new AdcpException(
                    AdcpError.AccountNotFound,
                    "You have no such account here: open it with sync_accounts.",
                    "/account"
                ),
                [var account] => Usable(account, request).AccountId,
                _ => throw new AdcpException(
                    AdcpError.AccountAmbiguous,
                    "Several of your accounts fit: name one by its account_id.",
                    "/account"
                ),
            }
        );
    }

    private static bool IsComplete(AccountReference reference) =>
        reference.AccountId is not null || (reference.Brand is not null && reference.Operator is not null);

    // A caller without credentials has no accounts: what it may call answers without one.
    public static bool IsAnonymous(Call call) => call.Context.Caller.IsAnonymous && !call.IsOpen;

    // An account that cannot be used can still be read.
    private static Account Usable(Account account, AdcpRequest request) =>
        account.Status switch
        {
            _ when request is not IIdempotentRequest => account,
            AccountStatus.Active => account,
            AccountStatus.PendingApproval => throw new AdcpException(
                AdcpError.AccountSetupRequired,
                "The account waits for the seller's approval.",
                "/account"
            ),
            AccountStatus.PaymentRequired => throw new AdcpException(
                AdcpError.AccountPaymentRequired,
                "The account has an open invoice.",
                "/account"
            ),
            _ => throw new AdcpException(AdcpError.AccountSuspended, "The account is halted or closed.", "/account"),
        };
}
