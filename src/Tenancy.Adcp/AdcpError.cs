namespace Tenancy.Adcp;

/// <summary>An error code of AdCP, with what the buyer can do about it. The list is closed: codes that AdCP does not know cannot be made.</summary>
public sealed class AdcpError
{
    private const string Correctable = "correctable";
    private const string Transient = "transient";

    private AdcpError(string code, string recovery) => (Code, Recovery) = (code, recovery);

    /// <summary>Gets the error for a request that is malformed or breaks a rule of the protocol.</summary>
    public static AdcpError InvalidRequest { get; } = new("INVALID_REQUEST", Correctable);

    /// <summary>Gets the error for a value that is well-formed and not acceptable.</summary>
    public static AdcpError ValidationError { get; } = new("VALIDATION_ERROR", Correctable);

    /// <summary>Gets the error for a call that needs credentials.</summary>
    public static AdcpError AuthRequired { get; } = new("AUTH_REQUIRED", Correctable);

    /// <summary>Gets the error for a seller that cannot answer now.</summary>
    public static AdcpError ServiceUnavailable { get; } = new("SERVICE_UNAVAILABLE", Transient);

    /// <summary>Gets the error for a product that this seller does not have.</summary>
    public static AdcpError ProductNotFound { get; } = new("PRODUCT_NOT_FOUND", Correctable);

    /// <summary>Gets the error for a product that cannot be bought now.</summary>
    public static AdcpError ProductUnavailable { get; } = new("PRODUCT_UNAVAILABLE", Correctable);

    /// <summary>Gets the error for a budget below the seller's minimum.</summary>
    public static AdcpError BudgetTooLow { get; } = new("BUDGET_TOO_LOW", Correctable);

    /// <summary>Gets the error for a media buy that the caller does not have, whoever else may have it.</summary>
    public static AdcpError MediaBuyNotFound { get; } = new("MEDIA_BUY_NOT_FOUND", Correctable);

    /// <summary>Gets the error for a caller with too many requests.</summary>
    public static AdcpError RateLimited { get; } = new("RATE_LIMITED", Transient);

    /// <summary>Gets the error for something that was changed by somebody else meanwhile.</summary>
    public static AdcpError Conflict { get; } = new("CONFLICT", Transient);

    /// <summary>Gets the error for an idempotency key that stands for another request.</summary>
    public static AdcpError IdempotencyConflict { get; } = new("IDEMPOTENCY_CONFLICT", Correctable);

    /// <summary>Gets the error for an idempotency key whose answer is not known any more.</summary>
    public static AdcpError IdempotencyExpired { get; } = new("IDEMPOTENCY_EXPIRED", Correctable);

    /// <summary>Gets the error for an idempotency key whose request is being processed.</summary>
    public static AdcpError IdempotencyInFlight { get; } = new("IDEMPOTENCY_IN_FLIGHT", Transient);

    /// <summary>Gets the code.</summary>
    public string Code { get; }

    /// <summary>Gets what the buyer can do: <c>transient</c> (retry), <c>correctable</c> (change the request) or <c>terminal</c>.</summary>
    public string Recovery { get; }

    /// <inheritdoc/>
    public override string ToString() => Code;
}
