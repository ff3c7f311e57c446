using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Tenancy.Configuration;

namespace Tenancy.State;

/// <summary>The keys of one tenant. The braces are a Redis Cluster hash tag: all of a tenant lies in one slot.</summary>
/// <remarks>What comes from outside enters a key as a SHA-256 hash, so that no text can reach beyond its place.</remarks>
internal sealed class TenantKeyspace(TenantId tenant)
{
    private readonly string _prefix = $"tenant:{{{tenant.Value}}}:";

    public StoreKey Principals => Key("principals");

    public StoreKey Sessions => Key("sessions");

    public StoreKey Documents => Key("documents");

    public StoreKey Principal(string tokenHash) => Key($"principal:{tokenHash}");

    public StoreKey Session(string sessionHash) => Key($"session:{sessionHash}");

    public StoreKey RateLimit(string policy, string subjectHash) => Key($"rate-limit:{policy}:{subjectHash}");

    /// <summary>The key of a document, from its place in the index: account, collection and the hash of its id.</summary>
    public StoreKey Document(DocumentPlace place) => Key($"data:{place.Account}:{place.Collection}:{place.IdHash}");

    /// <summary>The form in which a text from outside enters a key.</summary>
    public static string Hash(string value)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(value), hash);
        return Base64Url.EncodeToString(hash);
    }

    private StoreKey Key(string suffix) => new(_prefix + suffix);
}

/// <summary>Where a document lies within its tenant. Account and id are hashes; the collection is a name from the code.</summary>
internal readonly record struct DocumentPlace(string Account, string Collection, string IdHash);
