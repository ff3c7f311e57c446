using System.Text;

namespace Tenancy.Tests.Hosting;

/// <summary>An answer that is read as it comes.</summary>
internal sealed class OpenStream : IAsyncDisposable
{
    public const string Comment = ": \n\n";

    private readonly HttpResponseMessage _response;
    private readonly Stream _body;
    private readonly byte[] _buffer = new byte[64 * 1024];

    private OpenStream(HttpResponseMessage response, Stream body) => (_response, _body) = (response, body);

    public HttpResponseMessage Response => _response;

    /// <summary>Opens the stream of a session.</summary>
    public static async Task<OpenStream> GetAsync(
        TenancyServer server,
        string token,
        string session,
        string? lastEventId = null,
        string tenant = "acme"
    )
    {
        using var request = McpCalls.Bodyless(HttpMethod.Get, server.Port, Way.Path, tenant, token, session);
        if (lastEventId is not null)
        {
            request.Headers.Add("Last-Event-ID", lastEventId);
        }

        return await SendAsync(server, request);
    }

    public static async Task<OpenStream> SendAsync(TenancyServer server, HttpRequestMessage request)
    {
        var response = await server
            .Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken)
            .WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
        return new(response, await response.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken));
    }

    /// <summary>Reads what comes next; null where the stream has ended, in whatever way.</summary>
    public async Task<string?> ReadAsync()
    {
        using var limit = Limit(seconds: 20);
        return await ReadNextAsync(limit.Token);
    }

    /// <summary>Reads on until something is there.</summary>
    public async Task<string> ReadUntilAsync(string text)
    {
        using var limit = Limit(seconds: 30);
        var read = "";
        while (!read.Contains(text, StringComparison.Ordinal))
        {
            read += await ReadNextAsync(limit.Token) ?? throw new InvalidOperationException($"The stream ended after '{read}'.");
        }

        return read;
    }

    /// <summary>Gets whether the connection was cut before the stream had ended, which clients take for a failure.</summary>
    public bool WasCut { get; private set; }

    /// <summary>Reads on until the stream ends.</summary>
    public async Task<string> ReadToEndAsync()
    {
        using var limit = Limit(seconds: 30);
        var read = "";
        while (await ReadNextAsync(limit.Token) is { } more)
        {
            read += more;
        }

        return read;
    }

    // One for all that is read, because a stream may say something again and again, and never what is waited for.
    private static CancellationTokenSource Limit(int seconds)
    {
        var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(TimeSpan.FromSeconds(seconds));
        return limit;
    }

    private async Task<string?> ReadNextAsync(CancellationToken cancellationToken)
    {
        try
        {
            var length = await _body.ReadAsync(_buffer, cancellationToken);
            return length == 0 ? null : Encoding.UTF8.GetString(_buffer, 0, length);
        }
        catch (Exception exception) when (exception is HttpIOException or IOException)
        {
            WasCut = true;
            return null;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _body.DisposeAsync();
        _response.Dispose();
    }
}
