using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Tenancy.Tests.Hosting;

/// <summary>What a server answered to bytes that no well-behaved client would send. Status 0: it closed the connection without a word.</summary>
internal sealed record RawAnswer(int Status, string Text);

/// <summary>HTTP/1.1 as bytes on a socket, because HttpClient mends or refuses what these tests want to send.</summary>
internal static class RawHttp
{
    /// <summary>Posts an MCP call.</summary>
    /// <param name="port">The server's port.</param>
    /// <param name="target">The request target, as it stands on the wire.</param>
    /// <param name="headers">Whole header lines, Host included, without their line ends.</param>
    public static async Task<RawAnswer> PostAsync(int port, string target, IEnumerable<string> headers)
    {
        var body = McpCalls.Call("get_products");
        var head = new StringBuilder($"POST {target} HTTP/1.1\r\n");
        foreach (var header in headers)
        {
            head.Append(header).Append("\r\n");
        }

        head.Append(CultureInfo.InvariantCulture, $"Accept: application/json\r\nContent-Type: application/json\r\nContent-Length: {body.Length}\r\nConnection: close\r\n\r\n{body}");
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

        var text = Encoding.UTF8.GetString(answer.ToArray());
        return new(text.Length == 0 ? 0 : int.Parse(text.AsSpan("HTTP/1.1 ".Length, 3), CultureInfo.InvariantCulture), text);
    }
}
