using System.Buffers.Text;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using Tenancy.Configuration;
using Tenancy.Fleet;

namespace Tenancy.Benchmarks.Load;

/// <summary>The tenants of a server, and who calls them.</summary>
internal sealed class LoadTenants(Cell cell, int count, string issuer) : ITenantSource
{
    public const string BaseDomain = "load.test";

    // As many for one tenant as for many: more callers cost more, and what is compared is the number of tenants.
    private const int Callers = 64;

    // More than any machine makes: what is measured is the counting, not the refusal.
    private static readonly TenantLimits Limits = new(
        RateLimit: 60_000_000,
        MaxIdempotencyRecords: 100_000_000,
        MaxIdempotencyBytes: 1L << 40,
        MaxDocumentBytes: 1L << 40
    );

    /// <summary>The callers, each with its tenant: spread over all, as far apart as they get.</summary>
    public static IEnumerable<(int Number, string Tenant)> Called(int count)
    {
        var called = Math.Min(count, Callers);
        return Enumerable.Range(0, Callers).Select(number => (number + 1, Id((int)((long)(number % called) * count / called))));
    }

    /// <summary>The bearer token of a caller.</summary>
    public static string Token(int caller, string tenant) =>
        $"{tenant}.{Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes($"{caller} {tenant}")))}";

    /// <summary>What a JSON Web Token for the tenant names as its audience (RFC 8707).</summary>
    public static string Audience(string tenant) => $"https://{tenant}.{BaseDomain}/mcp";

    public async IAsyncEnumerable<TenantRegistration> LoadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var callers =
            cell.Authentication == TenantAuthenticationKind.Bearer
                ? Called(count).ToLookup(caller => caller.Tenant, caller => caller.Number)
                : null;
        for (var number = 0; number < count; number++)
        {
            var id = Id(number);
            yield return new()
            {
                Tenant = new()
                {
                    Id = id,
                    Limits = Limits,
                    Authentication = Authentication(),
                },
                Principals = callers is null
                    ? []
                    : [.. callers[id].Select(caller => new PrincipalRegistration { Name = $"buyer-{caller}", Token = Token(caller, id) })],
            };
        }
    }

    public Task WaitForChangeAsync(CancellationToken cancellationToken) => Task.Delay(Timeout.Infinite, cancellationToken);

    private static string Id(int number) => string.Create(CultureInfo.InvariantCulture, $"tenant-{number:000000}");

    private TenantAuthentication Authentication() =>
        cell.Authentication == TenantAuthenticationKind.Jwks
            ? new()
            {
                Kind = TenantAuthenticationKind.Jwks,
                Issuer = issuer,
                JwksUri = issuer + LoadIssuer.KeysPath,
            }
            : new() { Kind = cell.Authentication!.Value };
}
