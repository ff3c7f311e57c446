using System.Reflection;

namespace Tenancy.Mcp;

/// <summary>Makes a method of a handler class a tool. Derive from it for a kind of tool of your own.</summary>
[AttributeUsage(AttributeTargets.Method)]
public abstract class TenantToolAttribute : Attribute
{
    /// <summary>Builds the tool, once per platform.</summary>
    /// <param name="handlers">The class that has the method; an object of it is created for each call.</param>
    /// <param name="method">The method.</param>
    /// <param name="services">The application's services.</param>
    /// <returns>The tool; null where this server does not have it.</returns>
    /// <exception cref="InvalidOperationException">The method has not the form that the tool needs; the message says which.</exception>
    public abstract TenantTool? CreateTool(Type handlers, MethodInfo method, IServiceProvider services);
}
