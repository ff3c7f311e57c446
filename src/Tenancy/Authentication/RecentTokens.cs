using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;

namespace Tenancy.Authentication;

/// <summary>Remembers what was found out about tokens, for a while and within bounds; the tokens themselves only as hashes.</summary>
/// <remarks>Two halves: when the newer one is full the older one goes, so that a flood costs no search for what to let go.</remarks>
internal sealed class RecentTokens<T>(int capacity, TimeProvider time)
{
    private readonly Lock _turn = new();
    private volatile ConcurrentDictionary<string, Entry> _newer = new(StringComparer.Ordinal);
    private volatile ConcurrentDictionary<string, Entry> _older = new(StringComparer.Ordinal);

    /// <summary>How many tokens are remembered.</summary>
    public int Count => _newer.Count + _older.Count;

    public bool TryGet(string token, out T? value)
    {
        var hash = Hash(token);
        if ((_newer.TryGetValue(hash, out var entry) || _older.TryGetValue(hash, out entry)) && time.GetUtcNow() < entry.Until)
        {
            value = entry.Value;
            return true;
        }

        value = default;
        return false;
    }

    public void Add(string token, T value, DateTimeOffset until)
    {
        lock (_turn)
        {
            if (_newer.Count >= capacity / 2)
            {
                _older = _newer;
                _newer = new(StringComparer.Ordinal);
            }

            _newer[Hash(token)] = new(value, until);
        }
    }

    private static string Hash(string token)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(token), hash);
        return Convert.ToBase64String(hash);
    }

    private readonly record struct Entry(T Value, DateTimeOffset Until);
}
