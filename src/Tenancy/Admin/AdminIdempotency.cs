using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Tenancy.Configuration;
using Tenancy.Registry;
using Tenancy.State;

namespace Tenancy.Admin;

/// <summary>
/// Does a change with an <c>Idempotency-Key</c> once, and gives its answer again (draft-ietf-httpapi-idempotency-key-header).
/// </summary>
internal static class AdminIdempotency
{
    /// <summary>The header.</summary>
    public const string HeaderName = "Idempotency-Key";

    private const int MinLength = 16;
    private const int MaxLength = 255;

    // What is compared is held in memory: a body may have a token, which must not get into a file.
    private const int MaxBody = 1024 * 1024;

    /// <summary>Runs an endpoint.</summary>
    public static async ValueTask<object?> RunAsync(
        EndpointFilterInvocationContext invocation,
        EndpointFilterDelegate next,
        AdminAnswers answers
    )
    {
        var context = invocation.HttpContext;
        if (!context.Request.Headers.TryGetValue(HeaderName, out var sent))
        {
            return await next(invocation);
        }

        // Short ones are guessed, and the answer is encrypted under it.
        if (sent is not [{ Length: >= MinLength and <= MaxLength } key] || key.Any(static c => c is < '!' or > '~'))
        {
            return AdminProblems.Invalid([
                new(HeaderName, $"must be one text of {MinLength} to {MaxLength} visible ASCII characters, such as a random UUID"),
            ]);
        }

        var owner = context.Features.Get<AdminKey>()?.Id ?? context.User.Identity?.Name ?? "";
        var claim = await answers.ClaimAsync(owner, key, await HashAsync(context));
        return claim.State switch
        {
            AdminClaimState.Claimed => await RunAsync(invocation, next, answers, claim),
            AdminClaimState.Answered => StoredAnswer.Read(claim.Answer!),
            AdminClaimState.InFlight => Problem(
                context,
                StatusCodes.Status409Conflict,
                "The request with this Idempotency-Key is being processed.",
                claim.RetryAfter
            ),
            AdminClaimState.OtherRequest => Problem(
                context,
                StatusCodes.Status422UnprocessableEntity,
                "This Idempotency-Key was used for another request, with another method, path, query, If-Match or body: use a new one."
            ),
            _ => Problem(
                context,
                StatusCodes.Status429TooManyRequests,
                "There are as many Idempotency-Keys as there may be: wait, or send the request without one.",
                claim.RetryAfter
            ),
        };
    }

    private static async ValueTask<object?> RunAsync(
        EndpointFilterInvocationContext invocation,
        EndpointFilterDelegate next,
        AdminAnswers answers,
        AdminClaim claim
    )
    {
        var context = invocation.HttpContext;

        // What is begun is ended, also where the client goes meanwhile: it comes again, and is told then what was made.
        context.RequestAborted = CancellationToken.None;
        context.Features.Set(claim);
        StoredAnswer answer;
        try
        {
            await using var holding = answers.Hold(claim);
            answer = await StoredAnswer.WriteAsync(context, await next(invocation) as IResult ?? Results.Empty);
        }
        catch (Exception exception) when (AdminProblems.IsRefusal(exception))
        {
            await ReleaseAsync(answers, claim);
            throw;
        }

        // After any other failure something may have been made. The claim ends by itself, and the run after it finds what is there.
        if (answer.Status < StatusCodes.Status400BadRequest)
        {
            await answers.CompleteAsync(claim, answer.ToBytes());
        }
        else if (answer.Status < StatusCodes.Status500InternalServerError)
        {
            await ReleaseAsync(answers, claim);
        }

        return answer;
    }

    /// <summary>Gives a request's principals the tokens that each of its runs gives them.</summary>
    public static TenantRegistration Complete(AdminClaim? claim, TenantRegistration registration) =>
        TenantId.TryParse(registration.Tenant.Id, out var tenant)
            ? registration with
            {
                // JSON can say null in a list; that is refused later.
                Principals = [.. registration.Principals.Select((one, i) => one is null ? one! : Complete(claim, tenant, one, i))],
            }
            : registration;

    /// <summary>Gives a request's principal the token that each of its runs gives it.</summary>
    public static PrincipalRegistration Complete(AdminClaim? claim, TenantId tenant, PrincipalRegistration principal, int place = 0) =>
        claim is null || principal.Token is not null ? principal : principal with { Token = claim.NewToken(tenant, place) };

    private static async Task ReleaseAsync(AdminAnswers answers, AdminClaim claim)
    {
        try
        {
            await answers.ReleaseAsync(claim);
        }
        catch (StoreUnavailableException)
        {
            // It ends by itself.
        }
    }

    private static JsonHttpResult<AdminProblem> Problem(HttpContext context, int status, string detail, TimeSpan? retryAfter = null)
    {
        if (retryAfter is { } wait)
        {
            context.Response.Headers.RetryAfter = Math.Max(1, (int)Math.Ceiling(wait.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
        }

        return AdminProblems.Create(status, detail, new() { [HeaderName] = [detail] });
    }

    private static async Task<string> HashAsync(HttpContext context)
    {
        var request = context.Request;
        request.EnableBuffering(MaxBody, MaxBody);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(
            TenantKeyspace.Frame(request.Method, request.Path.Value, request.QueryString.Value, request.Headers.IfMatch.ToString())
        );
        var buffer = new byte[8192];
        try
        {
            for (int read; (read = await request.Body.ReadAsync(buffer, context.RequestAborted)) > 0; )
            {
                hash.AppendData(buffer.AsSpan(0, read));
            }
        }
        catch (IOException exception) when (exception is not BadHttpRequestException && !context.RequestAborted.IsCancellationRequested)
        {
            throw new AdminRequestException(
                StatusCodes.Status413PayloadTooLarge,
                HeaderName,
                "A request with an Idempotency-Key has 1 MiB at most: send it without one."
            );
        }

        request.Body.Position = 0;
        return Base64Url.EncodeToString(hash.GetHashAndReset());
    }

    /// <summary>An answer that was written already, and can be written again.</summary>
    private sealed class StoredAnswer(int status, Dictionary<string, string> headers, byte[] body) : IResult
    {
        private static readonly string[] Kept = ["Content-Type", "ETag", "Location"];

        public int Status => status;

        public static async Task<StoredAnswer> WriteAsync(HttpContext context, IResult result)
        {
            var response = context.Response;
            var output = response.Body;
            using var body = new MemoryStream();
            response.Body = body;
            try
            {
                await result.ExecuteAsync(context);
                await response.BodyWriter.FlushAsync(context.RequestAborted);
            }
            finally
            {
                response.Body = output;
            }

            var headers = Kept.Where(response.Headers.ContainsKey)
                .ToDictionary(name => name, name => response.Headers[name].ToString(), StringComparer.Ordinal);
            return new(response.StatusCode, headers, body.ToArray());
        }

        public static StoredAnswer Read(byte[] stored)
        {
            using var document = JsonDocument.Parse(stored);
            var root = document.RootElement;
            return new(
                root.GetProperty("status").GetInt32(),
                root.GetProperty("headers")
                    .EnumerateObject()
                    .ToDictionary(one => one.Name, one => one.Value.GetString()!, StringComparer.Ordinal),
                root.GetProperty("body").GetBytesFromBase64()
            );
        }

        public byte[] ToBytes()
        {
            using var output = new MemoryStream();
            using (var writer = new Utf8JsonWriter(output))
            {
                writer.WriteStartObject();
                writer.WriteNumber("status", status);
                writer.WriteStartObject("headers");
                foreach (var (name, value) in headers)
                {
                    writer.WriteString(name, value);
                }

                writer.WriteEndObject();
                writer.WriteBase64String("body", body);
                writer.WriteEndObject();
            }

            return output.ToArray();
        }

        public async Task ExecuteAsync(HttpContext httpContext)
        {
            httpContext.Response.StatusCode = status;
            foreach (var (name, value) in headers)
            {
                httpContext.Response.Headers[name] = value;
            }

            if (body.Length > 0)
            {
                await httpContext.Response.Body.WriteAsync(body, httpContext.RequestAborted);
            }
        }
    }
}
