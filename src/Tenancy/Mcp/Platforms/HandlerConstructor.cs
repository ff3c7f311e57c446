using System.Reflection;
using Microsoft.Extensions.DependencyInjection;

namespace Tenancy.Mcp.Platforms;

/// <summary>
/// Looks when the server starts whether the services are there that a handler class asks for in its constructor. None of them is made for
/// it.
/// </summary>
internal static class HandlerConstructor
{
    /// <exception cref="InvalidOperationException">Services are missing: each call of the class would fail.</exception>
    public static void Check(Type handlers, IServiceProvider services)
    {
        // Not every container can say what it has.
        if (services.GetService<IServiceProviderIsService>() is not { } known || Find(handlers) is not { } constructor)
        {
            return;
        }

        var missing = constructor.GetParameters().Where(parameter => !parameter.HasDefaultValue && !IsThere(parameter, known)).ToArray();
        if (missing.Length > 0)
        {
            throw new InvalidOperationException(
                $"The handlers {handlers.Name} ask in their constructor for {string.Join(" and ", missing.Select(Describe))}, and this "
                    + "application has no such service: add it, such as with "
                    + $"builder.Services.AddScoped<{missing[0].ParameterType.Name}>()."
            );
        }
    }

    // The one that ActivatorUtilities takes. Where there is none, or no telling which, it says so itself.
    private static ConstructorInfo? Find(Type handlers)
    {
        var constructors = handlers.GetConstructors();
        return constructors.FirstOrDefault(constructor => constructor.IsDefined(typeof(ActivatorUtilitiesConstructorAttribute)))
            ?? (constructors is [var only] ? only : null);
    }

    private static bool IsThere(ParameterInfo parameter, IServiceProviderIsService known) =>
        parameter.GetCustomAttribute<FromKeyedServicesAttribute>() is { } keyed
            ? known is not IServiceProviderIsKeyedService keys || keys.IsKeyedService(parameter.ParameterType, keyed.Key)
            : known.IsService(parameter.ParameterType);

    private static string Describe(ParameterInfo parameter) =>
        parameter.GetCustomAttribute<FromKeyedServicesAttribute>() is { } keyed
            ? $"'{parameter.ParameterType.Name}' with the key '{keyed.Key}'"
            : $"'{parameter.ParameterType.Name}'";
}
