namespace Tenancy.Resolution;

/// <summary>
/// No key of a tenant's issuer was ever loaded, or the issuer took all of them back: whether a token is good cannot be told.
/// </summary>
internal sealed class IssuerUnavailableException(string reason) : Exception(reason);
