namespace Tenancy.Registry;

/// <summary>The stable place of one tenant: it holds the model that requests see now. Null once the tenant is gone.</summary>
internal sealed class TenantState
{
    private volatile TenantModel? _model;

    public TenantModel? Model
    {
        get => _model;
        set => _model = value;
    }

    /// <summary>The version of the newest change that was applied, removals included; only the registry's writer touches it.</summary>
    public long AppliedVersion { get; set; }
}
