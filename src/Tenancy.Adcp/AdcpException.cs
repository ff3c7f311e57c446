using System.Text.Json.Nodes;

namespace Tenancy.Adcp;

/// <summary>A handler refuses a request. The buyer sees what is said here; nothing else leaves.</summary>
public sealed class AdcpException : Exception
{
    /// <summary>Initializes the refusal.</summary>
    /// <param name="error">The code.</param>
    /// <param name="message">What is wrong and how to mend it; the buyer reads it. Default: the code.</param>
    /// <param name="field">
    /// The path of what is wrong, such as <c>packages[0].product_id</c>. A JSON pointer (RFC 6901) is taken, too, and told as such a path.
    /// </param>
    /// <param name="retryAfter">
    /// The seconds after which a retry makes sense. AdCP has 1 to 3,600: less is told as 1, and more as 3,600.
    /// </param>
    public AdcpException(AdcpError error, string? message = null, string? field = null, int? retryAfter = null)
        : base(message ?? error?.Code)
    {
        ArgumentNullException.ThrowIfNull(error);
        Error = error;
        Field = field is null ? null : FieldPath.Of(field);
        RetryAfter = retryAfter is { } seconds ? Math.Clamp(seconds, 1, 3600) : null;
        Mistakes = [this];
    }

    /// <summary>Initializes a refusal for several mistakes, so that a buyer can mend all of them at once.</summary>
    /// <param name="mistakes">The mistakes, the most important one first: its code, message and field stand for all.</param>
    /// <exception cref="ArgumentException">There is none.</exception>
    public AdcpException(IEnumerable<AdcpException> mistakes)
        : this([.. (mistakes ?? throw new ArgumentNullException(nameof(mistakes))).SelectMany(mistake => mistake.Mistakes)]) { }

    private AdcpException(AdcpException[] mistakes)
        : base(mistakes is [var named, ..] ? named.Message : throw new ArgumentException("Name a mistake at least.", nameof(mistakes)))
    {
        (Error, Field, RetryAfter) = (mistakes[0].Error, mistakes[0].Field, mistakes[0].RetryAfter);
        (Suggestion, Details, Keyword) = (mistakes[0].Suggestion, mistakes[0].Details, mistakes[0].Keyword);
        Mistakes = mistakes;
    }

    /// <summary>Gets the code.</summary>
    public AdcpError Error { get; }

    /// <summary>Gets the path of what is wrong, such as <c>packages[0].product_id</c>.</summary>
    public string? Field { get; }

    /// <summary>Gets the seconds after which a retry makes sense, 1 to 3,600.</summary>
    public int? RetryAfter { get; }

    /// <summary>Gets what the buyer could do, in a sentence.</summary>
    public string? Suggestion { get; init; }

    /// <summary>
    /// Gets what AdCP asks for beside the message for some codes, such as <c>minimum_budget</c> and <c>currency</c> for
    /// <see cref="AdcpError.BudgetTooLow"/>.
    /// </summary>
    public JsonObject? Details { get; init; }

    /// <summary>Gets all mistakes: this one alone, or those that it was made of.</summary>
    public IReadOnlyList<AdcpException> Mistakes { get; }

    /// <summary>
    /// Gets the word of JSON Schema for a rule that is broken, such as <c>required</c> or <c>minimum</c>; null for another mistake.
    /// </summary>
    public string? Keyword { get; init; }
}
