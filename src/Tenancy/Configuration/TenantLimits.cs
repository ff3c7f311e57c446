namespace Tenancy.Configuration;

/// <summary>The quotas of one tenant.</summary>
/// <param name="MaxClients">The most OAuth clients that may be registered. Default: 100.</param>
/// <param name="MaxSessions">The most MCP sessions at a time. Default: 1,000.</param>
/// <param name="RateLimit">The requests per minute. Default: 1,000.</param>
public sealed record TenantLimits(int MaxClients = 100, int MaxSessions = 1000, int RateLimit = 1000);
