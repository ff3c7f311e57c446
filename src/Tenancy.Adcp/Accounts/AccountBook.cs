using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text.Json;
using Tenancy.Mcp;
using Tenancy.State;

namespace Tenancy.Adcp;

/// <summary>
/// Opens, changes and lists the accounts of callers, for the handlers of <c>sync_accounts</c> and <c>list_accounts</c> of a seller whose
/// accounts this library keeps.
/// </summary>
[SuppressMessage("Performance", "CA1822", Justification = "A handler gets all that it does with accounts from one service.")]
public sealed class AccountBook
{
    // A commit has 128 documents at most, and an account two beside those of its caller.
    private const int MostAtOnce = 50;
    private const int MaxTries = 5;
    private readonly IAccountResolver _resolver;

    internal AccountBook(IAccountResolver resolver) => _resolver = resolver;

    /// <summary>Opens accounts, or changes them, as far as the seller's <see cref="SellerProfile"/> agrees.</summary>
    /// <param name="request">The request.</param>
    /// <param name="context">The call.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>
    /// What became of each account. One with a billing or terms that the seller does not offer has failed, with the reason.
    /// </returns>
    /// <exception cref="AdcpException">The caller would have too many accounts; none was opened.</exception>
    public async Task<SyncAccountsResponse> SyncAsync(
        SyncAccountsRequest request,
        ToolContext context,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(context);
        var isDryRun = request.DryRun is true;
        var notify = request.NotificationConfig();
        var profile = ProfileOf(context);
        var salt = await FindSaltAsync(context, isDryRun, cancellationToken);
        var keys = request
            .Accounts.Select(wanted => AccountKey.IdOf(salt, context, wanted.Brand, wanted.Operator, wanted.Sandbox))
            .ToArray();
        var refusals = request.Accounts.Select((wanted, index) => WhyNot(wanted, $"accounts[{index}]", profile)).ToArray();
        await CheckNumberAsync(keys.Where((_, index) => refusals[index] is null).ToHashSet(), context, cancellationToken);
        List<AccountResult> results = [];
        foreach (var few in request.Accounts.Index().Chunk(MostAtOnce))
        {
            var opened = 0;
            foreach (var (index, wanted) in few)
            {
                var result = refusals[index] is { } refusal
                    ? Failed(wanted, refusal, (await FindAsync(keys[index], context, cancellationToken))?.Account)
                    : await SyncAsync(wanted, index, keys[index], notify, isDryRun, context, cancellationToken);
                results.Add(result);
                opened += result.Action == "created" ? 1 : 0;
            }

            if (!isDryRun)
            {
                // With the accounts: of two requests at once, the later one counts again.
                await CountAsync(opened, context, cancellationToken);
                await context.FlushAsync(cancellationToken);
            }
        }

        return new() { Accounts = results, DryRun = request.DryRun };
    }

    /// <summary>Lists the caller's accounts: those by which every other tool goes.</summary>
    public async Task<ListAccountsResponse> ListAsync(ListAccountsRequest request, ToolContext context, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(context);
        var accounts = await _resolver.ResolveAsync(null, context, cancellationToken);
        var page = Page.Of(
            [
                .. accounts.Where(account =>
                    (request.Status ?? account.Status) == account.Status
                    && (request.Sandbox ?? account.Sandbox ?? false) == (account.Sandbox ?? false)
                ),
            ],
            request.Pagination
        );
        return new() { Accounts = page.Items, Pagination = page.Next };
    }

    /// <summary>
    /// Finds the account in which something lies that a request names by its own id alone, as if the request had named the account.
    /// </summary>
    /// <param name="reference">What the request named that made it.</param>
    /// <param name="use">What the account is used for.</param>
    /// <param name="context">The call.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>Null where it was never opened, as in test mode.</returns>
    /// <exception cref="AdcpException">It cannot be used so where it stands.</exception>
    public async Task<Account?> FindAsync(
        AccountReference reference,
        AccountUse use,
        ToolContext context,
        CancellationToken cancellationToken
    )
    {
        ArgumentNullException.ThrowIfNull(reference);
        ArgumentNullException.ThrowIfNull(context);
        return await _resolver.ResolveAsync(reference, context, cancellationToken) is [var account, ..]
            ? CallAccount.Usable(account, use)
            : null;
    }

    /// <summary>
    /// Gets the id that the account of a brand and its operator will have which a request opens by using it. All requests that come at once
    /// get the same one, so that a key that is sent twice is claimed once.
    /// </summary>
    internal async Task<string> NextIdAsync(AccountReference reference, ToolContext context, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                var salt = await FindSaltAsync(context, isDryRun: false, cancellationToken);
                await context.FlushAsync(cancellationToken);
                return NextId(salt, KeyOf(salt, reference, context));
            }
            catch (DocumentChangedException) when (attempt < MaxTries)
            {
                // Another request makes the salt at the same time.
            }
        }
    }

    /// <summary>
    /// Opens the account of a brand and its operator that a request names before anybody opened it, with the commit of what the call
    /// writes.
    /// </summary>
    internal async Task<Account> OpenAsync(AccountReference reference, ToolContext context, CancellationToken cancellationToken)
    {
        var wanted = new AccountSync
        {
            Brand = reference.Brand!,
            Operator = reference.Operator!,
            Billing = ProfileOf(context).Billing[0],
            Sandbox = reference.Sandbox,
        };
        var salt = await FindSaltAsync(context, isDryRun: false, cancellationToken);
        var key = KeyOf(salt, reference, context);
        if (await FindAsync(key, context, cancellationToken) is { } there)
        {
            return there.Account;
        }

        await CheckNumberAsync([key], context, cancellationToken);
        var (opened, isNew) = await CreateAsync(NextId(salt, key), wanted, key, null, context, cancellationToken);
        if (isNew)
        {
            await CountAsync(1, context, cancellationToken);
        }

        return opened.Account;
    }

    private static SellerProfile ProfileOf(ToolContext context) => context.FindPlatform<ISellerProfile>()?.Profile ?? new();

    private static string KeyOf(AccountSalt salt, AccountReference reference, ToolContext context) =>
        AccountKey.IdOf(salt, context, reference.Brand!, reference.Operator!, reference.Sandbox);

    // The salt is secret, so that nobody can compute it.
    private static string NextId(AccountSalt salt, string key) => $"acc_{StableId.Of(salt.Value, "account", key)[..22]}";

    private static async Task<AccountResult> SyncAsync(
        AccountSync wanted,
        int index,
        string key,
        JsonElement? notify,
        bool isDryRun,
        ToolContext context,
        CancellationToken cancellationToken
    )
    {
        var found = await FindAsync(key, context, cancellationToken);
        if (found is null && isDryRun)
        {
            return Result(ToAccount(wanted, "", context), "created");
        }

        if (found is null)
        {
            var id = $"acc_{Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(16))}";
            (found, var isNew) = await CreateAsync(id, wanted, key, notify, context, cancellationToken);
            if (isNew)
            {
                return Result(found.Account, "created");
            }
        }

        // Terms that are left out stay what they are.
        var changed = found.Account with { Billing = wanted.Billing, PaymentTerms = wanted.PaymentTerms ?? found.Account.PaymentTerms };
        if (WhyNotChange(found.Account, changed, $"accounts[{index}]") is { } refusal)
        {
            return Failed(wanted, refusal, found.Account);
        }

        var isSame = changed == found.Account && !IsNew(notify, wanted, found);
        if (!isSame && !isDryRun)
        {
            await context
                .CallerDocuments<AccountDocument>()
                .ReplaceAsync(found with { Account = changed, Notify = With(notify, wanted, found.Notify) }, cancellationToken);
        }

        return Result(changed, isSame ? "unchanged" : "updated") with
        {
            Brand = wanted.Brand,
            Operator = wanted.Operator,
        };
    }

    private static AdcpException? WhyNotChange(Account account, Account changed, string field)
    {
        if (changed == account)
        {
            return null;
        }

        if (account.Status is AccountStatus.Suspended or AccountStatus.Closed or AccountStatus.Rejected)
        {
            return new(AdcpError.AccountSuspended, "The account is halted or over: what was agreed for it stays.", field);
        }

        // Where one account covers several brands or operators, what one of them agrees to would bind the others.
        return account.AccountScope is null or AccountScope.OperatorBrand ? null
            : changed.Billing != account.Billing
                ? new(
                    AdcpError.BillingNotSupported,
                    $"The account may stand for others, too, and is billed by {account.Billing}: it would change for all of them.",
                    $"{field}.billing"
                )
            : new(
                AdcpError.PaymentTermsNotSupported,
                $"The account may stand for others, too, with {account.PaymentTerms ?? "no terms"}: they would change for all of them.",
                $"{field}.payment_terms"
            );
    }

    // Whoever shares an account is told by itself.
    private static string Listener(AccountSync wanted) => $"{wanted.Brand.Domain}/{wanted.Brand.BrandId} by {wanted.Operator}";

    private static bool IsNew(JsonElement? notify, AccountSync wanted, AccountDocument found) =>
        notify is { } where && !(found.Notify.TryGetValue(Listener(wanted), out var before) && JsonElement.DeepEquals(before, where));

    private static IReadOnlyDictionary<string, JsonElement> With(
        JsonElement? notify,
        AccountSync wanted,
        IReadOnlyDictionary<string, JsonElement> others
    ) => notify is { } where ? new Dictionary<string, JsonElement>(others) { [Listener(wanted)] = where } : others;

    private static async Task<AccountDocument?> FindAsync(string key, ToolContext context, CancellationToken cancellationToken) =>
        await context.CallerDocuments<AccountKey>().GetAsync(key, cancellationToken) is { AccountId: var id }
            ? await context.CallerDocuments<AccountDocument>().GetAsync(id, cancellationToken)
            : null;

    // Another request may have opened it since it was looked for.
    private static async Task<(AccountDocument Account, bool IsNew)> CreateAsync(
        string id,
        AccountSync wanted,
        string key,
        JsonElement? notify,
        ToolContext context,
        CancellationToken cancellationToken
    )
    {
        var index = new AccountKey { AccountId = id };
        if (await context.CallerDocuments<AccountKey>().CreateWithIdAsync(key, index, cancellationToken) is null)
        {
            return (await FindAsync(key, context, cancellationToken) ?? throw Again(), false);
        }

        var account = new AccountDocument
        {
            Account = ToAccount(wanted, id, context),
            Notify = With(notify, wanted, new Dictionary<string, JsonElement>()),
        };
        return (await context.CallerDocuments<AccountDocument>().CreateWithIdAsync(id, account, cancellationToken) ?? throw Again(), true);
    }

    private static AdcpException Again() =>
        new(AdcpError.Conflict, "Another request opens this account right now: send it again.", "accounts");

    private static async Task<AccountSalt> FindSaltAsync(ToolContext context, bool isDryRun, CancellationToken cancellationToken)
    {
        var salts = context.CallerDocuments<AccountSalt>();
        if (await salts.GetAsync(AccountSalt.TheOnlyId, cancellationToken) is { } salt)
        {
            return salt;
        }

        return isDryRun
            ? AccountSalt.Create()
            : await salts.CreateWithIdAsync(AccountSalt.TheOnlyId, AccountSalt.Create(), cancellationToken)
                ?? await salts.GetAsync(AccountSalt.TheOnlyId, cancellationToken)
                ?? throw Again();
    }

    private static async Task<int> NumberAsync(ToolContext context, CancellationToken cancellationToken) =>
        (await context.CallerDocuments<AccountNumber>().GetAsync(AccountNumber.TheOnlyId, cancellationToken))?.Accounts ?? 0;

    // One too many refuses them all before the first is opened.
    private static async Task CheckNumberAsync(HashSet<string> keys, ToolContext context, CancellationToken cancellationToken)
    {
        var there = await NumberAsync(context, cancellationToken);
        if (there + keys.Count <= AccountDocument.MaxPerCaller)
        {
            return;
        }

        var known = (await context.CallerDocuments<AccountKey>().GetAllAsync(keys, cancellationToken)).Count;
        if (keys.Count > known && there + keys.Count - known > AccountDocument.MaxPerCaller)
        {
            throw TooMany(there, there + keys.Count - known - AccountDocument.MaxPerCaller);
        }
    }

    private static async Task CountAsync(int opened, ToolContext context, CancellationToken cancellationToken)
    {
        if (opened == 0)
        {
            return;
        }

        var numbers = context.CallerDocuments<AccountNumber>();
        var before = await numbers.GetAsync(AccountNumber.TheOnlyId, cancellationToken);
        var after = new AccountNumber { Accounts = (before?.Accounts ?? 0) + opened };
        if (after.Accounts > AccountDocument.MaxPerCaller)
        {
            throw TooMany(before?.Accounts ?? 0, after.Accounts - AccountDocument.MaxPerCaller);
        }

        if (before is not null)
        {
            await numbers.ReplaceAsync(before with { Accounts = after.Accounts }, cancellationToken);
        }
        else if (await numbers.CreateWithIdAsync(AccountNumber.TheOnlyId, after, cancellationToken) is null)
        {
            await CountAsync(opened, context, cancellationToken);
        }
    }

    private static AdcpException TooMany(int there, int tooMany) =>
        new(
            AdcpError.PolicyViolation,
            $"You have {there} accounts here and may have {AccountDocument.MaxPerCaller}: open {tooMany} fewer.",
            "accounts"
        );

    private static AdcpException? WhyNot(AccountSync wanted, string field, SellerProfile profile) =>
        !profile.Billing.Contains(wanted.Billing)
            ? new(
                AdcpError.BillingNotSupported,
                $"This seller bills the {string.Join(" or the ", profile.Billing)} only.",
                $"{field}.billing"
            )
        : wanted.PaymentTerms is { } terms && profile.PaymentTerms.Count > 0 && !profile.PaymentTerms.Contains(terms)
            ? new(
                AdcpError.PaymentTermsNotSupported,
                $"This seller agrees to {string.Join(", ", profile.PaymentTerms)} only.",
                $"{field}.payment_terms"
            )
        : wanted.Sandbox is true && !profile.Sandbox
            ? new(AdcpError.UnsupportedFeature, "This seller has no accounts for tests.", $"{field}.sandbox")
        : null;

    // An account that is there stays what it is.
    private static AccountResult Failed(AccountSync wanted, AdcpException mistake, Account? account) =>
        new()
        {
            AccountId = account?.AccountId,
            Brand = wanted.Brand,
            Operator = wanted.Operator,
            Action = "failed",
            Status = account?.Status ?? AccountStatus.Rejected,
            Errors = [ErrorEntry.Of(mistake)],
            Sandbox = wanted.Sandbox,
        };

    private static AccountResult Result(Account account, string action) =>
        new()
        {
            AccountId = account.AccountId.Length > 0 ? account.AccountId : null,
            Brand = account.Brand!,
            Operator = account.Operator!,
            Name = account.Name,
            Action = action,
            Status = account.Status,
            AccountScope = account.AccountScope,
            Billing = account.Billing,
            PaymentTerms = account.PaymentTerms,
            CreditLimit = account.CreditLimit,
            Setup = account.Setup,
            Sandbox = account.Sandbox,
        };

    private static Account ToAccount(AccountSync wanted, string id, ToolContext context)
    {
        var profile = ProfileOf(context);
        var begins = profile.NewAccounts;
        return new()
        {
            AccountId = id,
            Name = $"{wanted.Brand.Domain} by {wanted.Operator}",
            Status = begins.Status,
            Brand = wanted.Brand,
            Operator = wanted.Operator,
            AccountScope = profile.AccountScope,
            Billing = wanted.Billing,
            PaymentTerms = wanted.PaymentTerms ?? begins.PaymentTerms,
            CreditLimit = begins.CreditLimit,
            Setup = begins.Status is AccountStatus.PendingApproval ? begins.Setup : null,
            Sandbox = wanted.Sandbox,
        };
    }
}
