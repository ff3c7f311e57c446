using System.Text.Json.Nodes;

namespace Tenancy.Resolution;

/// <summary>
/// Says in the words of a protocol on top of MCP why a request was refused before any handler saw it: the <c>data</c> of the JSON-RPC
/// error. One service; without it there is none.
/// </summary>
public interface IRefusalData
{
    /// <summary>Describes a refusal.</summary>
    /// <param name="reason">Why.</param>
    /// <param name="message">The same in words, as the JSON-RPC error's <c>message</c> has them. They tell nothing of the tenant.</param>
    /// <param name="retryAfter">The seconds after which a retry makes sense; null where it makes none by itself.</param>
    JsonObject Describe(RefusalReason reason, string message, int? retryAfter);
}

/// <summary>Why a request was refused before any handler saw it, in a way that the caller can do something about.</summary>
public enum RefusalReason
{
    /// <summary>The tenant, its store or its identity provider is not available now.</summary>
    Unavailable,

    /// <summary>There are no credentials, and they are needed.</summary>
    NoCredentials,

    /// <summary>The credentials are not valid here.</summary>
    BadCredentials,

    /// <summary>The credentials lack a scope.</summary>
    ScopeMissing,

    /// <summary>The client that the token was issued to may not call the tenant.</summary>
    ClientNotListed,

    /// <summary>There were too many requests, or there are too many calls or sessions.</summary>
    TooMany,
}
