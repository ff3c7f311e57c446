using System.Buffers.Text;
using System.Security.Cryptography;
using Tenancy.Configuration;

namespace Tenancy.State;

/// <summary>
/// What a call wrote and is not committed: for each document what it is to become, and what it must still be in the store. It knows no
/// store; <see cref="DocumentCommit"/> sends it.
/// </summary>
/// <remarks>A handler may write from several tasks at once.</remarks>
/// <param name="budget">What the documents may take up.</param>
internal sealed class DocumentWork(DocumentBudget budget)
{
    /// <summary>The most documents of one commit. While its script runs all tenants of the store wait: 128 take a millisecond.</summary>
    public const int MaxDocuments = 128;

    /// <summary>The most bytes of one commit. The embedded store's scripts have 16 MiB of memory for all copies of them,
    /// and of an answer of as many.</summary>
    public const int MaxBytes = 4 * 1024 * 1024;

    /// <summary>The most things that the node remembers and one call uses: its commit looks at each.</summary>
    public const int MaxRemembered = 1000;

    private const int NameBytes = 16;
    private readonly Lock _gate = new();
    private readonly OrderedDictionary<DocumentPlace, DocumentWrite> _writes = [];
    private readonly Dictionary<Remembered, Mark> _remembered = [];
    private long _bytes;
    private string? _name;
    private bool _isBeingSent;

    /// <summary>Work that goes on from what other work had collected.</summary>
    private DocumentWork(DocumentBudget budget, IEnumerable<DocumentWrite> writes)
        : this(budget)
    {
        foreach (var write in writes)
        {
            Put(write, before: null);
        }
    }

    public DocumentBudget Budget => budget;

    /// <summary>
    /// Gets whether an earlier try may have created what this one creates, so that a creation looks first. Elsewhere it needs no trip: only
    /// an operation itself makes its ids.
    /// </summary>
    public bool ReadsFirst { get; private set; }

    public bool IsEmpty
    {
        get
        {
            lock (_gate)
            {
                return _writes.Count == 0;
            }
        }
    }

    /// <summary>Gets whether there is something that nobody tried to commit.</summary>
    public bool IsForgotten
    {
        get
        {
            lock (_gate)
            {
                return _writes.Count > 0 && _name is null;
            }
        }
    }

    /// <summary>Gets whether something of it was committed before its end.</summary>
    public bool HasFlushed { get; private set; }

    public DocumentWrite? Find(DocumentPlace place)
    {
        lock (_gate)
        {
            return _writes.GetValueOrDefault(place);
        }
    }

    /// <summary>Whether something in a collection was written and is not committed.</summary>
    public bool HasWritten(string collection, string account)
    {
        lock (_gate)
        {
            return _writes.Keys.Any(place => place.Collection == collection && place.Account == account);
        }
    }

    /// <summary>What is new in a collection, in the order in which it was written.</summary>
    public DocumentWrite[] FindNew(string collection, IReadOnlyList<string> accounts)
    {
        lock (_gate)
        {
            return
            [
                .. _writes.Values.Where(write =>
                    write is { IsNew: true, Json: not null }
                    && write.Place.Collection == collection
                    && accounts.Contains(write.Place.Account)
                ),
            ];
        }
    }

    /// <summary>Adds a write.</summary>
    /// <param name="write">What the document is to become.</param>
    /// <param name="before">What was known of it when that was decided.</param>
    /// <exception cref="DocumentChangedException">Another task of the same call wrote it meanwhile.</exception>
    /// <exception cref="DocumentTooLargeException">It has more bytes than a document may have.</exception>
    /// <exception cref="CommitTooLargeException">There would be too much for one commit.</exception>
    public void Put(DocumentWrite write, DocumentWrite? before)
    {
        lock (_gate)
        {
            if (_isBeingSent)
            {
                throw new InvalidOperationException("The writes of this call are being committed: await FlushAsync before the next write.");
            }

            if (Length(write) > budget.Document)
            {
                throw DocumentTooLargeException.OfSize(write.Place.Collection, Length(write), budget.Document);
            }

            var current = _writes.GetValueOrDefault(write.Place);
            if (!ReferenceEquals(current, before))
            {
                throw new DocumentChangedException(write.Place.Collection);
            }

            var bytes = _bytes - Length(current) + Length(write);
            if ((current is null && _writes.Count == MaxDocuments) || (bytes > MaxBytes && bytes > _bytes))
            {
                throw new CommitTooLargeException();
            }

            if (write.IsNew && current is { Json: null })
            {
                // It was deleted and is created anew: it moves to the end of what was written.
                _writes.Remove(write.Place);
            }

            _writes[write.Place] = write;
            (_bytes, _name) = (bytes, null);
        }
    }

    /// <summary>Notes that the call used what the node remembers: the commit is refused where that has changed since.</summary>
    /// <param name="what">A document, or a list.</param>
    /// <param name="mark">The commit that wrote the document last, or the version of the account that the list is of.</param>
    /// <param name="isNew">Whether it was read from the store just now, so that what was known before does not count any more.</param>
    /// <exception cref="CommitTooLargeException">The call has used more than one commit can look at.</exception>
    public void Expect(Remembered what, string mark, bool isNew = false)
    {
        lock (_gate)
        {
            // Of two within one try the first counts: what was decided by it may be wrong by now.
            var isKnown = _remembered.TryGetValue(what, out var before);
            if (!isKnown && _remembered.Count == MaxRemembered)
            {
                throw CommitTooLargeException.OfRemembered();
            }

            if (isNew || !isKnown || before.MayBeReplaced)
            {
                _remembered[what] = new(mark, MayBeReplaced: false);
            }
        }
    }

    /// <summary>Begins to send. Until <see cref="EndSending"/> nothing more is written.</summary>
    /// <returns>The writes, and a name by which the store knows them when they are sent again.</returns>
    public Sending BeginSending()
    {
        lock (_gate)
        {
            if (_isBeingSent)
            {
                throw new InvalidOperationException("The writes of this call are being committed: await one FlushAsync before the next.");
            }

            _isBeingSent = true;
            var isAgain = _name is not null;
            _name ??= Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(NameBytes));
            return new(_name, [.. _writes.Values], [.. _remembered], isAgain);
        }
    }

    /// <summary>Ends what <see cref="BeginSending"/> began.</summary>
    /// <param name="isAnswered">
    /// Whether the store answered. What it refused is dropped, as is what it wrote: the handler decided it from documents that have
    /// changed.
    /// </param>
    /// <param name="isCommitted">Whether it was written.</param>
    /// <param name="versions">The accounts whose version it raised, with that.</param>
    public void EndSending(bool isAnswered, bool isCommitted, params ReadOnlySpan<(string Account, string Version)> versions)
    {
        lock (_gate)
        {
            _isBeingSent = false;
            if (isAnswered)
            {
                // A handler that repeats itself may create the same document again: it is then found here.
                ReadsFirst |= _writes.Count > 0;
                HasFlushed |= isCommitted && _writes.Count > 0;
                if (isCommitted)
                {
                    Renew(_name!, versions);
                }

                LetReplace();
                Clear();
            }
        }
    }

    /// <summary>Drops what is not committed.</summary>
    public void Discard()
    {
        lock (_gate)
        {
            Clear();
            _remembered.Clear();
        }
    }

    /// <summary>
    /// What there is now, to begin again from. What was flushed until now is not among it, and does not count: <see cref="HasFlushed"/>
    /// says then whether something of it was.
    /// </summary>
    public Start Copy()
    {
        lock (_gate)
        {
            HasFlushed = false;
            return new([.. _writes.Values], [.. _remembered]);
        }
    }

    /// <summary>The work of another try, after one of which something may be in the store.</summary>
    /// <param name="budget">What the documents may take up.</param>
    /// <param name="start">What it begins with. What was remembered then counts, unless it is read anew.</param>
    public static DocumentWork Again(DocumentBudget budget, Start start)
    {
        var again = new DocumentWork(budget, start.Writes) { ReadsFirst = true };
        foreach (var (what, mark) in start.Remembered)
        {
            again._remembered[what] = mark with { MayBeReplaced = true };
        }

        return again;
    }

    private static int Length(DocumentWrite? write) => write?.Json?.Length ?? 0;

    // What this commit wrote is its own now. All else may be read anew, and is to be as it was remembered until then.
    private void Renew(string name, ReadOnlySpan<(string Account, string Version)> versions)
    {
        foreach (var (what, mark) in _remembered.ToArray())
        {
            if (what.Place is { } place && _writes.TryGetValue(place, out var write))
            {
                _remembered[what] = mark with { Text = write.Json is null ? "" : name };
            }
        }

        foreach (var (account, version) in versions)
        {
            foreach (var what in _remembered.Keys.Where(what => what.Place is null && what.Account.Account == account).ToArray())
            {
                _remembered[what] = new(version, MayBeReplaced: true);
            }
        }
    }

    private void LetReplace()
    {
        foreach (var (what, mark) in _remembered.ToArray())
        {
            _remembered[what] = mark with { MayBeReplaced = true };
        }
    }

    private void Clear()
    {
        _writes.Clear();
        (_bytes, _name) = (0, null);
    }

    /// <param name="Name">What the store knows them by.</param>
    /// <param name="Writes">The writes, in their order.</param>
    /// <param name="Remembered">What the node remembered and the call used.</param>
    /// <param name="IsAgain">Whether they were sent before, and no answer came.</param>
    internal readonly record struct Sending(string Name, DocumentWrite[] Writes, KeyValuePair<Remembered, Mark>[] Remembered, bool IsAgain);

    /// <summary>What another try begins with.</summary>
    internal readonly record struct Start(DocumentWrite[] Writes, KeyValuePair<Remembered, Mark>[] Remembered)
    {
        /// <summary>Gets a beginning without anything.</summary>
        public static Start Empty => new([], []);
    }

    /// <summary>By what is told that something has changed.</summary>
    /// <param name="Text">The commit that wrote a document last, or the version of the account that a list is of.</param>
    /// <param name="MayBeReplaced">Whether it is of an earlier try, or of an earlier commit.</param>
    internal readonly record struct Mark(string Text, bool MayBeReplaced);
}

/// <summary>Something that a node remembers.</summary>
/// <param name="Account">The account that it lies in.</param>
/// <param name="Place">The document; null for a list of the account's documents.</param>
internal readonly record struct Remembered(RememberedAccount Account, DocumentPlace? Place = null);

/// <summary>What one document is to become.</summary>
/// <param name="Place">Where it lies.</param>
/// <param name="Expected">What it must be in the store at the commit.</param>
/// <param name="Json">The document; null where it is to be gone.</param>
/// <param name="Revision">Its revision.</param>
/// <param name="IsNew">Whether it is created, not replaced.</param>
/// <param name="OperationHash">The operation that creates it.</param>
/// <param name="Owner">The document that it belongs to, which must be there when it is created.</param>
internal sealed record DocumentWrite(
    DocumentPlace Place,
    DocumentExpectation Expected,
    byte[]? Json,
    long Revision = 0,
    bool IsNew = false,
    string OperationHash = "",
    DocumentPlace? Owner = null
);

/// <summary>What a document must be in the store for a commit to be let in.</summary>
/// <param name="Text">As the script reads it.</param>
internal readonly record struct DocumentExpectation(string Text)
{
    /// <summary>There must be none.</summary>
    public static DocumentExpectation Absent => new("");

    /// <summary>It must be as it was read, and no other one that was created under its id meanwhile.</summary>
    /// <param name="revision">Its revision.</param>
    /// <param name="indexPlace">Its place in the index; null where this call itself created it.</param>
    public static DocumentExpectation OfRevision(long revision, string? indexPlace) =>
        new(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"r{revision}{(indexPlace is null ? "" : " ")}{indexPlace}"));

    /// <summary>It must be there since it was created, whatever its revision.</summary>
    public static DocumentExpectation OfPlace(string place) => new("p" + place);

    /// <summary>Gets its place in the index, where that is expected with its revision.</summary>
    public string? IndexPlace => Text.IndexOf(' ', StringComparison.Ordinal) is var blank and > 0 ? Text[(blank + 1)..] : null;

    /// <summary>Gets whether this call created the document.</summary>
    public bool IsAbsent => Text.Length == 0;
}
