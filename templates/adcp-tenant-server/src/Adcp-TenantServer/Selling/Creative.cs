using System.Text.Json;
using System.Text.Json.Nodes;
using Tenancy.Adcp;
using Tenancy.State;

namespace Adcp_TenantServer.Selling;

/// <summary>A creative as it is kept, under the buyer's own id.</summary>
[Document("creatives")]
public sealed record Creative : TenantDocument
{
    public required CreativeAsset Asset { get; init; }

    public required CreativeStatus Status { get; init; }

    /// <summary>Why it was rejected; null where it was not.</summary>
    public Rejection? Rejection { get; init; }

    /// <summary>Where the buyer wants to be told of changes. Nothing is sent yet.</summary>
    public JsonElement? Notify { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset UpdatedAt { get; init; }

    public CreativeSummary ToSummary() =>
        new()
        {
            CreativeId = Id,
            Name = Asset.Name,
            FormatId = Asset.FormatId,
            Status = Status,
            CreatedDate = CreatedAt,
            UpdatedDate = UpdatedAt,
            Tags = Asset.Tags,
        };

    public bool Fits(CreativeFilters? filters) =>
        filters?.CreativeIds?.Contains(Id) is not false
        && (filters?.Statuses?.Contains(Status) ?? Status != CreativeStatus.Archived)
        && (filters?.NameContains is not { } text || Asset.Name.Contains(text, StringComparison.OrdinalIgnoreCase))
        && filters?.Tags?.All(HasTag) is not false
        && filters?.TagsAny?.Any(HasTag) is not false
        && filters?.FormatIds?.Any(Asset.FormatId.IsSameAs) is not false
        && !(CreatedAt <= filters?.CreatedAfter)
        && !(CreatedAt >= filters?.CreatedBefore)
        && !(UpdatedAt <= filters?.UpdatedAfter)
        && !(UpdatedAt >= filters?.UpdatedBefore)
        // Creatives of the sample belong to no concepts, and are the same for whoever sees them.
        && filters?.HasVariables is not true
        && filters?.ConceptIds is null;

    private bool HasTag(string tag) => Asset.Tags?.Contains(tag) is true;

    /// <summary>What may become of a creative: a reviewed one is not processed again, and one that was put away can come back.</summary>
    public bool CanBecome(CreativeStatus next) =>
        (Status, next) switch
        {
            (CreativeStatus.Processing, CreativeStatus.PendingReview or CreativeStatus.Rejected) => true,
            (CreativeStatus.PendingReview, CreativeStatus.Approved or CreativeStatus.Rejected) => true,
            (CreativeStatus.Approved, CreativeStatus.PendingReview or CreativeStatus.Archived or CreativeStatus.Rejected) => true,
            (CreativeStatus.Rejected, CreativeStatus.Processing or CreativeStatus.PendingReview) => true,
            (CreativeStatus.Archived, CreativeStatus.Approved) => true,
            _ => Status == next,
        };
}

/// <summary>Why a creative was rejected: AdCP's details of <c>CREATIVE_REJECTED</c>.</summary>
/// <param name="Reasons">What is wrong with it.</param>
/// <param name="PolicyId">The policy that it breaks.</param>
/// <param name="PolicyUrl">Where that can be read.</param>
public sealed record Rejection(IReadOnlyList<string> Reasons, string? PolicyId = null, string? PolicyUrl = null)
{
    public JsonObject ToDetails()
    {
        var details = new JsonObject { ["reasons"] = new JsonArray([.. Reasons.Select(reason => JsonValue.Create(reason))]) };
        foreach (var (name, value) in new[] { ("policy_id", PolicyId), ("policy_url", PolicyUrl) })
        {
            if (value is not null)
            {
                details[name] = value;
            }
        }

        return details;
    }
}
