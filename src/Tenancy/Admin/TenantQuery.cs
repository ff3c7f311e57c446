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

    /// <summary>The parameters that a listing has.</summary>
    public static string[] Names { get; } = ["take", "cursor", "status", "health", "platform", "text"];

    private int Take { get; init; }

    private string? Cursor { get; init; }

    private TenantAdminStatus? Status { get; init; }

    private TenantHealth? Health { get; init; }

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
            Health = AdminRequest.ReadWord<TenantHealth>(context, "health"),
            Platform = AdminRequest.ReadText(context, "platform", platforms.Contains, string.Join(" or ", platforms)),
            Text = AdminRequest.ReadText(
                context,
                "text",
                static text => text.Length is > 0 and <= MaxText,
                $"1 to {MaxText} characters of an id, a name or a URL"
            ),
        };

    /// <summary>Gives the page.</summary>
    /// <param name="all">The tenants, in no order.</param>
    /// <param name="only">The one tenant that may be shown; null for all.</param>
    public (TenantStatus[] Tenants, int Count, string? NextCursor) Apply(IEnumerable<TenantStatus> all, TenantId? only)
    {
        var fitting = all.Where(tenant => (only is null || tenant.Config.Id == only.Value.Value) && Fits(tenant)).ToArray();
        var rest = fitting.Where(tenant => Cursor is null || string.CompareOrdinal(tenant.Config.Id, Cursor) > 0);

        // One more than fits says whether there is another page.
        TenantStatus[] page = [.. rest.OrderBy(tenant => tenant.Config.Id, StringComparer.Ordinal).Take(Take + 1)];
        return page.Length > Take ? (page[..Take], fitting.Length, page[Take - 1].Config.Id) : (page, fitting.Length, null);
    }

    private bool Fits(TenantStatus tenant) =>
        (Status is null || tenant.Config.Status == Status)
        && (Health is null || tenant.Health == Health)
        && (Platform is null || tenant.Config.Platform == Platform)
        && (Text is null || Has(tenant.Config.Id) || (tenant.Config.Name is { } name && Has(name)) || tenant.Config.Urls.Any(Has));

    private bool Has(string text) => text.Contains(Text!, StringComparison.OrdinalIgnoreCase);
}
