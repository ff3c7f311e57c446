using Tenancy.Mcp;

namespace Tenancy.Adcp;

/// <summary>What a buyer is told where a request with an idempotency key has no answer.</summary>
internal static class KeyedErrors
{
    /// <exception cref="AdcpException">The key stands for another request, is in use, is too old, or there are too many.</exception>
    public static KeyedOutcome.Done ExpectDone(this KeyedOutcome outcome) =>
        outcome switch
        {
            KeyedOutcome.Done done => done,
            KeyedOutcome.InFlight(var retryAfter) => throw new AdcpException(
                AdcpError.IdempotencyInFlight,
                "The request with this idempotency_key is being processed.",
                retryAfter: Seconds(retryAfter)
            ),
            KeyedOutcome.TookTooLong => throw new AdcpException(
                AdcpError.IdempotencyInFlight,
                "The request took longer than it may, and another try of it may be processed.",
                retryAfter: 1
            ),
            KeyedOutcome.Conflict => throw new AdcpException(
                AdcpError.IdempotencyConflict,
                "The idempotency_key was used for another request."
            ),
            KeyedOutcome.Expired => throw new AdcpException(AdcpError.IdempotencyExpired, "The idempotency_key is too old to be replayed."),
            KeyedOutcome.TooManyKeys(var retryAfter) => throw new AdcpException(
                AdcpError.RateLimited,
                "There are too many new idempotency keys.",
                retryAfter: Seconds(retryAfter)
            ),
            // It may last a day: nothing that a buyer should try again in the meantime.
            KeyedOutcome.StorageFull(var retryAfter, var isShare) => throw new AdcpException(
                AdcpError.PolicyViolation,
                (
                    isShare
                        ? "The seller keeps as many answers for your idempotency keys as it does for one buyer."
                        : "The seller keeps as many answers for idempotency keys as it may."
                ) + $" The oldest go in {Math.Max(1, (int)Math.Ceiling(retryAfter.TotalMinutes))} minutes."
            ),
            _ => throw new InvalidOperationException($"{outcome} is no outcome that is known here."),
        };

    private static int Seconds(TimeSpan time) => Math.Clamp((int)Math.Ceiling(time.TotalSeconds), 1, 3600);
}
