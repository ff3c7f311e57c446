namespace Tenancy.Registry;

/// <summary>When a tenant is to be checked again.</summary>
internal static class RecheckInterval
{
    private const int TenantsAtBaseInterval = 1000;
    private static readonly TimeSpan HealthyBase = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan FirstRetry = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LastRetry = TimeSpan.FromMinutes(5);

    /// <summary>
    /// The interval of healthy tenants: 10 minutes up to 1,000 tenants, and in proportion with more, so that the load stays the same.
    /// </summary>
    public static TimeSpan Healthy(int tenants) => HealthyBase * Scale(tenants);

    /// <summary>
    /// The time to the first check of a tenant that is loaded as healthy or disabled: anywhere in the interval, so that the checks of all
    /// tenants do not come together.
    /// </summary>
    public static TimeSpan First(int tenants, double random) => Healthy(tenants) * random;

    /// <summary>
    /// The time to the next check: 5 seconds, doubled with each failure up to 5 minutes, for those that are pending or unverified. A
    /// disabled tenant is checked as seldom as a healthy one: what disabled it may be mended where nobody tells this server.
    /// </summary>
    /// <param name="health">The tenant's health.</param>
    /// <param name="failures">The checks that failed since the last one that did not.</param>
    /// <param name="tenants">The number of tenants.</param>
    /// <param name="random">A number from 0 to 1: intervals vary by a tenth, so that tenants do not check all at once.</param>
    public static TimeSpan Next(TenantHealth health, int failures, int tenants, double random)
    {
        var interval = health switch
        {
            TenantHealth.Healthy or TenantHealth.Disabled => Healthy(tenants),
            _ => Min(FirstRetry * Math.Pow(2, Math.Min(failures, 10)), LastRetry) * Scale(tenants),
        };
        return interval * (0.9 + (0.2 * random));
    }

    private static double Scale(int tenants) => Math.Max(1, (double)tenants / TenantsAtBaseInterval);

    private static TimeSpan Min(TimeSpan left, TimeSpan right) => left < right ? left : right;
}
