using System.Text.Json;
using Tenancy.Mcp;
using Tenancy.State;

namespace Tenancy.Adcp;

/// <summary>
/// An account as it is kept: among the documents of the caller that opened it (<see cref="ToolContext.CallerDocuments{T}"/>), under an id
/// that nobody can compute.
/// </summary>
[Document("accounts")]
public sealed record AccountDocument : TenantDocument
{
    /// <summary>The most accounts of a caller: a call that names none is for all of them, so that each is read.</summary>
    public const int MaxPerCaller = 1000;

    /// <summary>Gets the account; its id is that of the document.</summary>
    public required Account Account { get; init; }

    /// <summary>
    /// Gets where buyers want to be told of changes of it, by <c>push_notification_config</c>: each brand and operator that it stands for
    /// by itself. Nothing is sent yet.
    /// </summary>
    public IReadOnlyDictionary<string, JsonElement> Notify { get; init; } = new Dictionary<string, JsonElement>();
}
