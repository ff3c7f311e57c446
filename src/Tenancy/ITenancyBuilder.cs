using Microsoft.Extensions.DependencyInjection;

namespace Tenancy;

/// <summary>Collects what a multi-tenant server has; <c>AddTenancy</c> returns it.</summary>
public interface ITenancyBuilder
{
    /// <summary>Gets the application's services.</summary>
    IServiceCollection Services { get; }
}

internal sealed class TenancyBuilder(IServiceCollection services) : ITenancyBuilder
{
    public IServiceCollection Services { get; } = services;
}
