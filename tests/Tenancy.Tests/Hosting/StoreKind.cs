namespace Tenancy.Tests.Hosting;

/// <summary>The stores that the same tests run on.</summary>
public enum StoreKind
{
    Embedded,
    Redis,
}
