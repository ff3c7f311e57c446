using Tenancy.Mcp;

namespace Tenancy.Adcp;

/// <summary>Finds the account that a request names, and narrows the call to it.</summary>
internal sealed class CallAccount(IAccountResolver resolver, AccountBook book)
{
    // Where everything lies that a caller has in test mode: see IsTest.
    private const string TestAccount = "test";

    /// <exception cref="AdcpException">The caller has no such account, or it cannot be used now.</exception>
    public async ValueTask ResolveAsync(Call call, AdcpRequest request, CancellationToken cancellationToken)
    {
        if (IsAnonymous(call))
        {
            call.ForAccount(null);
            return;
        }

        if (request is TestControllerRequest { IsSeed: true } && IsTest(call))
        {
            call.ForAccount(TestAccount);
            return;
        }

        if (request is not IAccountRequest { Account: { } reference } named)
        {
            // Which accounts the caller has is asked when the handler reads what lies in them: most reads do not.
            var filter = (request as IAccountRequest)?.Among;
            call.ForAccounts(token => FindAllAsync(call, filter, token));
            return;
        }

        if (!reference.IsComplete)
        {
            throw new AdcpException(AdcpError.InvalidRequest, "account must have an account_id, or brand and operator.", "account");
        }

        var account = await FindAsync(call, named, reference, cancellationToken);
        if (account is null && request is IIdempotentRequest && !IsTest(call))
        {
            account = await book.OpenAsync(reference, call.Context, cancellationToken);
        }

        if (PlaceOf(call, account) is not { } place)
        {
            // It will be opened by the first request that changes something: until then there is nothing in it.
            call.ForAccounts(_ => Task.FromResult<IReadOnlyList<string>>([]));
        }
        else if (named.Among is { } wanted && !(await FindAllAsync(call, wanted, cancellationToken)).Contains(place))
        {
            call.ForAccounts(_ => Task.FromResult<IReadOnlyList<string>>([]));
        }
        else
        {
            call.ForAccount(place, (account?.Sandbox ?? reference.Sandbox) is true);
        }
    }

    /// <summary>Finds the account of a call again, whose handler runs once more because something has changed.</summary>
    /// <exception cref="AdcpException">The caller has it no more, or it cannot be used any more.</exception>
    public async ValueTask CheckAsync(Call call, AdcpRequest request, CancellationToken cancellationToken)
    {
        if (
            request is IAccountRequest { Account: { } reference } named
            && PlaceOf(call, await FindAsync(call, named, reference, cancellationToken)) != call.Context.AccountId
        )
        {
            throw new AdcpException(AdcpError.Conflict, "The account that the request names is another one by now: send it again.");
        }
    }

    // A caller without credentials has no accounts: what it may call answers without one.
    public static bool IsAnonymous(Call call) => call.Context.Caller.IsAnonymous && !call.IsOpen;

    // AdCP, "Operations by Account Status".
    internal static Account Usable(Account account, AccountUse use) =>
        (account.Status, use) switch
        {
            (AccountStatus.Active, _) => account,
            (AccountStatus.PaymentRequired, not AccountUse.Spend) => account,
            (AccountStatus.Suspended, AccountUse.Read) => account,
            (AccountStatus.PendingApproval, AccountUse.Read) => account,
            (AccountStatus.PendingApproval, _) => throw new AdcpException(
                AdcpError.AccountSetupRequired,
                "The account waits for the seller's approval.",
                "account"
            ),
            (AccountStatus.PaymentRequired, _) => throw new AdcpException(
                AdcpError.AccountPaymentRequired,
                "The account has an open invoice: what was bought can be changed, and nothing more be bought.",
                "account"
            ),
            (AccountStatus.Suspended, _) => throw new AdcpException(AdcpError.AccountSuspended, "The account is halted.", "account"),
            _ => throw new AdcpException(AdcpError.AccountSuspended, "The account is closed.", "account"),
        };

    // Null where there is none yet, and a first use opens it.
    private async Task<Account?> FindAsync(
        Call call,
        IAccountRequest request,
        AccountReference reference,
        CancellationToken cancellationToken
    ) =>
        await resolver.ResolveAsync(reference, call.Context, cancellationToken) switch
        {
            [] when IsOpenedOnUse(call, reference) => null,
            [] => throw new AdcpException(
                AdcpError.AccountNotFound,
                "You have no such account here: open it with sync_accounts.",
                "account"
            ),
            [var account] => Usable(account, request.Use),
            _ => throw new AdcpException(
                AdcpError.AccountAmbiguous,
                "Several of your accounts fit: name one by its account_id.",
                "account"
            ),
        };

    // All accounts of the caller, or those that a filter names and the caller has.
    private async Task<IReadOnlyList<string>> FindAllAsync(
        Call call,
        IReadOnlyList<AccountReference>? filter,
        CancellationToken cancellationToken
    )
    {
        if (IsTest(call))
        {
            return [TestAccount];
        }

        if (filter is null)
        {
            return [.. (await resolver.ResolveAsync(null, call.Context, cancellationToken)).Select(account => account.AccountId)];
        }

        HashSet<string> found = [];
        foreach (var reference in filter.Where(one => one.IsComplete))
        {
            found.UnionWith((await resolver.ResolveAsync(reference, call.Context, cancellationToken)).Select(one => one.AccountId));
        }

        return [.. found];
    }

    private string? PlaceOf(Call call, Account? account) => IsTest(call) ? TestAccount : account?.AccountId;

    // A checker buys for one brand and changes what it bought for another, with an account that it opens now and then. In test mode all
    // accounts of a caller have everything in one place. They are opened, listed and halted as ever.
    private bool IsTest(Call call) => resolver is SyncedAccounts && call.Context.ToolNames.Contains(Capabilities.TestController);

    // An id says nothing of whom an account is for; and whoever resolves accounts by other means opens them, too.
    private bool IsOpenedOnUse(Call call, AccountReference reference) =>
        resolver is SyncedAccounts
        && reference.AccountId is null
        && call.Context.FindPlatform<ISellerProfile>()?.Profile is { AccountOpening: AccountOpening.OnFirstUse } profile
        && (reference.Sandbox is not true || profile.Sandbox);
}
