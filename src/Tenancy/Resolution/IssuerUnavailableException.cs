namespace Tenancy.Resolution;

/// <summary>
/// No key of a tenant's issuer was ever loaded, or the issuer took them all back: nobody's token can be told good from bad.
/// </summary>
internal sealed class IssuerUnavailableException(string reason) : Exception(reason);
