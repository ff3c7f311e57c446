using System.Globalization;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http;
using Tenancy.Audit;
using Tenancy.Configuration;
using Tenancy.Registry;
using Tenancy.State;

namespace Tenancy.Admin;

/// <summary>Which entries of a log are shown: a page of those that fit, the latest first.</summary>
internal sealed partial record AuditQuery
{
    private const int MaxPage = 1000;
    private const int DefaultPage = 100;
    private const int MaxText = 100;

    // One request looks through so many. What does not fit then is left to the next page.
    private const int MaxLookedAt = 5000;
    private const int BatchSize = 1000;

    /// <summary>The parameters that a listing of entries has.</summary>
    public static string[] Names { get; } = ["take", "cursor", "from", "to", "action", "caller", "key"];

    /// <summary>The parameters that a listing of refusals has.</summary>
    public static string[] RefusalNames { get; } = ["take", "cursor", "from", "to", "reason"];

    private int Take { get; init; }

    private string? Cursor { get; init; }

    private DateTimeOffset? From { get; init; }

    private DateTimeOffset? To { get; init; }

    private string? Action { get; init; }

    private string? Caller { get; init; }

    private string? Key { get; init; }

    private string? Reason { get; init; }

    /// <summary>Reads the parameters.</summary>
    /// <exception cref="TenantConfigException">One of them has a value that it cannot have.</exception>
    public static AuditQuery Read(HttpContext context) =>
        ReadPage(context) with
        {
            Action = AdminRequest.ReadText(context, "action", AuditAction.All.Contains, string.Join(" or ", AuditAction.All)),
            Caller = AdminRequest.ReadText(context, "caller", IsText, $"1 to {MaxText} characters: the caller of an entry"),
            Key = AdminRequest.ReadText(context, "key", IsText, $"1 to {MaxText} characters: the key of an entry, not the key itself"),
        };

    /// <inheritdoc cref="Read"/>
    public static AuditQuery ReadOfRefusals(HttpContext context) =>
        ReadPage(context) with
        {
            Reason = AdminRequest.ReadText(context, "reason", IsText, $"1 to {MaxText} characters: the reason of an entry"),
        };

    /// <summary>Reads which tenant's entries are asked for; null for all. The tenant may be gone.</summary>
    public static TenantId? ReadTenant(HttpContext context) =>
        AdminRequest.ReadText(context, "tenant", static text => TenantId.TryParse(text, out _), "the id of a tenant") is { } id
            ? TenantId.Parse(id)
            : null;

    /// <summary>Whether an entry fits.</summary>
    public bool Fits(AuditEntry entry) =>
        (Action is null || entry.Action == Action) && (Caller is null || entry.Caller == Caller) && (Key is null || entry.Key == Key);

    /// <summary>Whether an entry fits.</summary>
    public bool Fits(RefusedAccess entry) => Reason is null || entry.Reason == Reason;

    /// <summary>Gives the page.</summary>
    /// <param name="since">What none comes before; null for any.</param>
    /// <param name="list">Lists entries before one, and since a time.</param>
    /// <param name="fits">Whether an entry fits.</param>
    public async Task<(IReadOnlyList<LoggedEntry<T>> Entries, string? NextCursor)> ApplyAsync<T>(
        string? since,
        Func<string?, string?, int, Task<IReadOnlyList<LoggedEntry<T>>>> list,
        Func<T, bool> fits
    )
    {
        var from = From is { } earliest ? LoggedEntry.Time(earliest) : null;
        from = string.CompareOrdinal(from, since) > 0 ? from : since;
        var to = To is { } latest ? LoggedEntry.Time(latest) : null;
        var before = Cursor is not null && (to is null || string.CompareOrdinal(Cursor, to) < 0) ? Cursor : to;
        var page = new List<LoggedEntry<T>>();
        for (var looked = 0; looked < MaxLookedAt; )
        {
            var batch = Math.Min(BatchSize, Math.Max(Take + 1, DefaultPage));
            var entries = await list(before, from, batch);
            foreach (var entry in entries)
            {
                if (!fits(entry.Entry))
                {
                    continue;
                }

                if (page.Count == Take)
                {
                    return (page, page[^1].Id);
                }

                page.Add(entry);
            }

            if (entries.Count < batch)
            {
                return (page, null);
            }

            looked += entries.Count;
            before = entries[^1].Id;
        }

        return (page, before);
    }

    private static AuditQuery ReadPage(HttpContext context) =>
        new()
        {
            Take = AdminRequest.ReadNumber(context, "take", DefaultPage, least: 1, MaxPage, "entries"),
            Cursor = AdminRequest.ReadText(
                context,
                "cursor",
                IsCursor().IsMatch,
                "the nextCursor of the page before, with the same filters"
            ),
            From = ReadTime(context, "from"),
            To = ReadTime(context, "to"),
        };

    private static DateTimeOffset? ReadTime(HttpContext context, string name) =>
        AdminRequest.ReadText(context, name, static text => TryReadTime(text, out _), "a time such as 2026-01-31T12:00:00Z (RFC 3339)")
            is { } text
        && TryReadTime(text, out var time)
            ? time
            : null;

    private static bool TryReadTime(string text, out DateTimeOffset time) =>
        DateTimeOffset.TryParseExact(
            text,
            ["yyyy-MM-dd'T'HH:mm:ssK", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK"],
            CultureInfo.InvariantCulture,
            DateTimeStyles.AssumeUniversal,
            out time
        )
        && time >= DateTimeOffset.UnixEpoch;

    private static bool IsText(string text) => text.Length is > 0 and <= MaxText;

    [GeneratedRegex(@"^[0-9]{16}\.[A-Za-z0-9_-]{1,32}\z", RegexOptions.CultureInvariant)]
    private static partial Regex IsCursor();
}
