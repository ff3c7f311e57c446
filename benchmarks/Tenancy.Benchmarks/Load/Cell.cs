using System.Collections.Immutable;
using Tenancy.Configuration;

namespace Tenancy.Benchmarks.Load;

/// <summary>A server that is measured, and what its callers show.</summary>
/// <param name="Id">The letters in tables.</param>
/// <param name="Summary">What it is.</param>
/// <param name="Tool">The tool that its callers call.</param>
/// <param name="Authentication">How tenants know their callers; null for a server without tenants.</param>
internal sealed record Cell(string Id, string Summary, LoadTool Tool, TenantAuthenticationKind? Authentication = null)
{
    /// <summary>Gets all cells, each near the one that it is compared with: in this order they are measured.</summary>
    public static ImmutableArray<Cell> All { get; } =
    [
        new("a", "bare MapMcp", LoadTool.Quote),
        new("a2", "the same, in a process of its own", LoadTool.Quote),
        new("b", "tenant resolution only", LoadTool.Quote, TenantAuthenticationKind.None),
        new("c", "bearer", LoadTool.Quote, TenantAuthenticationKind.Bearer),
        new("d", "JWT, repeat calls", LoadTool.Quote, TenantAuthenticationKind.Jwks),
        new("e", "bearer and rate limit", LoadTool.Quote, TenantAuthenticationKind.Bearer) { IsLimited = true },
        new("f", "as e, an idempotent write of a document", LoadTool.CreateMediaBuy, TenantAuthenticationKind.Bearer) { IsLimited = true },
        new("ag", "as a, in a session", LoadTool.Quote) { Reference = "ag", HasSession = true },
        new("g", "as e, in a session", LoadTool.Quote, TenantAuthenticationKind.Bearer)
        {
            Reference = "ag",
            IsLimited = true,
            HasSession = true,
        },
        new("l", "an endpoint without MCP that answers as h does", LoadTool.GetProducts) { Reference = "ah", IsEndpoint = true },
        new("ah", "bare MapMcp, the real job", LoadTool.GetProducts) { Reference = "ah" },
        new("hb", "the scaffold's get_products, bearer", LoadTool.GetProducts, TenantAuthenticationKind.Bearer) { Reference = "ah" },
        new("h", "as hb, with the rate limit: as shipped", LoadTool.GetProducts, TenantAuthenticationKind.Bearer)
        {
            Reference = "ah",
            IsLimited = true,
        },
        new("ahg", "as ah, in a session", LoadTool.GetProducts) { Reference = "ahg", HasSession = true },
        new("hg", "as h, in a session", LoadTool.GetProducts, TenantAuthenticationKind.Bearer)
        {
            Reference = "ahg",
            IsLimited = true,
            HasSession = true,
        },
    ];

    /// <summary>Gets the bare server, and the same again: how far one is from the other is noise.</summary>
    public static (Cell Once, Cell Again) Noise => (Of("a"), Of("a2"));

    /// <summary>Gets the cell that this one is compared with: its own id where it is itself what others are compared with.</summary>
    public string Reference { get; init; } = "a";

    /// <summary>Gets whether requests are counted, which is a round trip.</summary>
    public bool IsLimited { get; init; }

    /// <summary>Gets whether requests belong to a session.</summary>
    public bool HasSession { get; init; }

    /// <summary>Gets whether the server knows nothing of MCP.</summary>
    public bool IsEndpoint { get; init; }

    public bool IsReference => Reference == Id;

    public static Cell Of(string id) => All.First(cell => cell.Id == id);

    /// <summary>
    /// Whether there is such a request: 2026-07-28 has no sessions, and lists are compared only where both servers list the same one tool.
    /// </summary>
    public bool Has(Row row) => (Tool == LoadTool.Quote || row.IsCall) && (!HasSession || row.Generation == Row.Sessions);
}
