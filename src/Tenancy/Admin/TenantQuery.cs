using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Tenancy.Configuration;
using Tenancy.Registry;

namespace Tenancy.Admin;

/// <summary>Which tenants a listing shows: a page of those that fit, by id.</summary>
internal sealed record TenantQuery
{
    private const int MaxPage = 1000;
    private const int DefaultPage = 100;
    private const int MaxText = 200;

    // The most tenants that one request looks through for a text: some milliseconds.
    private const int MaxLooked = 20_000;

    /// <summary>The parameters that a listing has.</summary>
    public static string[] Names { get; } = ["take", "cursor", "status", "health", "platform", "text"];

    private int Take { get; init; }

    private string? Cursor { get; init; }

    private TenantAdminStatus? Status { get; init; }

    private HealthFilter? Health { get; init; }

    private string? Platform { get; init; }

    private string? Text { get; init; }

    /// <summary>Reads the parameters.</summary>
    /// <exception cref="TenantConfigException">One of them has a value that it cannot have.</exception>
    public static TenantQuery Read(HttpContext context, IReadOnlyCollection<string> platforms) =>
        new()
        {
            Take = AdminRequest.ReadNumber(context, "take", DefaultPage, least: 1, MaxPage, "tenants"),
            Cursor = AdminRequest.ReadText(
                context,
                "cursor",
                static text => TenantId.IsLabel(text),
                "the nextCursor of the page before, with the same filters"
            ),
            Status = AdminRequest.ReadWord<TenantAdminStatus>(context, "status"),
            Health = AdminRequest.ReadWord<HealthFilter>(context, "health"),
            Platform = AdminRequest.ReadText(context, "platform", platforms.Contains, string.Join(" or ", platforms)),
            Text = AdminRequest.ReadText(
                context,
                "text",
                static text => text.Length is > 0 and <= MaxText,
                $"1 to {MaxText} characters of an id, a name or a URL"
            ),
        };

    /// <summary>Gives the page.</summary>
    /// <param name="registry">The tenants.</param>
    /// <param name="only">The one tenant that may be shown; null for all.</param>
    /// <returns>The tenants, how many fit in all where that is known, and where the list goes on.</returns>
    public (TenantStatus[] Tenants, int? Count, string? NextCursor) Apply(TenantRegistry registry, TenantId? only) =>
        only is { } one ? Single(registry.GetStatus(one))
        : Text is null ? registry.Page(IsIn, Cursor, Take)
        : Search(registry);

    private (TenantStatus[] Tenants, int? Count, string? NextCursor) Single(TenantStatus? own)
    {
        if (own is null || !IsIn(new(own.Health, own.Config.Status == TenantAdminStatus.Suspended, own.Config.Platform)) || !Has(own))
        {
            return ([], 0, null);
        }

        return (Cursor is null || string.CompareOrdinal(own.Config.Id, Cursor) > 0 ? [own] : [], 1, null);
    }

    // A text may be anywhere in an id, a name or a URL, so that tenants are looked at one by one: some of them in each request, which says
    // where the next one goes on.
    private (TenantStatus[] Tenants, int? Count, string? NextCursor) Search(TenantRegistry registry)
    {
        var found = new List<TenantStatus>();
        var cursor = Cursor;
        for (var looked = 0; looked < MaxLooked; looked += MaxPage)
        {
            var (page, _, next) = registry.Page(IsIn, cursor, MaxPage);
            foreach (var tenant in page.Where(Has))
            {
                if (found.Count == Take)
                {
                    return ([.. found], null, found[^1].Config.Id);
                }

                found.Add(tenant);
            }

            if (next is null)
            {
                return ([.. found], Cursor is null ? found.Count : null, null);
            }

            cursor = next;
        }

        return ([.. found], null, cursor);
    }

    private bool IsIn(TenantPlace place) =>
        (Status is null || place.IsSuspended == (Status == TenantAdminStatus.Suspended))
        && (Platform is null || place.Platform == Platform)
        && Health switch
        {
            null => true,
            HealthFilter.Broken => !place.IsSuspended && place.Health != TenantHealth.Healthy,
            { } wanted => wanted.ToString() == place.Health.ToString(),
        };

    private bool Has(TenantStatus tenant) =>
        Text is null || Has(tenant.Config.Id) || (tenant.Config.Name is { } name && Has(name)) || tenant.Config.Urls.Any(Has);

    private bool Has(string text) => text.Contains(Text!, StringComparison.OrdinalIgnoreCase);
}

/// <summary>The health of the tenants that a listing shows.</summary>
internal enum HealthFilter
{
    Pending,
    Healthy,
    Unverified,
    Disabled,

    /// <summary>Any but healthy, of a tenant that nobody suspended.</summary>
    Broken,
}
