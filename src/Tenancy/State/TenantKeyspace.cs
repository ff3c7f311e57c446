using System.Buffers.Binary;
using System.Buffers.Text;
using System.Security.Cryptography;
using StackExchange.Redis;
using Tenancy.Configuration;

namespace Tenancy.State;

/// <summary>The keys of one tenant. The braces are a Redis Cluster hash tag: all of a tenant lies in one slot.</summary>
/// <remarks>What comes from outside enters a key as a SHA-256 hash, so that no text can reach beyond its place.</remarks>
internal sealed class TenantKeyspace(TenantId tenant)
{
    public TenantId Tenant => tenant;

    private readonly string _prefix = $"tenant:{{{tenant.Value}}}:";

    /// <summary>
    /// The generation of the tenant: a number that registering makes and deleting raises. Whoever writes for the tenant names the
    /// generation that it began with, so that nothing is written for a tenant that was deleted meanwhile, or into the next tenant with this
    /// id.
    /// </summary>
    public StoreKey Generation => Key("generation");

    /// <summary>What names the registration that made the generation: numbers may come again where a failover has lost some.</summary>
    public StoreKey Life => Key("life");

    /// <summary>
    /// All that leads to what the tenant keeps, but its generation: where none of it is there, the tenant has nothing that does not go by
    /// itself.
    /// </summary>
    public StoreKey[] Indexes =>
        [
            Principals,
            Clients,
            Sessions,
            SessionCounts,
            SessionUses,
            Documents,
            DocumentIds,
            DocumentStorage,
            DocumentShares,
            DocumentVersions,
            DocumentTime,
            Idempotencies,
            IdempotencyCallers,
            IdempotencySizes,
            Secret,
            Audit,
            UsageDays,
            Traffic,
            Migrated,
        ];

    public StoreKey Principals => Key("principals");

    public StoreKey Clients => Key("clients");

    public StoreKey Sessions => Key("sessions");

    /// <summary>How many sessions there are, in all and by caller.</summary>
    public StoreKey SessionCounts => Key("session-counts");

    /// <summary>When each session was used last; in the future for those that have a stream.</summary>
    public StoreKey SessionUses => Key("session-uses");

    public StoreKey Documents => Key("documents");

    /// <summary>The same documents by their ids: which accounts have one of an id.</summary>
    public StoreKey DocumentIds => Key("document-ids");

    /// <summary>What the documents take up, in bytes.</summary>
    public StoreKey DocumentStorage => Key("document-storage");

    /// <summary>What the documents that each caller created take up, in bytes.</summary>
    public StoreKey DocumentShares => Key("document-shares");

    /// <summary>When the documents of each account changed last, of accounts that some node remembers documents of.</summary>
    public StoreKey DocumentVersions => Key("document-versions");

    /// <summary>The time of the last document, in us: later ones are listed after it, whatever the clock of the store says.</summary>
    public StoreKey DocumentTime => Key("document-time");

    public StoreKey Idempotencies => Key("idempotencies");

    /// <summary>The callers that have idempotency keys of their own, by when the last of these go.</summary>
    public StoreKey IdempotencyCallers => Key("idempotency-callers");

    /// <summary>What the answers to idempotency keys take up, in bytes, by when they go.</summary>
    public StoreKey IdempotencySizes => Key("idempotency-sizes");

    /// <summary>A secret of the tenant, which its servers alone know: the ids of its operations are made with it.</summary>
    public StoreKey Secret => Key("secret");

    /// <summary>Entries of the audit that are yet to be brought to those of all tenants.</summary>
    public StoreKey Audit => Key("audit");

    /// <summary>The days of which there is usage, each as <c>generation:yyyymmdd</c>.</summary>
    public StoreKey UsageDays => Key("usage-days");

    /// <summary>What a generation of the tenant used on a day of UTC, as <c>generation:yyyymmdd</c>.</summary>
    public StoreKey Usage(string day) => new($"{_prefix}usage:{day}");

    /// <summary>How often it was called lately, by quarters of an hour.</summary>
    public StoreKey Traffic => Key("traffic");

    /// <summary>The names of the keys that were brought from another deployment, with a checksum of what each had there.</summary>
    public StoreKey Migrated => Key("migrated");

    /// <summary>
    /// A key that was brought from another deployment, under the name that it has there, so that people find it. As the last part of the
    /// key a name reaches nothing else, whatever it is.
    /// </summary>
    public StoreKey MigratedKey(RedisKey name) => new(Migrated.Value.Append(":").Append(name));

    public StoreKey Principal(string tokenHash) => new($"{_prefix}principal:{tokenHash}");

    /// <summary>An OAuth client, from the hash of its issuer and its id.</summary>
    public StoreKey Client(string clientHash) => new($"{_prefix}client:{clientHash}");

    public StoreKey Session(string sessionHash) => new($"{_prefix}session:{sessionHash}");

    /// <summary>A record of an idempotency key, from the hash of its scope and the key.</summary>
    public StoreKey Idempotency(string recordHash) => new($"{_prefix}idempotency:{recordHash}");

    /// <summary>The idempotency keys of one caller, from the hash of its identity.</summary>
    public StoreKey CallerIdempotencies(string callerHash) => new($"{_prefix}idempotencies-of:{callerHash}");

    /// <summary>What the answers to the idempotency keys of one caller take up.</summary>
    public StoreKey CallerIdempotencySizes(string callerHash) => new($"{_prefix}idempotency-sizes-of:{callerHash}");

    public StoreKey RateLimit(string policy, string subjectHash) => new($"{_prefix}rate-limit:{policy}:{subjectHash}");

    /// <summary>The key of a document, from its place in the index: account, collection and the hash of its id.</summary>
    public StoreKey Document(DocumentPlace place) => new($"{_prefix}data:{place.Account}:{place.Collection}:{place.IdHash}");

    /// <summary>The length of a hash: 32 bytes in base64url.</summary>
    public const int HashLength = 43;

    /// <summary>The form in which a text from outside enters a key.</summary>
    public static string Hash(string value) => Base64Url.EncodeToString(SHA256.HashData(StoreText.Encode(value)));

    /// <summary>The same of a text of one kind, which a first byte tells apart from all texts without one.</summary>
    public static string Hash(byte kind, string value) => Base64Url.EncodeToString(SHA256.HashData([kind, .. StoreText.Encode(value)]));

    /// <summary>The form in which several texts enter a key together. "ab" and "c" make another one than "a" and "bc".</summary>
    public static string Hash(string first, string? second, params ReadOnlySpan<string?> rest) =>
        Base64Url.EncodeToString(SHA256.HashData(Frame([first, second, .. rest])));

    /// <summary>
    /// Joins texts so that different texts never give the same bytes: each has its length before it, and null has the length -1.
    /// </summary>
    public static ReadOnlySpan<byte> Frame(params ReadOnlySpan<string?> texts)
    {
        var size = 0;
        foreach (var text in texts)
        {
            size += sizeof(int) + (text is null ? 0 : StoreText.GetMaxCount(text));
        }

        Span<byte> frame = new byte[size];
        var end = 0;
        foreach (var text in texts)
        {
            var length = text is null ? -1 : StoreText.Encode(text, frame[(end + sizeof(int))..]);
            BinaryPrimitives.WriteInt32BigEndian(frame[end..], length);
            end += sizeof(int) + Math.Max(0, length);
        }

        return frame[..end];
    }

    private StoreKey Key(string suffix) => new(_prefix + suffix);
}

/// <summary>Where a document lies within its tenant. Account and id are hashes; the collection is a name from the code.</summary>
internal readonly record struct DocumentPlace(string Account, string Collection, string IdHash);
