using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Http;
using Tenancy.Configuration;
using Tenancy.Registry;
using Tenancy.State;

namespace Tenancy.Admin;

/// <summary>What tenants used, by day, tool and outcome, as JSON or CSV: of one tenant, and of all that are billed.</summary>
internal static class UsageEndpoints
{
    private const string NextCursorHeader = "X-Next-Cursor";
    private const int MaxPage = 1000;
    private const int DefaultPage = 100;
    private const int MaxAtOnce = 8;
    private const int MaxDays = 400;

    // A page of all tenants ends with the tenant at which it has so many rows: tenants times days times tools may be any number.
    private const int MaxRows = 20_000;

    public static void Map(AdminRoutes routes) => routes.Map(HttpMethods.Get, "{id}/usage", ReadAsync, "from", "to", "format");

    public static void MapAll(AdminRoutes routes) =>
        routes.Map(HttpMethods.Get, "", ReadAllAsync, "take", "cursor", "from", "to", "format");

    private static async Task<IResult> ReadAsync(
        string id,
        HttpContext context,
        TenantRegistry registry,
        UsageStore store,
        TimeProvider time
    )
    {
        var query = Query.Read(context, time);
        return await AdminEndpoints.FindAsync(registry, id, context.RequestAborted) is { } tenant
            ? Answer(
                context,
                query,
                Rows(tenant.Id.Value, await store.ReadAsync(tenant.Id, query.From, query.To), used => used.Generation == tenant.Generation),
                nextCursor: null
            )
            : AdminProblems.NotFound(id);
    }

    private static async Task<IResult> ReadAllAsync(HttpContext context, TenantRegistry registry, UsageStore store, TimeProvider time)
    {
        var query = Query.Read(context, time);
        var take = AdminRequest.ReadNumber(context, "take", DefaultPage, least: 1, MaxPage, "tenants");
        var cursor = AdminRequest.ReadText(context, "cursor", static text => TenantId.IsLabel(text), "the nextCursor of the page before");
        var deleted = await store.ListDeletedAsync(cursor, take + 1);
        var unregistered = await store.ListUnregisteredAsync(cursor, take + 1);
        var present = registry
            .List()
            .Select(tenant => tenant.Config.Id)
            .Where(id => cursor is null || string.CompareOrdinal(id, cursor) > 0)
            .Order(StringComparer.Ordinal)
            .Take(take + 1)
            .ToArray();
        string[] ids =
        [
            .. deleted.Concat(unregistered).Union(present, StringComparer.Ordinal).Order(StringComparer.Ordinal).Take(take + 1),
        ];
        var (page, rows, count) = (ids.Length > take ? ids[..take] : ids, new List<UsageAnswer>(), 0);
        foreach (var some in page.Chunk(MaxAtOnce))
        {
            foreach (var of in await Task.WhenAll(some.Select(id => ReadOfAsync(store, query, id, registry, deleted.Contains(id)))))
            {
                rows.AddRange(of);
                count++;
                if (rows.Count >= MaxRows)
                {
                    break;
                }
            }

            if (rows.Count >= MaxRows)
            {
                break;
            }
        }

        return Answer(context, query, rows, count < ids.Length ? page[count - 1] : null);
    }

    // An id may be that of several tenants, one after another: who has it now, and those that were deleted or unregistered before.
    private static async Task<List<UsageAnswer>> ReadOfAsync(
        UsageStore store,
        Query query,
        string id,
        TenantRegistry registry,
        bool isDeleted
    )
    {
        var tenant = TenantId.Parse(id);
        var kept = await store.ReadAsync(tenant, query.From, query.To);
        var deleted = isDeleted ? await store.ReadDeletedAsync(id, query.From, query.To) : [];

        // A purge that is under way has copied some days and not deleted them yet.
        var copied = deleted.Select(used => (used.Generation, used.Day)).ToHashSet();
        kept = [.. kept.Where(used => !copied.Contains((used.Generation, used.Day)))];
        var generation = registry.Get(tenant)?.Generation;
        return
        [
            .. Rows(id, [.. deleted, .. kept], used => used.Generation != generation, isDeleted: true),
            .. Rows(id, kept, used => used.Generation == generation),
        ];
    }

    private static List<UsageAnswer> Rows(
        string id,
        IReadOnlyList<UsageOfDay> days,
        Func<UsageOfDay, bool> belongs,
        bool isDeleted = false
    ) =>
        [
            .. days.Where(belongs)
                .SelectMany(used => used.Rows.Select(row => (used.Day, row)))
                // A deleted tenant's may come from several places: the purge, and nodes that counted a moment longer.
                .GroupBy(one => (one.Day, one.row.Tool, one.row.Outcome))
                .OrderBy(group => group.Key.Day)
                .ThenBy(group => group.Key.Tool, StringComparer.Ordinal)
                .ThenBy(group => group.Key.Outcome, StringComparer.Ordinal)
                .Select(group => new UsageAnswer(
                    id,
                    UsageDay.Read(group.Key.Day),
                    group.Key.Tool,
                    group.Key.Outcome,
                    group.Sum(one => one.row.Calls),
                    group.Sum(one => one.row.Micros) / 1e6,
                    group.Sum(one => one.row.Bytes),
                    group.Sum(one => one.row.Units),
                    isDeleted
                )),
        ];

    private static IResult Answer(HttpContext context, Query query, IReadOnlyList<UsageAnswer> rows, string? nextCursor)
    {
        if (!query.IsCsv)
        {
            return TypedResults.Json(new UsageList(query.From, query.To, rows, nextCursor), AdminJson.Wire.UsageList);
        }

        if (nextCursor is not null)
        {
            context.Response.Headers[NextCursorHeader] = nextCursor;
        }

        var csv = new StringBuilder("tenant,day,tool,outcome,calls,seconds,bytes,units,deleted\r\n");
        foreach (var row in rows)
        {
            csv.Append(CultureInfo.InvariantCulture, $"{row.Tenant},{row.Day:yyyy-MM-dd},{Quote(row.Tool)},{row.Outcome},");
            csv.Append(CultureInfo.InvariantCulture, $"{row.Calls},{row.Seconds:0.######},{row.Bytes},{row.Units},");
            csv.Append(row.Deleted ? "true\r\n" : "false\r\n");
        }

        return TypedResults.Text(csv.ToString(), "text/csv", Encoding.UTF8);
    }

    // RFC 4180, for the name of a tool that an application chose. A text that a spreadsheet would take for a formula begins with a quote.
    private static string Quote(string text)
    {
        var harmless = text.Length > 0 && "=+-@".Contains(text[0], StringComparison.Ordinal) ? "'" + text : text;
        return harmless.AsSpan().ContainsAny(",\"\r\n") ? $"\"{harmless.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : harmless;
    }

    private sealed record Query(DateOnly From, DateOnly To, bool IsCsv)
    {
        private const string Form = "a day of UTC such as 2026-01-31";

        public static Query Read(HttpContext context, TimeProvider time)
        {
            var today = DateOnly.FromDateTime(time.GetUtcNow().UtcDateTime);
            var to = ReadDay(context, "to") ?? today;
            var from = ReadDay(context, "from") ?? new DateOnly(to.Year, to.Month, 1);
            if (from > to || to.DayNumber - from.DayNumber >= MaxDays)
            {
                throw new TenantConfigException([
                    new("from", $"is {from:yyyy-MM-dd}: use a day up to {MaxDays} days before 'to', {to:yyyy-MM-dd}"),
                ]);
            }

            var format = AdminRequest.ReadText(context, "format", static text => text is "json" or "csv", "json or csv");
            return new(from, to, format == "csv");
        }

        private static DateOnly? ReadDay(HttpContext context, string name) =>
            AdminRequest.ReadText(context, name, static text => TryRead(text, out _), Form) is { } text && TryRead(text, out var day)
                ? day
                : null;

        private static bool TryRead(string text, out DateOnly day) =>
            DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out day);
    }
}

/// <summary>What tenants used.</summary>
/// <param name="From">The first day.</param>
/// <param name="To">The last day.</param>
/// <param name="Usage">What was used, by tenant, day, tool and outcome.</param>
/// <param name="NextCursor">What the next page is asked for with; null where there is none.</param>
internal sealed record UsageList(DateOnly From, DateOnly To, IReadOnlyList<UsageAnswer> Usage, string? NextCursor);

/// <summary>What the calls of one tool that ended alike took on one day.</summary>
/// <param name="Tenant">The tenant.</param>
/// <param name="Day">The day, in UTC.</param>
/// <param name="Tool">The tool.</param>
/// <param name="Outcome">How they ended.</param>
/// <param name="Calls">How many there were.</param>
/// <param name="Seconds">How long they took in all.</param>
/// <param name="Bytes">The bytes of their requests and answers.</param>
/// <param name="Units">What handlers added.</param>
/// <param name="Deleted">Whether the tenant was deleted or unregistered since.</param>
internal sealed record UsageAnswer(
    string Tenant,
    DateOnly Day,
    string Tool,
    string Outcome,
    long Calls,
    double Seconds,
    long Bytes,
    long Units,
    bool Deleted
);
