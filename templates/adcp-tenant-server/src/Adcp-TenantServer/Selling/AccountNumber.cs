using Tenancy.Adcp;
using Tenancy.Mcp;
using Tenancy.State;

namespace Adcp_TenantServer.Selling;

/// <summary>
/// How many accounts a buyer has. It is written with each that is opened, so that two requests at once cannot both open the last one.
/// </summary>
[Document("account_numbers")]
public sealed record AccountNumber : TenantDocument
{
    private const string TheOnlyId = "accounts";

    public required int Accounts { get; init; }

    public static async Task<AccountNumber> ReadAsync(ToolContext context, CancellationToken cancellationToken) =>
        await context.CallerDocuments<AccountNumber>().GetAsync(TheOnlyId, cancellationToken)
        ?? new()
        {
            Accounts = await context.CallerDocuments<AccountDocument>().ReadAllAsync(cancellationToken).CountAsync(cancellationToken),
        };

    /// <exception cref="AdcpException">There would be too many.</exception>
    public async Task<AccountNumber> AddAsync(int opened, ToolContext context, CancellationToken cancellationToken)
    {
        if (Accounts + opened > AccountDocument.MaxPerCaller)
        {
            throw TooMany(Accounts, Accounts + opened - AccountDocument.MaxPerCaller);
        }

        var (numbers, more) = (context.CallerDocuments<AccountNumber>(), this with { Accounts = Accounts + opened });
        return Revision > 0 ? await numbers.ReplaceAsync(more, cancellationToken)
            // Another request may have written the first one since.
            : await numbers.CreateUnlessThereAsync(TheOnlyId, more, cancellationToken) is { } other
                ? await other.AddAsync(opened, context, cancellationToken)
            : (await numbers.GetAsync(TheOnlyId, cancellationToken))!;
    }

    public static AdcpException TooMany(int there, int tooMany) =>
        new(
            AdcpError.PolicyViolation,
            $"You have {there} accounts here and may have {AccountDocument.MaxPerCaller}: open {tooMany} fewer.",
            "/accounts"
        );
}
