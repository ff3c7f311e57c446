namespace Tenancy.Adcp;

/// <summary>A handler refuses a request. The buyer sees code, message and field; nothing else leaves.</summary>
public sealed class AdcpException : Exception
{
    /// <summary>Initializes the refusal.</summary>
    /// <param name="error">The code.</param>
    /// <param name="message">What is wrong and how to mend it; the buyer reads it. Default: the code.</param>
    /// <param name="field">The JSON pointer (RFC 6901) of what is wrong, such as <c>/packages/0/product_id</c>.</param>
    /// <param name="retryAfter">The seconds after which a retry makes sense, 1 to 3,600.</param>
    public AdcpException(AdcpError error, string? message = null, string? field = null, int? retryAfter = null)
        : base(message ?? error?.Code)
    {
        ArgumentNullException.ThrowIfNull(error);
        Error = error;
        Field = field;
        RetryAfter = retryAfter;
    }

    /// <summary>Gets the code.</summary>
    public AdcpError Error { get; }

    /// <summary>Gets the JSON pointer of what is wrong.</summary>
    public string? Field { get; }

    /// <summary>Gets the seconds after which a retry makes sense.</summary>
    public int? RetryAfter { get; }
}
