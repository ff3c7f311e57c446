namespace Tenancy.Mcp;

/// <summary>
/// Keeps the handlers of a class to platforms of one type, where <see cref="IPlatformBuilder.AddHandlersFromAssembly"/> finds them. Without
/// it every platform of the assembly has them.
/// </summary>
/// <param name="platform">The platform's class, or an interface of several.</param>
[AttributeUsage(AttributeTargets.Class)]
public sealed class HandlersOfAttribute(Type platform) : Attribute
{
    /// <summary>Gets the platform's class, or an interface of several.</summary>
    public Type Platform { get; } = platform;
}
