namespace Tenancy.State;

/// <summary>A write named a generation of its tenant that has ended: nothing was written.</summary>
internal sealed class GenerationEndedException()
    : Exception(
        "The tenant was deleted, perhaps by another node, or the store has lost what it kept of it: nothing is written for it any more. "
            + "docs/operate.md says what to do."
    );
