using System.Text.Json.Nodes;

namespace Tenancy.Adcp;

/// <summary>Something in an answer that could not be done, while the rest was.</summary>
public sealed record ErrorEntry : AdcpObject
{
    /// <summary>Gets the code.</summary>
    public required string Code { get; init; }

    /// <summary>Gets what is wrong and how to mend it.</summary>
    public required string Message { get; init; }

    /// <summary>Gets what the buyer can do: <c>transient</c>, <c>correctable</c> or <c>terminal</c>.</summary>
    public string? Recovery { get; init; }

    /// <summary>Gets the path of what is wrong, such as <c>media_buy_ids[0]</c>.</summary>
    public string? Field { get; init; }

    /// <summary>Gets what the buyer could do, in a sentence.</summary>
    public string? Suggestion { get; init; }

    /// <summary>Gets what AdCP asks for beside the message for some codes.</summary>
    public JsonObject? Details { get; init; }

    /// <summary>Makes an entry of what would refuse a whole request.</summary>
    public static ErrorEntry Of(AdcpException mistake)
    {
        ArgumentNullException.ThrowIfNull(mistake);
        return new()
        {
            Code = mistake.Error.Code,
            Message = mistake.Message,
            Recovery = mistake.Error.Recovery,
            Field = mistake.Field,
            Suggestion = mistake.Suggestion,
            Details = mistake.Details,
        };
    }
}
