using Microsoft.Extensions.DependencyInjection.Extensions;
using Tenancy;
using Tenancy.Adcp;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds AdCP.</summary>
public static class AdcpTenancyBuilderExtensions
{
    /// <summary>Lets handlers be AdCP tools: methods with <see cref="AdcpToolAttribute"/>.</summary>
    public static ITenancyBuilder AddAdcp(this ITenancyBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.TryAddSingleton<AdcpSerializer>();
        builder.Services.TryAddSingleton<IdempotentCalls>();
        return builder;
    }
}
