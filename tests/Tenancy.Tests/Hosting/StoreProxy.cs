using System.Net;
using System.Net.Sockets;
using System.Text;
using StackExchange.Redis;

namespace Tenancy.Tests.Hosting;

/// <summary>
/// Stands between a connection and its store, and loses one command or its reply: then all connections that there are break, as when a
/// cable is cut. New ones are let through.
/// </summary>
internal sealed class StoreProxy : IAsyncDisposable
{
    private static readonly string[] Commands = ["EVALSHA", "EVAL", "HMGET", "HGET", "ZRANGEBYLEX"];
    private readonly EndPoint _store;
    private readonly Socket _listener;
    private readonly CancellationTokenSource _end = new();
    private readonly Task _accepting;
    private readonly Lock _gate = new();
    private readonly List<Socket> _sockets = [];
    private Cut? _cut;
    private int _seen;
    private bool _isLosingReply;

    public StoreProxy(EndPoint store)
    {
        _store = store;
        if (store is UnixDomainSocketEndPoint)
        {
            var path = Path.Combine(Directory.CreateTempSubdirectory("tenancy-proxy-").FullName, "s");
            _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            EndPoint = new UnixDomainSocketEndPoint(path);
            _listener.Bind(EndPoint);
        }
        else
        {
            _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            EndPoint = _listener.LocalEndPoint!;
        }

        _listener.Listen();
        _accepting = AcceptAsync();
    }

    public EndPoint EndPoint { get; }

    /// <summary>How many commands were seen since <see cref="Arm"/>.</summary>
    public int Seen => Volatile.Read(ref _seen);

    public static ConfigurationOptions Through(StoreProxy proxy, ConfigurationOptions settings)
    {
        var through = settings.Clone();
        through.EndPoints.Clear();
        through.EndPoints.Add(proxy.EndPoint);
        return through;
    }

    /// <summary>Loses the command of this number, or the reply to it. 0 counts only.</summary>
    /// <param name="number">The number, from 1.</param>
    /// <param name="afterIt">Whether the store gets the command, and only its reply is lost.</param>
    /// <param name="meanwhile">What happens at that moment; null for nothing but the loss.</param>
    public void Arm(int number, bool afterIt, Func<Task>? meanwhile = null)
    {
        lock (_gate)
        {
            _seen = 0;
            _cut = new(number, afterIt, meanwhile);
            _isLosingReply = false;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        _listener.Dispose();
        Break();
        await _accepting;
        _end.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!_end.IsCancellationRequested)
        {
            try
            {
                var client = await _listener.AcceptAsync(_end.Token);
                var store = new Socket(
                    _store.AddressFamily,
                    SocketType.Stream,
                    _store is UnixDomainSocketEndPoint ? ProtocolType.Unspecified : ProtocolType.Tcp
                );
                await store.ConnectAsync(_store, _end.Token);
                lock (_gate)
                {
                    _sockets.AddRange([client, store]);
                }

                _ = PumpAsync(client, store, isRequest: true);
                _ = PumpAsync(store, client, isRequest: false);
            }
            catch (Exception exception) when (exception is OperationCanceledException or SocketException or ObjectDisposedException) { }
        }
    }

    private async Task PumpAsync(Socket from, Socket to, bool isRequest)
    {
        var buffer = new byte[64 * 1024];
        try
        {
            while (await from.ReceiveAsync(buffer, _end.Token) is > 0 and var read)
            {
                if (isRequest ? LosesRequest(buffer.AsSpan(0, read)) : LosesReply())
                {
                    if (Volatile.Read(ref _cut)?.Meanwhile is { } meanwhile)
                    {
                        await meanwhile();
                    }

                    Break();
                    return;
                }

                for (var sent = 0; sent < read; )
                {
                    sent += await to.SendAsync(buffer.AsMemory(sent, read - sent), _end.Token);
                }
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or SocketException or ObjectDisposedException) { }

        from.Dispose();
        to.Dispose();
    }

    private bool LosesRequest(ReadOnlySpan<byte> bytes)
    {
        var text = Encoding.Latin1.GetString(bytes);
        lock (_gate)
        {
            foreach (var command in Commands)
            {
                if (text.Contains($"${command.Length}\r\n{command}\r\n", StringComparison.Ordinal) && ++_seen == _cut?.Number)
                {
                    _isLosingReply = _cut.IsAfter;
                    return !_cut.IsAfter;
                }
            }

            return false;
        }
    }

    private bool LosesReply()
    {
        lock (_gate)
        {
            return Interlocked.Exchange(ref _isLosingReply, false);
        }
    }

    private void Break()
    {
        Socket[] sockets;
        lock (_gate)
        {
            sockets = [.. _sockets];
            _sockets.Clear();
        }

        foreach (var socket in sockets)
        {
            socket.Dispose();
        }
    }

    private sealed record Cut(int Number, bool IsAfter, Func<Task>? Meanwhile);
}
