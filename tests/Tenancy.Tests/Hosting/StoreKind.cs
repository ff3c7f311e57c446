namespace Tenancy.Tests.Hosting;

/// <summary>The stores that the same tests run on.</summary>
public enum StoreKind
{
    Embedded,
    Redis,

    /// <summary>Three masters with a replica each; for tests of the store without a server around it.</summary>
    Cluster,
}
