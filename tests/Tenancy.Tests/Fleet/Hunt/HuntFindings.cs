using System.Collections.Concurrent;

namespace Tenancy.Tests.Fleet.Hunt;

/// <summary>What a hunt counted, and the first of what it found of each kind.</summary>
internal sealed class HuntFindings
{
    private readonly ConcurrentDictionary<string, int> _kinds = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, int> _answers = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<string> _first = new();
    private long _operations;

    public const string Foreign = "foreign markers";
    public const string Double = "double executions";
    public const string Lost = "acknowledged writes lost";
    public const string Unseen = "changes not seen";
    public const string Stuck = "nodes stuck";
    public const string Odd = "answers that nothing explains";

    public long Operations => Volatile.Read(ref _operations);

    public IReadOnlyCollection<string> First => _first;

    public int Of(string kind) => _kinds.GetValueOrDefault(kind);

    public void Count(string operation, int status)
    {
        Interlocked.Increment(ref _operations);
        _answers.AddOrUpdate($"{operation} {status}", 1, static (_, count) => count + 1);
    }

    public void Find(string kind, string what)
    {
        if (_kinds.AddOrUpdate(kind, 1, static (_, count) => count + 1) <= 10)
        {
            _first.Enqueue($"{DateTimeOffset.UtcNow:HH:mm:ss.fff} {kind}: {what[..Math.Min(what.Length, 800)]}");
        }
    }

    public override string ToString() =>
        string.Join(
            '\n',
            [
                $"{Operations:N0} operations",
                .. new[] { Foreign, Double, Lost, Unseen, Stuck, Odd }.Select(kind => $"  {kind}: {Of(kind)}"),
                .. _first.Select(first => "  " + first),
                "  "
                    + string.Join(
                        ", ",
                        _answers.OrderBy(answer => answer.Key, StringComparer.Ordinal).Select(answer => $"{answer.Key}: {answer.Value}")
                    ),
            ]
        );
}
