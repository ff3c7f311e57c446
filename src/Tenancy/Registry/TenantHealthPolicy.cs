using Tenancy.Validation;

namespace Tenancy.Registry;

/// <summary>What a validation makes of a tenant's health.</summary>
internal static class TenantHealthPolicy
{
    /// <summary>The least checks in a row with a doubtful result that disable a tenant that was healthy.</summary>
    public const int MaxDoubts = 5;

    /// <summary>The least time for which they have to go on.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);

    /// <summary>
    /// A success makes the tenant healthy, and a permanent failure disables it. A transient failure changes nothing for traffic: a tenant
    /// that is served goes on being served, and one that is not stays so. A doubtful failure is as a transient one for a tenant that is
    /// served, until it has gone on for long enough, and as a permanent one for any other.
    /// </summary>
    public static TenantCheck Next(TenantCheck before, TenantValidation validation, DateTimeOffset now)
    {
        var isServed = before.Health is TenantHealth.Healthy or TenantHealth.Unverified;
        var check = new TenantCheck(before.Health, Reason(validation), now);
        switch (validation)
        {
            case TenantValidation.Valid:
                return check with { Health = TenantHealth.Healthy };
            case TenantValidation.Doubtful when isServed:
                var (doubts, since) = (before.Doubts + 1, before.DoubtedSince ?? now);
                return doubts >= MaxDoubts && now - since >= Patience
                    ? check with
                    {
                        Health = TenantHealth.Disabled,
                    }
                    : check with
                    {
                        Health = TenantHealth.Unverified,
                        Doubts = doubts,
                        DoubtedSince = since,
                    };
            case TenantValidation.Doubtful or TenantValidation.Permanent:
                return check with { Health = TenantHealth.Disabled };
            default:
                // That nobody answered says nothing for or against the doubt that there was.
                return check with
                {
                    Health = isServed ? TenantHealth.Unverified : before.Health,
                    Doubts = before.Doubts,
                    DoubtedSince = before.DoubtedSince,
                };
        }
    }

    public static string? Reason(TenantValidation validation) =>
        validation switch
        {
            TenantValidation.Transient(var reason) => reason,
            TenantValidation.Doubtful(var reason) => reason,
            TenantValidation.Permanent(var reason) => reason,
            _ => null,
        };
}
