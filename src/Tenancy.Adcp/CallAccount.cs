using System.Text.Json.Nodes;
using Microsoft.Extensions.Options;
using Tenancy.Mcp;
using Tenancy.State;

namespace Tenancy.Adcp;

/// <summary>Finds the account that a request names, and narrows the call to it.</summary>
internal sealed class CallAccount(IAccountResolver resolver, AccountBook book, IOptions<AdcpOptions> options)
{
    // A checker buys for one brand and changes what it bought for another, with an account that it opens now and then. In test mode all
    // accounts of a caller have everything in one place. They are opened, listed and halted as ever.
    private readonly bool _isTest = options.Value.TestMode && resolver is SyncedAccounts;

    /// <summary>
    /// Narrows the call to the account that its request names. Of a request with an idempotency key the account is neither opened nor
    /// looked at: that is for <see cref="UseAsync"/>, which runs only where there is no answer to replay.
    /// </summary>
    /// <returns>The account; null where the request names none, or none that is there.</returns>
    /// <exception cref="AdcpException">The caller has no such account, or it cannot be used now.</exception>
    public async ValueTask<Account?> ResolveAsync(Call call, AdcpRequest request, CancellationToken cancellationToken)
    {
        if (IsAnonymous(call))
        {
            call.ForAccount(null);
            return null;
        }

        if (request is TestControllerRequest { IsSeed: true } && _isTest)
        {
            call.ForAccount(TestPlaceOf(call));
            return null;
        }

        if (request is not IAccountRequest { Account: { } reference } named)
        {
            // Which accounts the caller has is asked when the handler reads what lies in them: most reads do not.
            var filter = AmongOf(request as IAccountRequest);
            call.ForAccounts(token => FindAllAsync(call, filter, token, withTests: request is IIdempotentRequest));
            return null;
        }

        reference.Check("account");
        var account = await FindAsync(call, reference, cancellationToken);
        var place = PlaceOf(call, account);
        if (request is IIdempotentRequest)
        {
            // Where it is opened later, its id is known now: the request's key is claimed for that account.
            place ??= await book.NextIdAsync(reference, call.Context, cancellationToken);
        }
        else if (account is not null)
        {
            Usable(account, named.Use);
        }

        if (place is null)
        {
            // It will be opened by the first request that changes something: until then there is nothing in it.
            call.ForAccounts(_ => Task.FromResult<IReadOnlyList<string>>([]));
        }
        else if (AmongOf(named) is { } wanted && !(await FindAllAsync(call, wanted, cancellationToken)).Contains(place))
        {
            call.ForAccounts(_ => Task.FromResult<IReadOnlyList<string>>([]));
        }
        else
        {
            // Of an account that is there, only the seller knows whether it is for tests.
            call.ForAccount(place, (account is null ? reference.Sandbox : account.Sandbox) is true);
        }

        return account;
    }

    /// <summary>
    /// Makes sure that a request with an idempotency key may use its account, and opens one that is opened on first use: with the commit of
    /// what the handler writes, so that a request that is refused opens none.
    /// </summary>
    /// <param name="call">The call.</param>
    /// <param name="request">The request; its key is claimed.</param>
    /// <param name="known">The account as it was resolved; null where it has to be looked for, because something may have changed.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="AdcpException">The caller has it no more, or it cannot be used.</exception>
    public async ValueTask UseAsync(Call call, AdcpRequest request, Account? known, CancellationToken cancellationToken)
    {
        if (request is not IAccountRequest { Account: { } reference } named)
        {
            return;
        }

        var account = known ?? await FindAsync(call, reference, cancellationToken);
        if (account is null && !_isTest)
        {
            account = await book.OpenAsync(reference, call.Context, cancellationToken);
        }

        if (account is not null)
        {
            Usable(account, named.Use);
        }

        if (PlaceOf(call, account) != call.Context.AccountId)
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
            (AccountStatus.PendingApproval, _) => throw new AdcpException(
                AdcpError.AccountSetupRequired,
                account.Setup?.Message ?? "The account waits for the seller's approval.",
                "account"
            )
            {
                Details = SetupOf(account),
            },
            (AccountStatus.PaymentRequired, _) => throw new AdcpException(
                AdcpError.AccountPaymentRequired,
                "The account has an open invoice: what was bought can be changed, and nothing more be bought.",
                "account"
            ),
            (AccountStatus.Suspended, _) => throw new AdcpException(AdcpError.AccountSuspended, "The account is halted.", "account"),
            _ => throw new AdcpException(AdcpError.AccountSuspended, "The account is closed.", "account"),
        };

    private static JsonObject? SetupOf(Account account)
    {
        if (account.Setup is not { } setup)
        {
            return null;
        }

        var details = new JsonObject { ["setup_steps"] = new JsonArray(setup.Message) };
        if (setup.Url is { } url)
        {
            details["setup_url"] = url;
        }

        return details;
    }

    // Null where there is none yet, and a first use opens it.
    private async Task<Account?> FindAsync(Call call, AccountReference reference, CancellationToken cancellationToken) =>
        (await resolver.ResolveAsync(reference, call.Context, cancellationToken)).Where(reference.FitsSandbox).ToArray() switch
        {
            [] when IsOpenedOnUse(call, reference) => null,
            [] => throw new AdcpException(
                AdcpError.AccountNotFound,
                "You have no such account here: open it with sync_accounts.",
                "account"
            ),
            [var account] => account,
            _ => throw new AdcpException(
                AdcpError.AccountAmbiguous,
                "Several of your accounts fit: name one by its account_id.",
                "account"
            ),
        };

    private static IReadOnlyList<AccountReference>? AmongOf(IAccountRequest? request)
    {
        foreach (var (index, reference) in (request?.Among ?? []).Index())
        {
            reference.Check($"filters.accounts[{index}]");
        }

        return request?.Among;
    }

    // All accounts of the caller that can be read, or those of them that a filter names.
    private async Task<IReadOnlyList<string>> FindAllAsync(
        Call call,
        IReadOnlyList<AccountReference>? filter,
        CancellationToken cancellationToken,
        bool withTests = false
    )
    {
        if (_isTest)
        {
            return [TestPlaceOf(call)];
        }

        if (filter is null)
        {
            // What lies in accounts for tests is in no list: nobody could tell it from what is real. A request that changes something by
            // its own id means that one.
            var all = await resolver.ResolveAsync(null, call.Context, cancellationToken);
            return ReadableOf([.. all.Where(account => withTests || account.Sandbox is not true)]);
        }

        HashSet<string> found = [];
        foreach (var reference in filter)
        {
            var accounts = await resolver.ResolveAsync(reference, call.Context, cancellationToken);
            found.UnionWith(ReadableOf([.. accounts.Where(reference.FitsSandbox)]));
        }

        return [.. found];
    }

    // AdCP: nothing but list_accounts tells of an account that waits for approval, was declined or is over.
    private static string[] ReadableOf(IReadOnlyList<Account> accounts) =>
        [
            .. accounts
                .Where(account => account.Status is not (AccountStatus.PendingApproval or AccountStatus.Rejected or AccountStatus.Closed))
                .Select(account => account.AccountId),
        ];

    private string? PlaceOf(Call call, Account? account) => _isTest ? TestPlaceOf(call) : account?.AccountId;

    // Where everything lies that a caller has in test mode: several may test at once, and none sees what the others have.
    private static string TestPlaceOf(Call call) => StableId.Of("test", call.Context.Caller.Value);

    // An id says nothing of whom an account is for; and whoever resolves accounts by other means opens them, too.
    private bool IsOpenedOnUse(Call call, AccountReference reference) =>
        resolver is SyncedAccounts
        && reference.AccountId is null
        && call.Context.FindPlatform<ISellerProfile>()?.Profile
            is { AccountOpening: AccountOpening.OnFirstUse, Billing.Count: 1, NewAccounts.Status: AccountStatus.Active } profile
        && (reference.Sandbox is not true || profile.Sandbox);
}
