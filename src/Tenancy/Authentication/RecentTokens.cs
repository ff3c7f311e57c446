using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Tenancy.Authentication;

/// <summary>Remembers what was found out about tokens, for a while and within bounds; the tokens themselves only as hashes.</summary>
/// <remarks>There are two halves. When the newer one is full the older one is dropped, so that a flood costs no search for what to
/// drop.</remarks>
/// <param name="capacity">The most tokens.</param>
/// <param name="time">The clock.</param>
/// <param name="maxBytes">The most bytes that values may take up; by one value more.</param>
/// <param name="sizeOf">The bytes that a value takes up; null where all are small and of one size.</param>
internal sealed class RecentTokens<T>(int capacity, TimeProvider time, long maxBytes = long.MaxValue, Func<T, long>? sizeOf = null)
{
    private readonly Lock _turn = new();
    private long _newerBytes;
    private long _olderBytes;
    private volatile ConcurrentDictionary<Key, Entry> _newer = new();
    private volatile ConcurrentDictionary<Key, Entry> _older = new();

    /// <summary>How many tokens are remembered.</summary>
    public int Count => _newer.Count + _older.Count;

    /// <summary>How many bytes the values take up.</summary>
    public long Bytes => Volatile.Read(ref _newerBytes) + Volatile.Read(ref _olderBytes);

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
            if (_newer.Count >= capacity / 2 || _newerBytes >= maxBytes / 2)
            {
                Turn();
            }

            // A token that is there already counts twice until its half is dropped. The limit is then reached too early, never too late.
            _newer[Key.Of(tenant, token)] = new(value, until);
            Volatile.Write(ref _newerBytes, _newerBytes + (sizeOf?.Invoke(value) ?? 0));
        }
    }

    /// <summary>Lets the older half go, and makes the newer one the older.</summary>
    public void LetGo()
    {
        lock (_turn)
        {
            Turn();
        }
    }

    private void Turn()
    {
        (_older, _newer) = (_newer, new());
        Volatile.Write(ref _olderBytes, _newerBytes);
        Volatile.Write(ref _newerBytes, 0);
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
