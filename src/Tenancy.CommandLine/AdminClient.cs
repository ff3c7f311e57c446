using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Tenancy.CommandLine;

/// <summary>Asks a server's admin API.</summary>
internal sealed class AdminClient : IDisposable
{
    private const int MaxTries = 5;
    private const string ProblemType = "application/problem+json";

    private readonly HttpClient _http;

    public AdminClient(Uri server, string key)
    {
        _http = new() { BaseAddress = new(server.ToString().TrimEnd('/') + "/admin/"), Timeout = TimeSpan.FromMinutes(2) };
        _http.DefaultRequestHeaders.TryAddWithoutValidation("X-Admin-API-Key", key);
    }

    /// <summary>Gives tenants, a page after the other.</summary>
    /// <param name="query">The filters, such as <c>status=active</c>.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public IAsyncEnumerable<JsonObject> ListAsync(string query, CancellationToken cancellationToken) =>
        ListAsync("tenants", "tenants", query, cancellationToken);

    private async IAsyncEnumerable<JsonObject> ListAsync(
        string path,
        string member,
        string query,
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        string? cursor = null;
        do
        {
            var page = await SendAsync(
                HttpMethod.Get,
                $"{path}?take=1000&{query}{(cursor is null ? "" : $"&cursor={Uri.EscapeDataString(cursor)}")}",
                body: null,
                version: null,
                cancellationToken
            );
            foreach (var tenant in page![member]!.AsArray())
            {
                yield return tenant!.AsObject();
            }

            cursor = (string?)page["nextCursor"];
        } while (cursor is not null);
    }

    /// <summary>Finds a tenant; null where there is none.</summary>
    public async Task<JsonObject?> FindAsync(string id, CancellationToken cancellationToken)
    {
        using var response = await TryAsync(HttpMethod.Get, Path(id), null, null, cancellationToken);
        // A page of a proxy that knows no such path is a 404, too, and says nothing of the tenant.
        return response.StatusCode == HttpStatusCode.NotFound && response.Content.Headers.ContentType?.MediaType == ProblemType
            ? null
            : (await ReadAsync(response, cancellationToken))!.AsObject();
    }

    /// <summary>Registers a tenant.</summary>
    public Task<JsonNode?> RegisterAsync(JsonObject tenant, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Post, "tenants?wait=true", tenant, version: null, cancellationToken);

    /// <summary>Changes a tenant that is still at a version.</summary>
    public Task<JsonNode?> PatchAsync(string id, JsonObject patch, long version, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Patch, Path(id), patch, version, cancellationToken);

    /// <summary>Checks a tenant now.</summary>
    public Task<JsonNode?> RecheckAsync(string id, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Post, Path(id) + "/recheck", body: null, version: null, cancellationToken);

    /// <summary>Asks what a tenant would do with a token.</summary>
    public async Task<JsonObject> ExplainTokenAsync(string id, string token, CancellationToken cancellationToken) =>
        (
            await SendAsync(HttpMethod.Post, Path(id) + "/explain-token", new() { ["token"] = token }, version: null, cancellationToken)
        )!.AsObject();

    /// <summary>Registers a tenant without waiting for its first check.</summary>
    /// <returns>False where the same tenant is there.</returns>
    /// <exception cref="RefusedException">Another tenant is there, or it is refused.</exception>
    public async Task<bool> TryRegisterAsync(JsonObject tenant, CancellationToken cancellationToken)
    {
        using var response = await TryAsync(HttpMethod.Post, "tenants", tenant, version: null, cancellationToken);
        await ReadAsync(response, cancellationToken);
        return response.StatusCode == HttpStatusCode.Created;
    }

    /// <summary>Lists an OAuth client of a tenant.</summary>
    /// <exception cref="RefusedException">It is listed, or it is refused.</exception>
    public Task<JsonNode?> AddClientAsync(string id, JsonObject client, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Post, Path(id) + "/clients", client, version: null, cancellationToken);

    /// <summary>Gives the OAuth clients of a tenant, a page after the other.</summary>
    public IAsyncEnumerable<JsonObject> ListClientsAsync(string id, CancellationToken cancellationToken) =>
        ListAsync(Path(id) + "/clients", "clients", "", cancellationToken);

    /// <summary>Gives the ids of the servers that share the store.</summary>
    public async Task<IReadOnlyList<string>> ListNodesAsync(CancellationToken cancellationToken) =>
        [
            .. (await SendAsync(HttpMethod.Get, "nodes", body: null, version: null, cancellationToken))!["nodes"]!
                .AsArray()
                .Select(node => (string)node!["id"]!),
        ];

    public void Dispose() => _http.Dispose();

    private static string Path(string id) => "tenants/" + Uri.EscapeDataString(id);

    private async Task<JsonNode?> SendAsync(
        HttpMethod method,
        string path,
        JsonObject? body,
        long? version,
        CancellationToken cancellationToken
    )
    {
        using var response = await TryAsync(method, path, body, version, cancellationToken);
        return await ReadAsync(response, cancellationToken);
    }

    // A key has so many requests a minute; a server that is told to wait is waited for.
    private async Task<HttpResponseMessage> TryAsync(
        HttpMethod method,
        string path,
        JsonObject? body,
        long? version,
        CancellationToken cancellationToken
    )
    {
        for (var attempt = 1; ; attempt++)
        {
            using var request = new HttpRequestMessage(method, path);
            if (body is not null)
            {
                request.Content = new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json");
            }

            if (version is { } number)
            {
                request.Headers.IfMatch.Add(new EntityTagHeaderValue($"\"{number.ToString(CultureInfo.InvariantCulture)}\""));
            }

            HttpResponseMessage response;
            try
            {
                response = await _http.SendAsync(request, cancellationToken);
            }
            catch (HttpRequestException exception)
            {
                throw new ToolException($"{_http.BaseAddress} does not answer ({exception.Message}): is --server right, and does it run?");
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                throw new ToolException(
                    $"{_http.BaseAddress} did not answer within {_http.Timeout.TotalMinutes:0} minutes: whether it was done is not known."
                );
            }

            if (
                response.StatusCode is not (HttpStatusCode.TooManyRequests or HttpStatusCode.ServiceUnavailable)
                || attempt == MaxTries
                || response.Headers.RetryAfter?.Delta is not { } wait
                || await IsOfAFieldAsync(response, cancellationToken)
            )
            {
                return response;
            }

            response.Dispose();
            await Task.Delay(wait, cancellationToken);
        }
    }

    // What one record names has to be mended there, such as the host of a client's metadata: the server itself has nothing to wait for.
    private static async Task<bool> IsOfAFieldAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        await response.Content.LoadIntoBufferAsync(cancellationToken);
        return response.StatusCode == HttpStatusCode.ServiceUnavailable
            && Explain(response.StatusCode, await response.Content.ReadAsStringAsync(cancellationToken)).Fields.Count > 0;
    }

    private static async Task<JsonNode?> ReadAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        var text = await response.Content.ReadAsStringAsync(cancellationToken);
        if (response.IsSuccessStatusCode)
        {
            try
            {
                return text.Length == 0 ? null : JsonNode.Parse(text);
            }
            catch (JsonException)
            {
                throw Strange(response.StatusCode);
            }
        }

        throw Explain(response.StatusCode, text);
    }

    private static RefusedException Explain(HttpStatusCode status, string text)
    {
        try
        {
            var problem = JsonNode.Parse(text)?.AsObject() ?? throw new JsonException();
            var errors = problem["errors"]?.AsObject();
            var fields = errors?.Select(field => $"{field.Key} {string.Join(", ", field.Value!.AsArray())}");
            return new(
                (int)status,
                [.. errors?.Select(field => field.Key) ?? []],
                $"{(int)status}: {problem["detail"]}{(fields is null ? "" : $" {string.Join("; ", fields)}")}"
            );
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            return Strange(status);
        }
    }

    private static RefusedException Strange(HttpStatusCode status) =>
        new((int)status, [], $"{(int)status}: the answer is none of the admin API's; is --server right?");
}
