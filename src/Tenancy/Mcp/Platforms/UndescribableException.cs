namespace Tenancy.Mcp.Platforms;

/// <summary>A handler's method is one that clients cannot be told of, or that could never be called. It stops the start.</summary>
/// <param name="what">What is made of the method, such as <c>tool 'buy'</c>.</param>
/// <param name="why">Why, and what to do about it.</param>
/// <param name="inner">What was thrown; null where nothing was.</param>
internal sealed class UndescribableException(string what, string why, Exception? inner = null)
    : InvalidOperationException($"The {what} cannot be described: {why}", inner);
