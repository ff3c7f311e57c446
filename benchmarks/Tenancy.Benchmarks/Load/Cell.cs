using System.Collections.Immutable;
using Tenancy.Configuration;

namespace Tenancy.Benchmarks.Load;

/// <summary>A server that is measured, and what its callers show.</summary>
/// <param name="Id">The letter in tables.</param>
/// <param name="Summary">What it is.</param>
/// <param name="Authentication">How tenants know their callers; null for a server without tenants.</param>
internal sealed record Cell(string Id, string Summary, TenantAuthenticationKind? Authentication)
{
    public static ImmutableArray<Cell> All { get; } =
    [
        new("a", "bare MapMcp", null),
        new("a2", "the same, in a process of its own", null),
        new("b", "tenant resolution only", TenantAuthenticationKind.None),
        new("c", "bearer", TenantAuthenticationKind.Bearer),
        new("d", "JWT, repeat calls", TenantAuthenticationKind.Jwks),
        new("e", "bearer and rate limit", TenantAuthenticationKind.Bearer) { IsLimited = true },
        new("f", "as e, an idempotent write", TenantAuthenticationKind.Bearer) { IsLimited = true, IsWrite = true },
        new("g", "as e, in a session", TenantAuthenticationKind.Bearer) { IsLimited = true, HasSession = true },
    ];

    /// <summary>Whether requests are counted, which is a round trip.</summary>
    public bool IsLimited { get; init; }

    /// <summary>Whether calls are of a tool that changes something, once per key: two round trips more.</summary>
    public bool IsWrite { get; init; }

    /// <summary>Whether requests belong to a session.</summary>
    public bool HasSession { get; init; }

    public static Cell Of(string id) => All.First(cell => cell.Id == id);

    /// <summary>Whether there is such a request: nothing is written by a list, and 2026-07-28 has no sessions.</summary>
    public bool Has(Row row) => (!IsWrite || row.IsCall) && (!HasSession || row.Generation == Row.Sessions);
}
