using Xunit.v3;

namespace Tenancy.Tests.Hosting;

/// <summary>Says which tier a class of tests is of. The runner knows it as the trait <c>tier</c>.</summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class TierAttribute(Tier tier) : Attribute, ITraitAttribute
{
    public Tier Tier { get; } = tier;

    public IReadOnlyCollection<KeyValuePair<string, string>> GetTraits() => [new("tier", Tier.ToString().ToLowerInvariant())];
}
