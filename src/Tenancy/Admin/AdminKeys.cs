using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using Tenancy.Configuration;

namespace Tenancy.Admin;

/// <summary>
/// The keys of the admin API. They are compared as hashes and in constant time, so that an answer's time tells nothing of them.
/// </summary>
internal sealed class AdminKeys
{
    public const string HeaderName = "X-Admin-API-Key";

    private const int IdLength = 12;

    private readonly (byte[] Hash, AdminKey Key)[] _keys;

    public AdminKeys(IOptions<TenancyOptions> options)
    {
        var admin = options.Value.Admin;
        _keys =
        [
            .. admin.Keys.Select(key => Read(key, tenant: null, readsOnly: false)),
            .. admin.ReadKeys.Select(key => Read(key, tenant: null, readsOnly: true)),
            .. admin.TenantKeys.Select(entry => ReadBound(entry, readsOnly: false)),
            .. admin.TenantReadKeys.Select(entry => ReadBound(entry, readsOnly: true)),
        ];
    }

    public bool Any => _keys.Length > 0;

    /// <summary>Finds the key that a request carries; null where it has none, or none that is known.</summary>
    public AdminKey? Find(HttpRequest request)
    {
        if (request.Headers[HeaderName] is not [{ Length: > 0 and <= 1024 } key])
        {
            return null;
        }

        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(key), hash);
        AdminKey? found = null;
        foreach (var (known, candidate) in _keys)
        {
            found = CryptographicOperations.FixedTimeEquals(known, hash) ? candidate : found;
        }

        return found;
    }

    private static (byte[] Hash, AdminKey Key) ReadBound(string entry, bool readsOnly)
    {
        // The settings were checked when the server started.
        var at = entry.IndexOf(AdminOptions.TenantSeparator, StringComparison.Ordinal);
        return Read(entry[(at + 1)..], TenantId.Parse(entry[..at]), readsOnly);
    }

    private static (byte[] Hash, AdminKey Key) Read(string key, TenantId? tenant, bool readsOnly)
    {
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes(key));
        return (hash, new(Base64Url.EncodeToString(hash)[..IdLength], tenant, readsOnly));
    }
}

/// <summary>A key of the admin API, and what it may do.</summary>
/// <param name="Id">What it is called where it must not be told: the beginning of its hash.</param>
/// <param name="Tenant">The one tenant that it is for; null for all.</param>
/// <param name="ReadsOnly">Whether it changes nothing.</param>
internal sealed record AdminKey(string Id, TenantId? Tenant, bool ReadsOnly);
