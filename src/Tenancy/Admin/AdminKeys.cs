using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using Tenancy.Configuration;

namespace Tenancy.Admin;

/// <summary>
/// The keys of the admin API. They are compared as hashes and in constant time, so that an answer's time tells nothing of them.
/// </summary>
internal sealed class AdminKeys(IOptions<TenancyOptions> options)
{
    public const string HeaderName = "X-Admin-API-Key";

    private readonly byte[][] _hashes = [.. options.Value.Admin.Keys.Select(key => SHA256.HashData(Encoding.UTF8.GetBytes(key)))];

    public bool Any => _hashes.Length > 0;

    public bool Contains(HttpRequest request)
    {
        if (request.Headers[HeaderName] is not [{ Length: > 0 and <= 1024 } key])
        {
            return false;
        }

        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(key), hash);
        var found = false;
        foreach (var candidate in _hashes)
        {
            found |= CryptographicOperations.FixedTimeEquals(candidate, hash);
        }

        return found;
    }
}
