using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Tenancy.Benchmarks.Load;

/// <summary>
/// Senders without credentials, each of which sends a server one body of 4 MiB after the other, and does not stop at the refusal.
/// </summary>
internal sealed class BodyFlood : IAsyncDisposable
{
    public const int Senders = 16;
    public const int Size = 4 * 1024 * 1024;

    private static readonly byte[] Piece = [.. Enumerable.Repeat((byte)' ', 64 * 1024)];

    private readonly CancellationTokenSource _end = new();
    private readonly Task[] _senders;
    private readonly Uri _server;
    private readonly byte[] _head;
    private readonly TaskCompletionSource _underWay = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _refused;

    public BodyFlood(string server, string tenant)
    {
        _server = new(server);
        _head = Encoding.ASCII.GetBytes(
            $"POST /{tenant}/mcp HTTP/1.1\r\nHost: {LoadTenants.BaseDomain}\r\nAccept: application/json\r\n"
                + $"Content-Type: application/json\r\nContent-Length: {Size}\r\n\r\n"
        );
        _senders = [.. Enumerable.Range(0, Senders).Select(_ => Task.Run(SendAsync))];
    }

    /// <summary>Gets a task that ends when as many bodies were refused as there are senders, and fails where one is not refused.</summary>
    public Task IsUnderWay => _underWay.Task;

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await Task.WhenAll(_senders).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _end.Dispose();
    }

    private async Task SendAsync()
    {
        while (true)
        {
            using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            await socket.ConnectAsync(IPAddress.Loopback, _server.Port, _end.Token);
            await socket.SendAsync(_head, _end.Token);
            var answer = ReadAsync(socket);
            try
            {
                for (var sent = 0; sent < Size; )
                {
                    sent += await socket.SendAsync(Piece.AsMemory(0, Math.Min(Piece.Length, Size - sent)), _end.Token);
                }
            }
            catch (SocketException)
            {
                // The server does not read on, and closes a moment later.
            }

            await answer;
        }
    }

    private async Task ReadAsync(Socket socket)
    {
        var buffer = new byte[1024];
        var length = await socket.ReceiveAsync(buffer, _end.Token);
        var line = Encoding.ASCII.GetString(buffer, 0, Math.Min(length, 12));
        if (line is not ("HTTP/1.1 413" or "HTTP/1.1 429"))
        {
            _underWay.TrySetException(
                new InvalidOperationException($"A large body without credentials was answered with '{line}', not with 413 or 429.")
            );
        }
        else if (Interlocked.Increment(ref _refused) == Senders)
        {
            _underWay.TrySetResult();
        }
    }
}
