namespace Tenancy.Benchmarks.Load;

/// <summary>What the command line asks for.</summary>
/// <param name="Plan">What is measured.</param>
/// <param name="File">Where the figures go for other programs; null where nobody wants them.</param>
/// <param name="Profiled">The cell whose costs are looked into; null where all of the plan is measured.</param>
internal sealed record LoadOptions(LoadPlan Plan, string? File, Cell? Profiled)
{
    private const string Usage =
        "Usage: benchmarks/load/run [--quick] [--cells LIST] [--json FILE], or benchmarks/load/run --profile CELL, or "
        + "benchmarks/load/run --flood";
    private static readonly string Known = string.Join(',', Cell.All.Select(cell => cell.Id));

    /// <exception cref="ArgumentException">There is an option that is not understood.</exception>
    public static LoadOptions Read(string[] options)
    {
        var (plan, cells, file, profiled) = (LoadPlan.Full, Array.Empty<Cell>(), (string?)null, (Cell?)null);
        for (var i = 0; i < options.Length; i++)
        {
            switch (options[i])
            {
                case "--quick":
                    plan = LoadPlan.Quick;
                    break;
                case "--cells":
                    cells = CellsOf(options.ElementAtOrDefault(++i))
                        ?? throw Mistake($"--cells needs some of {Known}, with commas between them.");
                    break;
                case "--profile":
                    profiled = CellsOf(options.ElementAtOrDefault(++i)) is [var only]
                        ? only
                        : throw Mistake($"--profile needs one of {Known}.");
                    break;
                case "--json":
                    file =
                        options.ElementAtOrDefault(++i) is { } path && Directory.Exists(Path.GetDirectoryName(Path.GetFullPath(path)))
                            ? path
                            : throw Mistake("--json needs a file in a folder that exists.");
                    break;
                default:
                    throw Mistake($"'{options[i]}' is not understood.");
            }
        }

        return profiled is null || options.Length == 2
            ? new(cells.Length > 0 ? plan.Only(cells) : plan, file, profiled)
            : throw Mistake("--profile goes with no other option.");
    }

    private static Cell[]? CellsOf(string? list)
    {
        var ids = list?.Split(',') ?? [];
        return ids.Length > 0 && ids.All(id => Cell.All.Any(cell => cell.Id == id)) ? [.. ids.Select(Cell.Of)] : null;
    }

    private static ArgumentException Mistake(string message) => new($"{message} {Usage}");
}
