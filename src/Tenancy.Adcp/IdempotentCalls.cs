using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using Tenancy.Configuration;
using Tenancy.Mcp;
using Tenancy.Registry;
using Tenancy.State;

namespace Tenancy.Adcp;

/// <summary>Runs a request with an idempotency key once, whoever sends it again, and replays its answer.</summary>
internal sealed class IdempotentCalls(RedisConnection redis, TimeProvider time, ILogger<IdempotentCalls> logger)
{
    private const int CompleteAttempts = 3;

    /// <summary>Runs the request, or gives the answer that it had. An error gives the key back; a client that goes does not stop what was begun.</summary>
    /// <param name="toolCall">The call.</param>
    /// <param name="tool">The tool's name.</param>
    /// <param name="request">The request; it is valid.</param>
    /// <param name="arguments">The arguments, as sent.</param>
    /// <param name="timeout">What the handler may take; so long the claim lasts.</param>
    /// <param name="handle">Runs the handler.</param>
    /// <param name="cancellationToken">Ends the wait, not the work.</param>
    /// <exception cref="AdcpException">The key stands for another request, is in use, is too old, or there are too many.</exception>
    public async Task<JsonObject> RunAsync(
        ToolCall toolCall, string tool, IIdempotentRequest request, JsonObject arguments, TimeSpan timeout,
        Func<ToolContext, IServiceProvider, CancellationToken, Task<JsonObject>> handle, CancellationToken cancellationToken)
    {
        var caller = toolCall.Context;
        if (caller.Accounts.Own is null)
        {
            throw new AdcpException(AdcpError.AuthRequired, "Credentials are required.");
        }

        var limits = toolCall.Tenant.Config.Limits;
        var store = new IdempotencyStore(redis, caller.TenantId, new()
        {
            MaxRecords = limits?.MaxIdempotencyRecords ?? TenantLimits.DefaultMaxIdempotencyRecords,
            MaxBytes = limits?.MaxIdempotencyBytes ?? TenantLimits.DefaultMaxIdempotencyBytes,
        });
        var claim = await store.ClaimAsync(new(caller.Caller.Value, caller.AccountId, request.IdempotencyKey, tool, Hash(arguments)), timeout);
        return claim switch
        {
            IdempotencyClaim.Claimed(var lease) => await toolCall.RunDetached(lease.OperationId, (context, services) => RunClaimedAsync(store, lease, timeout, token => handle(context, services, token)))
                .WaitAsync(cancellationToken),
            IdempotencyClaim.Replay(var response) => Replay(response),
            IdempotencyClaim.InFlight(var retryAfter) => throw new AdcpException(AdcpError.IdempotencyInFlight, "The request with this idempotency_key is being processed.", retryAfter: Seconds(retryAfter)),
            IdempotencyClaim.Conflict => throw new AdcpException(AdcpError.IdempotencyConflict, "The idempotency_key was used for another request."),
            IdempotencyClaim.Expired => throw new AdcpException(AdcpError.IdempotencyExpired, "The idempotency_key is too old to be replayed."),
            IdempotencyClaim.TooManyInserts(var retryAfter) => throw new AdcpException(AdcpError.RateLimited, "There are too many new idempotency keys.", retryAfter: Seconds(retryAfter)),
            IdempotencyClaim.StorageFull(var retryAfter) => throw new AdcpException(AdcpError.RateLimited, "The seller keeps as many answers for idempotency keys as it may.", retryAfter: Seconds(retryAfter)),
            _ => throw new InvalidOperationException("The store gave no answer that is known here."),
        };
    }

    private async Task<JsonObject> RunClaimedAsync(IdempotencyStore store, IdempotencyLease lease, TimeSpan timeout, Func<CancellationToken, Task<JsonObject>> handle)
    {
        JsonObject answer;
        try
        {
            using var limit = new CancellationTokenSource(timeout, time);
            answer = await handle(limit.Token);
        }
        catch
        {
            await ReleaseAsync(store, lease);
            throw;
        }

        var completion = await CompleteAsync(store, lease, JsonSerializer.SerializeToUtf8Bytes(answer, AdcpJson.Default.JsonObject));
        return completion switch
        {
            { IsStored: true } => answer,
            { Other: { } other } => Replay(other),
            _ => throw new AdcpException(AdcpError.IdempotencyInFlight, "The request took longer than it may, and another try of it is being processed.", retryAfter: 1),
        };
    }

    /// <summary>A timeout of the store is not a "no": the same answer is given again, under the same token.</summary>
    private static async Task<IdempotencyCompletion> CompleteAsync(IdempotencyStore store, IdempotencyLease lease, ReadOnlyMemory<byte> answer)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await store.CompleteAsync(lease, answer);
            }
            catch (StoreUnavailableException) when (attempt < CompleteAttempts)
            {
            }
        }
    }

    private async Task ReleaseAsync(IdempotencyStore store, IdempotencyLease lease)
    {
        try
        {
            await store.ReleaseAsync(lease);
        }
        catch (StoreUnavailableException exception)
        {
            // The claim ends by itself when its time is over.
            logger.LogNotReleased(exception);
        }
    }

    private static JsonObject Replay(ReadOnlyMemory<byte> response)
    {
        var answer = JsonSerializer.Deserialize(response.Span, AdcpJson.Default.JsonObject)!;
        answer["replayed"] = true;
        return answer;
    }

    private static string Hash(JsonObject arguments)
    {
        try
        {
            return RequestHash.Compute(JsonSerializer.SerializeToElement(arguments, AdcpJson.Default.JsonObject));
        }
        catch (FormatException)
        {
            throw new AdcpException(AdcpError.InvalidRequest, "The request has a text that is no Unicode, or a number that no double can hold.");
        }
    }

    private static int Seconds(TimeSpan time) => Math.Clamp((int)Math.Ceiling(time.TotalSeconds), 1, 3600);
}
