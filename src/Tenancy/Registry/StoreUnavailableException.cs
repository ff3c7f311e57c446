namespace Tenancy.Registry;

/// <summary>The store cannot be reached, or did not answer in time. A change may or may not have happened: retry it as it was.</summary>
public sealed class StoreUnavailableException : Exception
{
    /// <summary>Says why the store cannot be had.</summary>
    public StoreUnavailableException(Exception inner)
        : base("The store is not available.", inner) { }
}
