namespace Tenancy.Tests.Hosting;

/// <summary>Runs a theory on each store: the embedded one, a Redis and, where TENANCY_FULL=1 asks for it, a Redis Cluster.</summary>
internal sealed class StoreKinds : TheoryData<StoreKind>
{
    public StoreKinds()
    {
        Add(StoreKind.Embedded);
        Add(StoreKind.Redis);
        if (IsFull)
        {
            Add(StoreKind.Cluster);
        }
    }

    public static bool IsFull => Environment.GetEnvironmentVariable("TENANCY_FULL") is "1";
}
