using System.Globalization;
using System.Text;
using StackExchange.Redis;

namespace Tenancy.CommandLine.Migration;

/// <summary>What became of the keys: counted, and those that a person has to look at by name.</summary>
/// <param name="file">Where to write all of these; null for nowhere.</param>
internal sealed class MigrationReport(TextWriter? file)
{
    /// <summary>How many are named at the end.</summary>
    public const int MaxNamed = 100;

    private const int MaxNameLength = 1000;

    private readonly Dictionary<MigrationOutcome, long> _counts = [];

    /// <summary>Gets the first that a person has to look at.</summary>
    public List<string> Named { get; } = [];

    /// <summary>Gets how many there are of these.</summary>
    public long NamedCount { get; private set; }

    /// <summary>Gets how many keys were read.</summary>
    public long Read => _counts.Values.Sum();

    public long this[MigrationOutcome outcome] => _counts.GetValueOrDefault(outcome);

    /// <summary>Counts a key.</summary>
    public void Add(MigrationOutcome outcome) => _counts[outcome] = this[outcome] + 1;

    /// <summary>Counts a key, and names it.</summary>
    public void Add(MigrationOutcome outcome, RedisKey key, string reason)
    {
        Add(outcome);
        NamedCount++;
        var line = Show($"{Name(key)}: {outcome.ToString().ToLowerInvariant()}, {reason}");
        file?.WriteLine(line);
        if (Named.Count < MaxNamed)
        {
            Named.Add(line);
        }
    }

    // Latin 1 has a character for each byte: names of keys need not be texts.
    private static string Name(RedisKey key) =>
        Encoding.Latin1.GetString((byte[])key!) is { Length: > MaxNameLength } text
            ? text[..MaxNameLength] + "..."
            : Encoding.Latin1.GetString((byte[])key!);

    /// <summary>What a line shows: nothing that stands in a key or a record moves a terminal, or makes a line of its own.</summary>
    private static string Show(string text) =>
        string.Concat(text.Select(c => c is >= ' ' and < '\x7f' ? $"{c}" : string.Create(CultureInfo.InvariantCulture, $"\\x{(int)c:x2}")));
}

/// <summary>What becomes of a key of another deployment.</summary>
internal enum MigrationOutcome
{
    /// <summary>It became a tenant.</summary>
    Tenant,

    /// <summary>It became a client.</summary>
    Client,

    /// <summary>It was copied as it is.</summary>
    Copied,

    /// <summary>It was brought here before.</summary>
    There,

    /// <summary>It is a session, of which none can go on here.</summary>
    Session,

    /// <summary>It ended meanwhile.</summary>
    Gone,

    /// <summary>It is none that is brought here.</summary>
    Ignored,

    /// <summary>There is no tenant that it could come to.</summary>
    Homeless,

    /// <summary>Something else is in its place, and stays.</summary>
    Collided,

    /// <summary>It is not taken.</summary>
    Failed,
}
