namespace Tenancy.Adcp;

/// <summary>
/// An error code of AdCP 3.0.6, with what the buyer can do about it. The list is closed: other codes cannot be made.
/// <c>IDEMPOTENCY_IN_FLIGHT</c> comes from AdCP's rules for idempotency, and stands in no list yet.
/// </summary>
public sealed class AdcpError
{
    private const string Correctable = "correctable";
    private const string Transient = "transient";
    private const string Terminal = "terminal";

    private AdcpError(string code, string recovery) => (Code, Recovery) = (code, recovery);

    /// <summary>Gets the error for a request that is malformed or breaks a rule of the protocol.</summary>
    public static AdcpError InvalidRequest { get; } = new("INVALID_REQUEST", Correctable);

    /// <summary>Gets the error for a call that needs credentials.</summary>
    public static AdcpError AuthRequired { get; } = new("AUTH_REQUIRED", Correctable);

    /// <summary>Gets the error for a caller with too many requests.</summary>
    public static AdcpError RateLimited { get; } = new("RATE_LIMITED", Transient);

    /// <summary>Gets the error for a seller that cannot answer now.</summary>
    public static AdcpError ServiceUnavailable { get; } = new("SERVICE_UNAVAILABLE", Transient);

    /// <summary>Gets the error for something that the seller's policies do not allow.</summary>
    public static AdcpError PolicyViolation { get; } = new("POLICY_VIOLATION", Correctable);

    /// <summary>Gets the error for a product that this seller does not have.</summary>
    public static AdcpError ProductNotFound { get; } = new("PRODUCT_NOT_FOUND", Correctable);

    /// <summary>Gets the error for a product that cannot be bought now.</summary>
    public static AdcpError ProductUnavailable { get; } = new("PRODUCT_UNAVAILABLE", Correctable);

    /// <summary>Gets the error for a proposal that is too old.</summary>
    public static AdcpError ProposalExpired { get; } = new("PROPOSAL_EXPIRED", Correctable);

    /// <summary>Gets the error for a budget or bid below the seller's minimum.</summary>
    public static AdcpError BudgetTooLow { get; } = new("BUDGET_TOO_LOW", Correctable);

    /// <summary>Gets the error for a creative that may not run.</summary>
    public static AdcpError CreativeRejected { get; } = new("CREATIVE_REJECTED", Correctable);

    /// <summary>Gets the error for something that this seller does not do.</summary>
    public static AdcpError UnsupportedFeature { get; } = new("UNSUPPORTED_FEATURE", Correctable);

    /// <summary>Gets the error for an audience that is too small.</summary>
    public static AdcpError AudienceTooSmall { get; } = new("AUDIENCE_TOO_SMALL", Correctable);

    /// <summary>Gets the error for an account that the caller does not have, whoever else may have it.</summary>
    public static AdcpError AccountNotFound { get; } = new("ACCOUNT_NOT_FOUND", Terminal);

    /// <summary>Gets the error for an account that is not ready.</summary>
    public static AdcpError AccountSetupRequired { get; } = new("ACCOUNT_SETUP_REQUIRED", Correctable);

    /// <summary>Gets the error for a reference that fits several accounts.</summary>
    public static AdcpError AccountAmbiguous { get; } = new("ACCOUNT_AMBIGUOUS", Correctable);

    /// <summary>Gets the error for an account with an open invoice.</summary>
    public static AdcpError AccountPaymentRequired { get; } = new("ACCOUNT_PAYMENT_REQUIRED", Terminal);

    /// <summary>Gets the error for a halted account of the caller's own.</summary>
    public static AdcpError AccountSuspended { get; } = new("ACCOUNT_SUSPENDED", Terminal);

    /// <summary>Gets the error for a disclosure that the format cannot show.</summary>
    public static AdcpError ComplianceUnsatisfied { get; } = new("COMPLIANCE_UNSATISFIED", Correctable);

    /// <summary>Gets the error for a plan that the buyer's governance denies.</summary>
    public static AdcpError GovernanceDenied { get; } = new("GOVERNANCE_DENIED", Correctable);

    /// <summary>Gets the error for a budget that is spent.</summary>
    public static AdcpError BudgetExhausted { get; } = new("BUDGET_EXHAUSTED", Terminal);

    /// <summary>Gets the error for an amount above the budget.</summary>
    public static AdcpError BudgetExceeded { get; } = new("BUDGET_EXCEEDED", Correctable);

    /// <summary>Gets the error for something that was changed by somebody else meanwhile.</summary>
    public static AdcpError Conflict { get; } = new("CONFLICT", Transient);

    /// <summary>Gets the error for an idempotency key that stands for another request.</summary>
    public static AdcpError IdempotencyConflict { get; } = new("IDEMPOTENCY_CONFLICT", Correctable);

    /// <summary>Gets the error for an idempotency key whose answer is not known any more.</summary>
    public static AdcpError IdempotencyExpired { get; } = new("IDEMPOTENCY_EXPIRED", Correctable);

    /// <summary>Gets the error for a creative that came too late.</summary>
    public static AdcpError CreativeDeadlineExceeded { get; } = new("CREATIVE_DEADLINE_EXCEEDED", Correctable);

    /// <summary>Gets the error for a change that is not possible where the object stands.</summary>
    public static AdcpError InvalidState { get; } = new("INVALID_STATE", Correctable);

    /// <summary>Gets the error for a media buy that the caller does not have, whoever else may have it.</summary>
    public static AdcpError MediaBuyNotFound { get; } = new("MEDIA_BUY_NOT_FOUND", Correctable);

    /// <summary>Gets the error for a media buy that cannot be ended.</summary>
    public static AdcpError NotCancellable { get; } = new("NOT_CANCELLABLE", Correctable);

    /// <summary>Gets the error for a package that the media buy does not have.</summary>
    public static AdcpError PackageNotFound { get; } = new("PACKAGE_NOT_FOUND", Correctable);

    /// <summary>Gets the error for a creative that the caller does not have.</summary>
    public static AdcpError CreativeNotFound { get; } = new("CREATIVE_NOT_FOUND", Correctable);

    /// <summary>Gets the error for a signal that the caller does not have.</summary>
    public static AdcpError SignalNotFound { get; } = new("SIGNAL_NOT_FOUND", Correctable);

    /// <summary>Gets the error for a session that the caller does not have.</summary>
    public static AdcpError SessionNotFound { get; } = new("SESSION_NOT_FOUND", Correctable);

    /// <summary>Gets the error for a plan that the caller does not have.</summary>
    public static AdcpError PlanNotFound { get; } = new("PLAN_NOT_FOUND", Correctable);

    /// <summary>Gets the error for anything else that the caller does not have.</summary>
    public static AdcpError ReferenceNotFound { get; } = new("REFERENCE_NOT_FOUND", Correctable);

    /// <summary>Gets the error for a session that is over.</summary>
    public static AdcpError SessionTerminated { get; } = new("SESSION_TERMINATED", Correctable);

    /// <summary>Gets the error for a value that is well-formed and not acceptable.</summary>
    public static AdcpError ValidationError { get; } = new("VALIDATION_ERROR", Correctable);

    /// <summary>Gets the error for a product that is not sold any more.</summary>
    public static AdcpError ProductExpired { get; } = new("PRODUCT_EXPIRED", Correctable);

    /// <summary>Gets the error for a proposal that is a draft still.</summary>
    public static AdcpError ProposalNotCommitted { get; } = new("PROPOSAL_NOT_COMMITTED", Correctable);

    /// <summary>Gets the error for a proposal that needs a signed insertion order.</summary>
    public static AdcpError InsertionOrderRequired { get; } = new("IO_REQUIRED", Correctable);

    /// <summary>Gets the error for terms that the seller does not accept.</summary>
    public static AdcpError TermsRejected { get; } = new("TERMS_REJECTED", Correctable);

    /// <summary>Gets the error for a change that needs a new price.</summary>
    public static AdcpError RequoteRequired { get; } = new("REQUOTE_REQUIRED", Correctable);

    /// <summary>Gets the error for a version of AdCP that this seller does not speak.</summary>
    public static AdcpError VersionUnsupported { get; } = new("VERSION_UNSUPPORTED", Correctable);

    /// <summary>Gets the error for a campaign that waits for a person.</summary>
    public static AdcpError CampaignSuspended { get; } = new("CAMPAIGN_SUSPENDED", Transient);

    /// <summary>Gets the error for a buyer's governance that does not answer.</summary>
    public static AdcpError GovernanceUnavailable { get; } = new("GOVERNANCE_UNAVAILABLE", Transient);

    /// <summary>Gets the error for something that the caller may not do.</summary>
    public static AdcpError PermissionDenied { get; } = new("PERMISSION_DENIED", Correctable);

    /// <summary>Gets the error for an idempotency key whose request is being processed.</summary>
    public static AdcpError IdempotencyInFlight { get; } = new("IDEMPOTENCY_IN_FLIGHT", Transient);

    /// <summary>Gets the code.</summary>
    public string Code { get; }

    /// <summary>Gets what the buyer can do: <c>transient</c> (retry), <c>correctable</c> (change the request) or <c>terminal</c>.</summary>
    public string Recovery { get; }

    /// <inheritdoc/>
    public override string ToString() => Code;
}
