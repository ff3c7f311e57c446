using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Tenancy.Tests.Hosting;

/// <summary>
/// What a server answered to bytes that no well-behaved client would send. Status 0: it closed the connection without a word.
/// </summary>
internal sealed record RawAnswer(int Status, string Text)
{
    public static RawAnswer Read(MemoryStream bytes)
    {
        var text = Encoding.UTF8.GetString(bytes.ToArray());
        return new(text.Length == 0 ? 0 : int.Parse(text.AsSpan("HTTP/1.1 ".Length, 3), CultureInfo.InvariantCulture), text);
    }
}

/// <summary>HTTP/1.1 as bytes on a socket, because HttpClient mends or refuses what these tests want to send.</summary>
internal static class RawHttp
{
    /// <summary>Posts an MCP call.</summary>
    /// <param name="port">The server's port.</param>
    /// <param name="target">The request target, as it stands on the wire.</param>
    /// <param name="headers">Whole header lines, Host included, without their line ends.</param>
    /// <param name="body">The body; a call of an anonymous tool where it is left out.</param>
    public static async Task<RawAnswer> PostAsync(int port, string target, IEnumerable<string> headers, string? body = null)
    {
        body ??= McpCalls.Call("get_products");
        var head = new StringBuilder($"POST {target} HTTP/1.1\r\n");
        foreach (var header in headers)
        {
            head.Append(header).Append("\r\n");
        }

        head.Append(
            CultureInfo.InvariantCulture,
            $"Accept: application/json\r\nContent-Type: application/json\r\nContent-Length: {body.Length}\r\nConnection: "
                + $"close\r\n\r\n{body}"
        );
        return await SendAsync(port, Encoding.UTF8.GetBytes(head.ToString()));
    }

    private static async Task<RawAnswer> SendAsync(int port, byte[] request)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(TimeSpan.FromSeconds(20));
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPAddress.Loopback, port, limit.Token);
        var answer = new MemoryStream();
        try
        {
            await socket.SendAsync(request, limit.Token);
            await using var stream = new NetworkStream(socket);
            await stream.CopyToAsync(answer, limit.Token);
        }
        catch (Exception exception) when (exception is IOException or SocketException)
        {
            // The server may refuse the head, and close, before it has read all of the request.
        }

        return RawAnswer.Read(answer);
    }
}

/// <summary>A post whose body comes when the test says so.</summary>
internal sealed class RawPost : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };

    private RawPost() { }

    /// <summary>Whether the server has said anything yet.</summary>
    public bool IsAnswered => _socket.Poll(TimeSpan.Zero, SelectMode.SelectRead);

    /// <summary>Sends a head that promises a body, and no body.</summary>
    public static async Task<RawPost> BeginAsync(int port, string target, string? token, string promise = "Content-Length: 1000000")
    {
        var post = new RawPost();
        await post._socket.ConnectAsync(IPAddress.Loopback, port, TestContext.Current.CancellationToken);
        await post.SendAsync(
            $"POST {target} HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\nContent-Type: application/json\r\n{promise}\r\n"
        );
        await post.SendAsync(token is null ? "\r\n" : $"Authorization: Bearer {token}\r\n\r\n");
        return post;
    }

    public async Task SendAsync(string text) => await SendAsync(Encoding.ASCII.GetBytes(text));

    public async Task SendAsync(byte[] bytes) => await _socket.SendAsync(bytes, TestContext.Current.CancellationToken);

    /// <summary>Waits for the answer, and for the server to close the connection.</summary>
    public async Task<RawAnswer> EndAsync()
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(TimeSpan.FromSeconds(20));
        var answer = new MemoryStream();
        await using var stream = new NetworkStream(_socket);
        try
        {
            await stream.CopyToAsync(answer, limit.Token);
        }
        catch (IOException)
        {
            // Kestrel reads on for 5 seconds what may still come in chunks, and then resets the connection.
        }

        return RawAnswer.Read(answer);
    }

    /// <summary>Waits for the first of the answer.</summary>
    public async Task<RawAnswer> ReadAsync()
    {
        var buffer = new byte[4096];
        var length = await _socket.ReceiveAsync(buffer, TestContext.Current.CancellationToken).AsTask().WaitAsync(TimeSpan.FromSeconds(20));
        return RawAnswer.Read(new(buffer, 0, length));
    }

    public void Dispose() => _socket.Dispose();
}
