using System.Text.Json.Serialization;
using Microsoft.Extensions.DependencyInjection;

namespace Tenancy.Mcp.Platforms;

/// <summary>
/// The services that parameters of handlers may ask for. To the container every <see cref="IEnumerable{T}"/> is one, if only an empty one:
/// here it is where what it would hold is one, and an argument elsewhere. See findings/mcp-csharp-sdk-sequence-parameter.sh.
/// </summary>
internal sealed class HandlerServices(IServiceProvider services) : IServiceProvider, IServiceProviderIsService
{
    private readonly IServiceProviderIsService? _known = services.GetService<IServiceProviderIsService>();

    public object? GetService(Type serviceType) =>
        serviceType == typeof(IServiceProviderIsService) ? this : services.GetService(serviceType);

    // Such as plug-ins of which there happens to be none.
    private static bool IsNoJson(Type type) =>
        (type.IsInterface || type.IsAbstract) && !type.IsDefined(typeof(JsonDerivedTypeAttribute), inherit: false);

    public bool IsService(Type serviceType) =>
        _known?.IsService(serviceType) is true
        && (
            !serviceType.IsGenericType
            || serviceType.GetGenericTypeDefinition() != typeof(IEnumerable<>)
            || _known.IsService(serviceType.GenericTypeArguments[0])
            || IsNoJson(serviceType.GenericTypeArguments[0])
        );
}
