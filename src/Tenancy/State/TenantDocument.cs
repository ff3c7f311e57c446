using System.Text.Json.Serialization;

namespace Tenancy.State;

/// <summary>A document that handlers keep. It lies under one tenant and one account; no other tenant or account can reach it.</summary>
public abstract record TenantDocument
{
    /// <summary>
    /// Gets the document's id: the caller's own, or made by the store from the call's operation when the document is created.
    /// </summary>
    public string Id { get; init; } = "";

    /// <summary>Gets how often the document was written; 1 when it is new.</summary>
    [JsonIgnore]
    public long Revision { get; init; }

    /// <summary>Gets where the document was read from; null for one that was not.</summary>
    [JsonIgnore]
    internal DocumentOrigin? Origin { get; init; }
}

/// <summary>Names the collection that a document's type is kept in, so that no handler writes it as a text.</summary>
/// <param name="collection">1 to 40 characters of a-z, 0-9 and <c>_</c>.</param>
[AttributeUsage(AttributeTargets.Class, Inherited = false)]
public sealed class DocumentAttribute(string collection) : Attribute
{
    /// <summary>Gets the collection's name.</summary>
    public string Collection { get; } = collection;

    /// <summary>Gets or sets what the ids of its documents begin with, such as <c>mb_</c>. Default: nothing.</summary>
    public string IdPrefix { get; set; } = "";
}
