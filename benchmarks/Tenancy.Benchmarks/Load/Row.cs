using ModelContextProtocol.Protocol;

namespace Tenancy.Benchmarks.Load;

/// <summary>A kind of request, the same for all cells.</summary>
/// <param name="Generation">The protocol revision.</param>
/// <param name="Method">The method.</param>
/// <param name="Reply">
/// The form of the answer that the client asks for. A bare server has event streams only, and is asked for one in any case.
/// </param>
internal sealed record Row(string Generation, string Method, string Reply)
{
    /// <summary>The last revision with <c>initialize</c> and sessions.</summary>
    public const string Sessions = "2025-11-25";

    /// <summary>The first without.</summary>
    public const string Stateless = "2026-07-28";

    public const string EventStream = "sse";
    public const string Json = "json";

    public static IReadOnlyList<Row> All { get; } =
    [
        .. from generation in (string[])[Sessions, Stateless]
        from method in (string[])[RequestMethods.ToolsCall, RequestMethods.ToolsList]
        from reply in (string[])[EventStream, Json]
        select new Row(generation, method, reply),
    ];

    /// <summary>Both generations, both methods and both forms, but not each with each.</summary>
    public static IReadOnlyList<Row> Few { get; } =
    [
        new(Sessions, RequestMethods.ToolsCall, EventStream),
        new(Stateless, RequestMethods.ToolsCall, EventStream),
        new(Stateless, RequestMethods.ToolsCall, Json),
        new(Stateless, RequestMethods.ToolsList, EventStream),
    ];

    public bool IsCall => Method == RequestMethods.ToolsCall;
}
