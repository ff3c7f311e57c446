using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Tenancy.Configuration;
using Tenancy.Diagnostics;
using Tenancy.Registry;

namespace Tenancy.State;

/// <summary>
/// Encrypts the secrets of tenants for the store, with ASP.NET Core Data Protection. What is encrypted for one tenant cannot be decrypted
/// for another.
/// </summary>
/// <remarks>
/// The key ring lies in the store and is this library's own: what an application protects with Data Protection by itself, and where it
/// keeps those keys, is not touched, and nodes in different folders share this one.
/// </remarks>
internal sealed class SecretProtector(
    RedisConnection redis,
    IEnumerable<SecretProtection> protections,
    ILoggerFactory loggers,
    ILogger<SecretProtector> logger,
    TimeProvider time
) : IDisposable
{
    private const string Application = "Tenancy";
    private const string Purpose = "Tenancy.TenantSecrets";

    /// <summary>How long a key that is missing is not looked for again.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private Task<KeyRing>? _ring;

    /// <exception cref="StoreUnavailableException">The key ring cannot be read or written.</exception>
    public async Task<string?> ProtectAsync(TenantId tenant, TenantSecrets? secrets)
    {
        if (secrets is null || secrets.Ciphertext is not null)
        {
            return secrets?.Ciphertext;
        }

        var text = JsonSerializer.Serialize(secrets.Values, SecretsJson.Default.IReadOnlyDictionaryStringString);
        var ring = await ReadyAsync().ConfigureAwait(false);
        return Run(() => ring.For(tenant).Protect(text));
    }

    /// <returns>The secrets; where no key fits, what stands for secrets that cannot be decrypted.</returns>
    /// <exception cref="StoreUnavailableException">The key ring cannot be read.</exception>
    public async Task<TenantSecrets?> UnprotectAsync(TenantId tenant, string? ciphertext)
    {
        if (ciphertext is null)
        {
            return null;
        }

        var ring = await ReadyAsync().ConfigureAwait(false);
        try
        {
            return Unprotect(ring, tenant, ciphertext);
        }
        catch (CryptographicException)
        {
            // Another node may have added a key: a ring that was read is not read again for a day.
            ring = await RenewAsync(ring).ConfigureAwait(false);
        }

        try
        {
            return Unprotect(ring, tenant, ciphertext);
        }
        catch (CryptographicException exception)
        {
            logger.SecretsUndecryptable(tenant.Value, exception);
            return TenantSecrets.FromCiphertext(ciphertext);
        }
    }

    public void Dispose()
    {
        if (_ring is { IsCompletedSuccessfully: true } ring)
        {
            ring.Result.Dispose();
        }
    }

    private static TenantSecrets Unprotect(KeyRing ring, TenantId tenant, string ciphertext) =>
        new(
            JsonSerializer.Deserialize(
                Run(() => ring.For(tenant).Unprotect(ciphertext)),
                SecretsJson.Default.IReadOnlyDictionaryStringString
            )!
        );

    private Task<KeyRing> ReadyAsync() => OpenUnless(static _ => true);

    // A ring that is younger than that may have been read before the other node wrote its key: it is worth another look, but not more than
    // one a second, whoever asks.
    private async Task<KeyRing> RenewAsync(KeyRing former)
    {
        if (Patience - time.GetElapsedTime(former.OpenedAt) is var rest && rest > TimeSpan.Zero)
        {
            await Task.Delay(rest, time).ConfigureAwait(false);
        }

        return await OpenUnless(ring => ring != former).ConfigureAwait(false);
    }

    // All who need it wait for one: Data Protection blocks a thread while it reads the ring.
    private Task<KeyRing> OpenUnless(Func<KeyRing, bool> isGood)
    {
        lock (_lock)
        {
            return _ring is null or { IsFaulted: true } || (_ring.IsCompletedSuccessfully && !isGood(_ring.Result))
                ? _ring = Task.Run(Open)
                : _ring;
        }
    }

    private KeyRing Open()
    {
        var ring = new KeyRing(redis, protections, loggers, time.GetTimestamp());
        Run(() => ring.For(TenantId.Parse("warm-up")).Protect(""));
        return ring;
    }

    // Whatever goes wrong comes out of Data Protection as a mistake of encryption, a store that is away, too.
    private static T Run<T>(Func<T> work)
    {
        try
        {
            return work();
        }
        catch (CryptographicException exception) when (exception.InnerException is StoreUnavailableException away)
        {
            throw new StoreUnavailableException(away);
        }
    }

    /// <summary>The keys as they were read at one time.</summary>
    private sealed class KeyRing : IDisposable
    {
        private readonly ServiceProvider _services;
        private readonly IDataProtectionProvider _provider;

        public KeyRing(RedisConnection redis, IEnumerable<SecretProtection> protections, ILoggerFactory loggers, long openedAt)
        {
            OpenedAt = openedAt;
            var services = new ServiceCollection();
            services.AddSingleton(loggers);
            services.AddLogging();
            var builder = services.AddDataProtection().SetApplicationName(Application);
            services.Configure<KeyManagementOptions>(options => options.XmlRepository = new SecretKeyStore(redis));
            foreach (var protection in protections)
            {
                protection.Configure(builder);
            }

            _services = services.BuildServiceProvider();
            _provider = _services.GetRequiredService<IDataProtectionProvider>();
        }

        public long OpenedAt { get; }

        public IDataProtector For(TenantId tenant) => _provider.CreateProtector(Purpose, tenant.Value);

        public void Dispose() => _services.Dispose();
    }
}

/// <summary>What an application says of the key ring, such as by which certificate its keys are encrypted.</summary>
internal sealed record SecretProtection(Action<IDataProtectionBuilder> Configure);

[JsonSerializable(typeof(IReadOnlyDictionary<string, string>))]
internal sealed partial class SecretsJson : JsonSerializerContext;
