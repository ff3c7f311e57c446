namespace Tenancy.Mcp;

/// <summary>
/// Asks for a scope (RFC 6749, section 3.3) of whoever calls a tool. Put it on the handler's method; with several, all are needed.
/// </summary>
/// <param name="scope">The scope, as tokens name it in <c>scope</c> or <c>scp</c>, and as the admin API gives it to a principal.</param>
/// <remarks>
/// Callers without it do not see the tool in <c>tools/list</c>, and calling it is 403 <c>insufficient_scope</c> (RFC 6750, section 3.1).
/// Where a tenant's authentication is <c>none</c>, nothing is asked.
/// </remarks>
[AttributeUsage(AttributeTargets.Method, AllowMultiple = true)]
public sealed class RequireScopeAttribute(string scope) : Attribute
{
    /// <summary>Gets the scope.</summary>
    public string Scope { get; } = scope;
}
