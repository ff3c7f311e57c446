namespace Tenancy.Adcp;

/// <summary>What buyers may name as an amount.</summary>
internal static class Amounts
{
    /// <summary>The most. A decimal holds the sum of billions of them, so that no sum of what was taken fails later.</summary>
    public const double Most = 1e15;
}
