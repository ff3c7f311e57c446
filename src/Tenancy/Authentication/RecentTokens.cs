using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Tenancy.Authentication;

/// <summary>Remembers what was found out about tokens, for a while and within bounds; the tokens themselves only as hashes.</summary>
/// <remarks>Two halves: when the newer one is full the older one goes, so that a flood costs no search for what to let go.</remarks>
internal sealed class RecentTokens<T>(int capacity, TimeProvider time)
{
    private readonly Lock _turn = new();
    private volatile ConcurrentDictionary<Key, Entry> _newer = new();
    private volatile ConcurrentDictionary<Key, Entry> _older = new();

    /// <summary>How many tokens are remembered.</summary>
    public int Count => _newer.Count + _older.Count;

    /// <param name="token">The token.</param>
    /// <param name="value">What was found out.</param>
    /// <param name="tenant">The tenant at which it was shown, where this remembers tokens of several.</param>
    public bool TryGet(ReadOnlySpan<char> token, out T? value, string tenant = "")
    {
        var key = Key.Of(tenant, token);
        if ((_newer.TryGetValue(key, out var entry) || _older.TryGetValue(key, out entry)) && time.GetUtcNow() < entry.Until)
        {
            value = entry.Value;
            return true;
        }

        value = default;
        return false;
    }

    public void Add(ReadOnlySpan<char> token, T value, DateTimeOffset until, string tenant = "")
    {
        lock (_turn)
        {
            if (_newer.Count >= capacity / 2)
            {
                _older = _newer;
                _newer = new();
            }

            _newer[Key.Of(tenant, token)] = new(value, until);
        }
    }

    private readonly record struct Entry(T Value, DateTimeOffset Until);

    /// <summary>A SHA-256 hash, as a value: looking a token up allocates nothing.</summary>
    private readonly record struct Key(string Tenant, UInt128 High, UInt128 Low)
    {
        public static Key Of(string tenant, ReadOnlySpan<char> token)
        {
            Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
            SHA256.HashData(MemoryMarshal.AsBytes(token), hash);
            return new(tenant, MemoryMarshal.Read<UInt128>(hash), MemoryMarshal.Read<UInt128>(hash[16..]));
        }
    }
}
