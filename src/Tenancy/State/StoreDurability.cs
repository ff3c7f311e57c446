namespace Tenancy.State;

/// <summary>What of an acknowledged write outlives a failure of the store.</summary>
internal enum StoreDurability
{
    /// <summary>The store does not answer.</summary>
    Away,

    /// <summary>Nothing: the store forgets all when its process ends.</summary>
    MemoryOnly,

    /// <summary>A killed process: the store writes each change to its disk (<c>appendonly yes</c>).</summary>
    Durable,

    /// <summary>The loss of a machine, but for what was not replicated yet: the store is durable and has a replica.</summary>
    Replicated,
}

/// <summary>The words for it in answers.</summary>
internal static class StoreDurabilityWords
{
    public static string ToWord(this StoreDurability durability) =>
        durability switch
        {
            StoreDurability.MemoryOnly => "memory-only",
            StoreDurability.Durable => "durable",
            StoreDurability.Replicated => "replicated",
            _ => "away",
        };
}
