using System.Reflection;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Tenancy.Mcp;

namespace Tenancy.Adcp;

/// <summary>
/// Makes a method an AdCP tool: <c>Task&lt;TResponse&gt; Name(TRequest request, ToolContext context, CancellationToken
/// cancellationToken)</c>.
/// </summary>
/// <param name="name">The tool's name, such as <c>create_media_buy</c>.</param>
/// <remarks>
/// <para>The request is read and checked before the method runs, and the answer is put into AdCP's envelope after it.</para>
/// <para>To refuse, throw <see cref="AdcpException"/>. Anything else that is thrown becomes one fixed error, and a log entry with the
/// details.</para>
/// <para>A <see cref="System.ComponentModel.DescriptionAttribute"/> on the method is what a model reads of the tool.</para>
/// </remarks>
public sealed class AdcpToolAttribute(string name) : TenantToolAttribute
{
    /// <summary>Gets the tool's name.</summary>
    public string Name { get; } = name;

    /// <summary>Gets or sets how long a call of a tool that changes something may take, in seconds. Default: 60.</summary>
    /// <remarks>
    /// After it the handler's token is cancelled, and a retry with the same idempotency key runs again, under the same operation id.
    /// </remarks>
    public int TimeoutSeconds { get; set; } = 60;

    /// <summary>Gets or sets whether the tool is there in test mode only; see <see cref="AdcpOptions.TestMode"/>. Default: false.</summary>
    public bool TestModeOnly { get; set; }

    /// <summary>
    /// Gets or sets what the tool honours beside what its request type declares: paths of AdCP's members, such as
    /// <c>packages[].pacing</c>, each with all that is in it. Default: none.
    /// </summary>
    /// <remarks>
    /// A request that asks for something that AdCP knows, and that neither the type nor this list has, is refused with
    /// <c>UNSUPPORTED_FEATURE</c>: it would be dropped in silence otherwise. What is listed here is found in
    /// <see cref="AdcpObject.Extensions"/>.
    /// </remarks>
    public string[] Honours { get; set; } = [];

    /// <inheritdoc/>
    public override TenantTool? CreateTool(Type handlers, MethodInfo method, IServiceProvider services)
    {
        ArgumentNullException.ThrowIfNull(handlers);
        ArgumentNullException.ThrowIfNull(method);
        if (services.GetService<AdcpSerializer>() is null)
        {
            throw new InvalidOperationException($"{handlers.Name} has AdCP tools: call AddAdcp() on the builder that AddTenancy returns.");
        }

        if (TestModeOnly && services.GetRequiredService<IOptions<AdcpOptions>>().Value is not { TestMode: true })
        {
            return null;
        }

        if (TimeoutSeconds < 1)
        {
            throw new InvalidOperationException($"{handlers.Name}.{method.Name} has TimeoutSeconds = {TimeoutSeconds}: use 1 at least.");
        }

        var parameters = method.GetParameters().Select(parameter => parameter.ParameterType).ToArray();
        if (
            method.IsStatic
            || parameters is not [var request, var context, var token]
            || context != typeof(ToolContext)
            || token != typeof(CancellationToken)
            || !request.IsAssignableTo(typeof(AdcpRequest))
            || method.ReturnType is not { IsGenericType: true } task
            || task.GetGenericTypeDefinition() != typeof(Task<>)
            || !task.GenericTypeArguments[0].IsAssignableTo(typeof(AdcpResponse))
        )
        {
            throw new InvalidOperationException(
                $"{handlers.Name}.{method.Name} is no AdCP tool: write it as Task<TResponse> {method.Name}(TRequest request, "
                    + "ToolContext context, CancellationToken cancellationToken), with types that derive from AdcpRequest and "
                    + "AdcpResponse."
            );
        }

        var tool = typeof(AdcpTool<,>).MakeGenericType(request, task.GenericTypeArguments[0]);
        return (TenantTool)ActivatorUtilities.CreateInstance(services, tool, this, handlers, method);
    }
}
