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
    public (TenantStatus[] Tenants, int Count, string? NextCursor) Apply(TenantRegistry registry, TenantId? only) =>
        only is { } one ? Search(registry.GetStatus(one) is { } own ? [own] : [])
        : Platform is null && Text is null ? registry.Page(IsIn, Cursor, Take)
        : Search(registry.List());

    // What a platform's name or a text is in is known only of those that were looked at.
    private (TenantStatus[] Tenants, int Count, string? NextCursor) Search(IEnumerable<TenantStatus> all)
    {
        var fitting = all.Where(Fits).ToArray();
        var rest = fitting.Where(tenant => Cursor is null || string.CompareOrdinal(tenant.Config.Id, Cursor) > 0);

        // One more than fits says whether there is another page.
        TenantStatus[] page = [.. rest.OrderBy(tenant => tenant.Config.Id, StringComparer.Ordinal).Take(Take + 1)];
        return page.Length > Take ? (page[..Take], fitting.Length, page[Take - 1].Config.Id) : (page, fitting.Length, null);
    }

    private bool IsIn(TenantHealth health, bool isSuspended) =>
        (Status is null || isSuspended == (Status == TenantAdminStatus.Suspended))
        && Health switch
        {
            null => true,
            HealthFilter.Broken => !isSuspended && health != TenantHealth.Healthy,
            { } wanted => wanted.ToString() == health.ToString(),
        };

    private bool Fits(TenantStatus tenant) =>
        IsIn(tenant.Health, tenant.Config.Status == TenantAdminStatus.Suspended)
        && (Platform is null || tenant.Config.Platform == Platform)
        && (Text is null || Has(tenant.Config.Id) || (tenant.Config.Name is { } name && Has(name)) || tenant.Config.Urls.Any(Has));

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
