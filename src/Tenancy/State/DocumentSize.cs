namespace Tenancy.State;

/// <summary>What a document counts for in its tenant's storage budget, in bytes.</summary>
internal static class DocumentSize
{
    // Keys, hashes and the index entry, about: so that many small documents are bounded too.
    private const int Overhead = 512;

    public static long Of(byte[] json) => json.Length + Overhead;
}
