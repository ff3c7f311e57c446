namespace Tenancy.Adcp;

/// <summary>An error code, with what the buyer can do about it.</summary>
/// <remarks>
/// The properties are the codes of AdCP 3.0, and those of 3.1 that a seller of media needs. <see cref="Of"/> knows all of both, and makes
/// codes of a seller's own: AdCP asks for <c>X_</c>, the seller's name and the code, such as <c>X_ACME_SLOT_TAKEN</c>.
/// </remarks>
public sealed class AdcpError
{
    private const string Correctable = "correctable";
    private const string Transient = "transient";
    private const string Terminal = "terminal";

    // Codes of AdCP 3.1 that have no property here.
    private static readonly string[] OtherCorrectable =
    [
        "AUTH_MISSING",
        "AUTHORIZATION_REQUIRED",
        "CREATIVE_VALUE_NOT_ALLOWED",
        "UNPRICEABLE_OUTPUT",
        "UNSUPPORTED_GRANULARITY",
        "UNSUPPORTED_PROVISIONING",
        "BUDGET_CAP_REACHED",
        "CREATIVE_INACCESSIBLE",
        "SIGNAL_TARGETING_INCOMPATIBLE",
        "MULTI_FINALIZE_UNSUPPORTED",
        "READ_ONLY_SCOPE",
        "FIELD_NOT_PERMITTED",
        "PROVENANCE_REQUIRED",
        "PROVENANCE_DIGITAL_SOURCE_TYPE_MISSING",
        "PROVENANCE_DISCLOSURE_MISSING",
        "PROVENANCE_EMBEDDED_MISSING",
        "PROVENANCE_VERIFIER_NOT_ACCEPTED",
        "PROVENANCE_CLAIM_CONTRADICTED",
        "EVALUATOR_AGENT_NOT_ACCEPTED",
        "BILLING_NOT_PERMITTED_FOR_AGENT",
        "BRAND_REQUIRED",
        "ACTION_NOT_ALLOWED",
        "PRIVATE_FIELD_IN_PUBLIC_PLACEMENT",
        "FORMAT_PROJECTION_FAILED",
        "FORMAT_DECLARATION_DIVERGENT",
        "FORMAT_DECLARATION_V1_AMBIGUOUS",
        "FORMAT_OPTION_UNRESOLVED",
        "FORMAT_DECLARATION_V1_LOSSY_MULTI_SIZE",
        "FORMAT_NOT_SUPPORTED",
        "PIXEL_TRACKER_LOSSY_DOWNGRADE",
        "PIXEL_TRACKER_UPGRADE_INFERRED",
        "FEED_FETCH_FAILED",
        "INVALID_FEED_FORMAT",
        "ITEM_VALIDATION_FAILED",
        "CATALOG_LIMIT_EXCEEDED",
    ];

    private static readonly string[] OtherTerminal =
    [
        "AUTH_INVALID",
        "CONFIGURATION_ERROR",
        "BILLING_OUT_OF_BAND",
        "AGENT_SUSPENDED",
        "AGENT_BLOCKED",
        "CREDENTIAL_IN_ARGS",
    ];
    private static readonly string[] OtherTransient = ["STALE_RESPONSE"];

    private static readonly Lazy<Dictionary<string, AdcpError>> Known = new(FindKnown);

    private AdcpError(string code, string recovery) => (Code, Recovery) = (code, recovery);

    /// <summary>Gets the error of a code.</summary>
    /// <param name="code">The code: capital letters, digits and underscores, 64 at most.</param>
    /// <param name="recovery">
    /// What the buyer can do: <c>transient</c>, <c>correctable</c> or <c>terminal</c>. It is needed for a code of one's own; AdCP's have
    /// theirs.
    /// </param>
    /// <exception cref="ArgumentException">The code is no code, or it is not AdCP's and has no such recovery.</exception>
    public static AdcpError Of(string code, string? recovery = null)
    {
        ArgumentNullException.ThrowIfNull(code);
        return Known.Value.TryGetValue(code, out var known) ? known
            : code.Length is 0 or > 64 || !code.All(letter => letter is '_' or (>= 'A' and <= 'Z') or (>= '0' and <= '9'))
                ? throw new ArgumentException($"'{code}' is no error code: use up to 64 of A-Z, 0-9 and _.", nameof(code))
            : recovery is Correctable or Transient or Terminal ? new(code, recovery)
            : throw new ArgumentException(
                $"{code} is no code of AdCP: say as its recovery whether it is {Transient}, {Correctable} or {Terminal}.",
                nameof(recovery)
            );
    }

    private static Dictionary<string, AdcpError> FindKnown() =>
        typeof(AdcpError)
            .GetProperties(System.Reflection.BindingFlags.Public | System.Reflection.BindingFlags.Static)
            .Select(property => (AdcpError)property.GetValue(null)!)
            .Concat(OtherCorrectable.Select(code => new AdcpError(code, Correctable)))
            .Concat(OtherTerminal.Select(code => new AdcpError(code, Terminal)))
            .Concat(OtherTransient.Select(code => new AdcpError(code, Transient)))
            .ToDictionary(error => error.Code, StringComparer.Ordinal);

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

    /// <summary>Gets the error for a kind of billing that the seller does not offer.</summary>
    public static AdcpError BillingNotSupported { get; } = new("BILLING_NOT_SUPPORTED", Correctable);

    /// <summary>Gets the error for payment terms that the seller does not offer.</summary>
    public static AdcpError PaymentTermsNotSupported { get; } = new("PAYMENT_TERMS_NOT_SUPPORTED", Correctable);

    /// <summary>Gets the error for a proposal that the caller does not have.</summary>
    public static AdcpError ProposalNotFound { get; } = new("PROPOSAL_NOT_FOUND", Correctable);

    /// <summary>Gets the error for a token that has too few scopes.</summary>
    public static AdcpError ScopeInsufficient { get; } = new("SCOPE_INSUFFICIENT", Correctable);

    /// <summary>Gets the code.</summary>
    public string Code { get; }

    /// <summary>Gets what the buyer can do: <c>transient</c> (retry), <c>correctable</c> (change the request) or <c>terminal</c>.</summary>
    public string Recovery { get; }

    /// <inheritdoc/>
    public override string ToString() => Code;
}
