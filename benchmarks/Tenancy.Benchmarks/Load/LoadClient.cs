using System.Diagnostics;
using System.Net;
using System.Text;
using Tenancy.Configuration;

namespace Tenancy.Benchmarks.Load;

/// <summary>
/// Sends requests to one server over a few connections that stay open, each as soon as the last is answered, and reads every answer.
/// </summary>
internal sealed class LoadClient : IDisposable
{
    private const int Connections = 8;

    private readonly ServerProcess _server;
    private readonly Cell _cell;
    private readonly HttpMessageInvoker _http = new(
        new SocketsHttpHandler
        {
            UseProxy = false,
            UseCookies = false,
            MaxConnectionsPerServer = Connections,
        }
    );

    private Caller[] _callers;

    private LoadClient(ServerProcess server, Cell cell, int tenants, IEnumerable<Caller> callers) =>
        (_server, _cell, Tenants, _callers) = (server, cell, tenants, [.. callers]);

    public ServerProcess Server => _server;

    public Cell Cell => _cell;

    /// <summary>How many tenants the server has.</summary>
    public int Tenants { get; }

    /// <summary>Starts a server and, where its cell has sessions, one for each caller.</summary>
    public static async Task<LoadClient> StartAsync(Cell cell, int tenants, string redis, LoadIssuer issuer, bool isProfiled = false)
    {
        var server = await ServerProcess.StartAsync(cell, tenants, redis, issuer.Url, isProfiled);
        var client = new LoadClient(server, cell, tenants, Callers(cell, tenants, issuer));
        if (cell.HasSession)
        {
            client._callers = await Task.WhenAll(client._callers.Select(client.InitializeAsync));
        }

        return client;
    }

    /// <summary>Makes a fixed number of requests, and measures what they cost the server.</summary>
    /// <param name="row">The kind of requests.</param>
    /// <param name="requests">How many.</param>
    /// <param name="from">Which callers make them; all of them where it is left out.</param>
    /// <exception cref="InvalidOperationException">An answer was not the one that the request has.</exception>
    public async Task<Slice> RunAsync(Row row, int requests, Func<Caller, bool>? from = null)
    {
        var callers = from is null ? _callers : [.. _callers.Where(from)];
        var latencies = new double[requests];
        var next = -1;
        var (cpuBefore, bytesBefore) = await _server.ReadUsageAsync();
        var start = Stopwatch.GetTimestamp();
        await Task.WhenAll(
            Enumerable
                .Range(0, Connections)
                .Select(_ =>
                    Task.Run(async () =>
                    {
                        for (int number; (number = Interlocked.Increment(ref next)) < requests; )
                        {
                            var sent = Stopwatch.GetTimestamp();
                            await SendAsync(callers[number % callers.Length], row);
                            latencies[number] = Stopwatch.GetElapsedTime(sent).TotalMilliseconds;
                        }
                    })
                )
        );
        var elapsed = Stopwatch.GetElapsedTime(start);
        var (cpu, bytes) = await _server.ReadUsageAsync();
        Array.Sort(latencies);
        return new(
            (cpu - cpuBefore).TotalMicroseconds / requests,
            (double)(bytes - bytesBefore) / requests,
            requests / elapsed.TotalSeconds,
            latencies[requests / 2],
            latencies[requests * 99 / 100]
        );
    }

    /// <summary>The answer to one caller's request.</summary>
    public Task<byte[]> AskAsync(Row row) => SendAsync(_callers[0], row);

    public void Dispose()
    {
        _http.Dispose();
        _server.Dispose();
    }

    private static IEnumerable<Caller> Callers(Cell cell, int tenants, LoadIssuer issuer) =>
        LoadTenants
            .Called(tenants)
            .Select(called => new Caller(
                called.Number,
                called.Tenant,
                cell.Authentication switch
                {
                    TenantAuthenticationKind.Bearer => LoadTenants.Token(called.Number, called.Tenant),
                    TenantAuthenticationKind.Jwks => issuer.Issue(LoadTenants.Audience(called.Tenant), called.Number),
                    _ => null,
                }
            ));

    private async Task<byte[]> SendAsync(Caller caller, Row row)
    {
        var (body, expected) = caller.Message(_cell, row);
        using var request = caller.Request(_cell, row, body, out var contentType);
        using var response = await SendAsync(request);
        var answer = await response.Content.ReadAsByteArrayAsync();
        var type = response.Content.Headers.ContentType?.MediaType;
        if (response.StatusCode != HttpStatusCode.OK || type != contentType || !IsAnswer(answer, caller, expected))
        {
            throw new InvalidOperationException(
                $"{_cell.Id}, {row}: {body} was answered with {(int)response.StatusCode}, {type}, {Encoding.UTF8.GetString(answer)}, "
                    + $"not with 200, {contentType} and {expected}."
            );
        }

        return answer;
    }

    private static bool IsAnswer(ReadOnlySpan<byte> answer, Caller caller, string expected) =>
        (Contains(answer, $"\"id\":{caller.Number},") || Contains(answer, $"\"id\":{caller.Number}}}"))
        && Contains(answer, expected)
        && !Contains(answer, "\"isError\":true")
        && !Contains(answer, "\"error\":");

    private static bool Contains(ReadOnlySpan<byte> answer, string text)
    {
        Span<byte> bytes = stackalloc byte[128];
        return answer.IndexOf(bytes[..Encoding.UTF8.GetBytes(text, bytes)]) >= 0;
    }

    private async Task<Caller> InitializeAsync(Caller caller)
    {
        const string Accept = "application/json, text/event-stream";
        const string Client = """ "capabilities":{},"clientInfo":{"name":"load","version":"1"}""";
        const string Initialize =
            $$$$"""{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"{{{{Row.Sessions}}}}",{{{{Client}}}}}}""";
        using var request = caller.Post(Initialize, Row.Sessions, Accept);
        using var response = (await SendAsync(request)).EnsureSuccessStatusCode();
        var begun = caller with { Session = response.Headers.GetValues("Mcp-Session-Id").Single() };
        using var notification = begun.Post("""{"jsonrpc":"2.0","method":"notifications/initialized"}""", Row.Sessions, Accept);
        using var accepted = (await SendAsync(notification)).EnsureSuccessStatusCode();
        return begun;
    }

    // With all of the answer: a connection that still has some of it serves nobody else.
    private async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request)
    {
        request.RequestUri = new(_server.Address + request.RequestUri);
        var response = await _http.SendAsync(request, CancellationToken.None);
        await response.Content.LoadIntoBufferAsync();
        return response;
    }
}

/// <summary>What some requests of one kind to one server cost and took.</summary>
/// <param name="Cpu">The server's CPU time per request, in microseconds.</param>
/// <param name="Bytes">What the server allocated per request.</param>
/// <param name="Rate">Requests a second.</param>
/// <param name="Median">The latency that half of the requests had at most, in milliseconds.</param>
/// <param name="Tail">The latency that 99 of 100 requests had at most, in milliseconds.</param>
internal readonly record struct Slice(double Cpu, double Bytes, double Rate, double Median, double Tail);
