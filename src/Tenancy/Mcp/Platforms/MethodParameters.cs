using System.ComponentModel;
using System.Reflection;
using System.Security.Claims;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;

namespace Tenancy.Mcp.Platforms;

/// <summary>
/// Where each parameter of a method that is a tool comes from: the message, the call, or its services. It is found out once, when the
/// platform is defined, by the rules of the MCP SDK.
/// </summary>
internal sealed class MethodParameters
{
    private static readonly NoProgress Nobody = new();
    private readonly (int Position, Func<Call, CancellationToken, object?> Get)[] _others;

    private MethodParameters((int Position, Func<Call, CancellationToken, object?> Get)[] others) => _others = others;

    /// <summary>Looks at a method.</summary>
    /// <returns>Null where the MCP SDK has to call it, because a parameter needs the SDK's server or is not understood here.</returns>
    public static MethodParameters? TryRead(MethodInfo method, MethodArguments arguments, IServiceProvider services)
    {
        List<(int, Func<Call, CancellationToken, object?>)> others = [];
        foreach (var parameter in method.GetParameters())
        {
            if (SourceOf(parameter, services.GetService<IServiceProviderIsService>()) is { } get)
            {
                others.Add((parameter.Position, get));
            }
#pragma warning disable MEAI001 // Who uses the experimental attribute is served by the SDK.
            else if (!arguments.Fill(parameter) || parameter.IsDefined(typeof(AIParameterNameAttribute)))
#pragma warning restore MEAI001
            {
                return null;
            }
        }

        return new([.. others]);
    }

    /// <summary>Adds what comes from the call to what came from the message.</summary>
    public void Fill(object?[] values, Call call, CancellationToken cancellationToken)
    {
        foreach (var (position, get) in _others)
        {
            values[position] = get(call, cancellationToken);
        }
    }

    private static Func<Call, CancellationToken, object?>? SourceOf(ParameterInfo parameter, IServiceProviderIsService? known)
    {
        var type = parameter.ParameterType;
        return type == typeof(McpServer) || type == typeof(RequestContext<CallToolRequestParams>) || type == typeof(IServiceProvider) ? null
            : type == typeof(CancellationToken) ? (_, cancellationToken) => cancellationToken
            : type == typeof(ToolContext) ? (call, _) => call.Context
            : type == typeof(ClaimsPrincipal) ? OrDefault(parameter, call => Authenticated(call.User))
            : type == typeof(IProgress<ProgressNotificationValue>) ? (_, _) => Nobody
            : known?.IsService(type) is true ? OrDefault(parameter, call => call.Services.GetService(type))
            : parameter.GetCustomAttribute<FromKeyedServicesAttribute>() is { } keyed
                ? OrDefault(parameter, call => Find(call, type, keyed))
            : null;
    }

    private static object? Find(Call call, Type type, FromKeyedServicesAttribute keyed) =>
        keyed.Key is null ? call.Services.GetService(type) : call.Services.GetKeyedService(type, keyed.Key);

    private static Func<Call, CancellationToken, object?> OrDefault(ParameterInfo parameter, Func<Call, object?> find) =>
        parameter.HasDefaultValue
            ? (call, _) => find(call)
            : (call, _) => find(call) ?? throw new ArgumentException("No service of the requested type was found.", parameter.Name);

    private static ClaimsPrincipal? Authenticated(ClaimsPrincipal? user) =>
        user?.Identities.Any(identity => identity.IsAuthenticated) is true ? user : null;

    /// <summary>Progress of a call that gave no token for it: a call with one goes the way of the MCP SDK.</summary>
    private sealed class NoProgress : IProgress<ProgressNotificationValue>
    {
        public void Report(ProgressNotificationValue value)
        {
            // Nobody asked to hear of it.
        }
    }
}
