using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Tenancy.Tests.Hosting;

/// <summary>
/// The way of one node to its store, which a test controls: all connections of the node go through it, to whichever server of a cluster. It
/// speaks HTTP CONNECT, which the Redis client has for it.
/// </summary>
internal sealed class StoreLink : IAsyncDisposable
{
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly CancellationTokenSource _end = new();
    private readonly Lock _gate = new();
    private readonly HashSet<Socket> _sockets = [];
    private readonly Task _accepting;
    private TaskCompletionSource _open = Opened();
    private Cut? _cut;
    private int _seen;
    private bool _isDown;

    public StoreLink()
    {
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen();
        Port = ((IPEndPoint)_listener.LocalEndPoint!).Port;
        _accepting = AcceptAsync();
    }

    /// <summary>What happens to what other nodes say.</summary>
    public enum Hearing
    {
        All,
        Nothing,
        Twice,

        /// <summary>Late, and in another order.</summary>
        Late,
    }

    public int Port { get; }

    public Hearing Hears { get; set; }

    /// <summary>How much longer each piece takes, either way.</summary>
    public TimeSpan Delay { get; set; }

    /// <summary>How many commands were seen since <see cref="Arm"/>.</summary>
    public int Seen => Volatile.Read(ref _seen);

    /// <summary>The connection string of a node that goes this way.</summary>
    public string Through(string connectionString) => $"{connectionString},tunnel=http:127.0.0.1:{Port}";

    /// <summary>Cuts all connections, and lets no new ones through until <see cref="Mend"/>.</summary>
    public void CutOff()
    {
        lock (_gate)
        {
            _isDown = true;
        }

        Break();
    }

    public void Mend()
    {
        lock (_gate)
        {
            _isDown = false;
        }
    }

    /// <summary>Holds everything back, with the connections open, until <see cref="Go"/>.</summary>
    public void Stall() => Volatile.Write(ref _open, new(TaskCreationOptions.RunContinuationsAsynchronously));

    public void Go() => Volatile.Read(ref _open).TrySetResult();

    /// <summary>Loses the command of this number, or the reply to it, and cuts all connections; new ones are let through.</summary>
    /// <param name="number">The number, from 1; those that only ask are not counted. 0 counts only.</param>
    /// <param name="afterIt">Whether the store gets the command, and only its reply is lost.</param>
    /// <param name="meanwhile">What happens at that moment.</param>
    public void Arm(int number, bool afterIt, Action? meanwhile = null)
    {
        lock (_gate)
        {
            _seen = 0;
            _cut = new(number, afterIt, meanwhile);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        Go();
        _listener.Dispose();
        Break();
        await _accepting;
        _end.Dispose();
    }

    private static TaskCompletionSource Opened()
    {
        var open = new TaskCompletionSource();
        open.SetResult();
        return open;
    }

    private async Task AcceptAsync()
    {
        while (!_end.IsCancellationRequested)
        {
            try
            {
                _ = ServeAsync(await _listener.AcceptAsync(_end.Token));
            }
            catch (Exception exception) when (IsEnd(exception)) { }
        }
    }

    private async Task ServeAsync(Socket node)
    {
        node.NoDelay = true;
        using var store = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            if (!Add(node))
            {
                return;
            }

            var target = await ReadTargetAsync(node);
            await store.ConnectAsync(target, _end.Token);
            Add(store);
            await node.SendAsync("HTTP/1.1 200 OK\r\n\r\n"u8.ToArray(), _end.Token);
            await Task.WhenAny(PumpAsync(node, store, FromNode), PumpAsync(store, node, FromStore));
        }
        catch (Exception exception) when (IsEnd(exception)) { }
        finally
        {
            node.Dispose();
            lock (_gate)
            {
                _sockets.Remove(node);
                _sockets.Remove(store);
            }
        }
    }

    private bool Add(Socket socket)
    {
        lock (_gate)
        {
            return !_isDown && _sockets.Add(socket);
        }
    }

    private async Task<IPEndPoint> ReadTargetAsync(Socket node)
    {
        var (buffer, read) = (new byte[1024], 0);
        while (!buffer.AsSpan(0, read).EndsWith("\r\n\r\n"u8))
        {
            var more = await node.ReceiveAsync(buffer.AsMemory(read), _end.Token);
            read += more > 0 ? more : throw new SocketException((int)SocketError.ConnectionReset);
        }

        // CONNECT 127.0.0.1:6379 HTTP/1.1
        return IPEndPoint.Parse(Encoding.ASCII.GetString(buffer, 0, read).Split(' ')[1]);
    }

    private async Task PumpAsync(Socket from, Socket to, Func<ReadOnlyMemory<byte>, Sending, bool> pass)
    {
        var (buffer, filled, sending) = (new byte[64 * 1024], 0, new Sending(to));
        while (await from.ReceiveAsync(buffer.AsMemory(filled), _end.Token) is > 0 and var read)
        {
            filled += read;
            await Volatile.Read(ref _open).Task;
            if (Delay > TimeSpan.Zero)
            {
                await Task.Delay(Delay, _end.Token);
            }

            var done = 0;
            while (Resp.Length(buffer.AsSpan(done, filled - done)) is > 0 and var length)
            {
                if (!pass(buffer.AsMemory(done, length), sending))
                {
                    Break();
                    return;
                }

                done += length;
            }

            await sending.FlushAsync(_end.Token);
            buffer.AsSpan(done, filled - done).CopyTo(buffer);
            filled -= done;
            if (filled == buffer.Length)
            {
                Array.Resize(ref buffer, buffer.Length * 2);
            }
        }
    }

    private bool FromNode(ReadOnlyMemory<byte> command, Sending sending)
    {
        if (Resp.IsWrite(command.Span))
        {
            lock (_gate)
            {
                if (_cut is { } cut && ++_seen == cut.Number)
                {
                    if (cut.IsAfter)
                    {
                        cut.IsLosingReply = true;
                    }
                    else
                    {
                        cut.Meanwhile?.Invoke();
                        return false;
                    }
                }
            }
        }

        sending.Add(command.Span);
        return true;
    }

    private bool FromStore(ReadOnlyMemory<byte> reply, Sending sending)
    {
        lock (_gate)
        {
            if (_cut is { IsLosingReply: true } cut)
            {
                cut.IsLosingReply = false;
                cut.Meanwhile?.Invoke();
                return false;
            }
        }

        if (Hears == Hearing.All || !Resp.IsMessage(reply.Span))
        {
            sending.Add(reply.Span);
            return true;
        }

        if (Hears == Hearing.Twice)
        {
            sending.Add(reply.Span);
            sending.Add(reply.Span);
        }
        else if (Hears == Hearing.Late)
        {
            _ = SendLateAsync(reply.ToArray(), sending);
        }

        return true;
    }

    private async Task SendLateAsync(byte[] message, Sending sending)
    {
        try
        {
            // Each as late as it comes: a later one may be there before it.
            await Task.Delay(Random.Shared.Next(20, 400), _end.Token);
            await sending.SendAsync(message, _end.Token);
        }
        catch (Exception exception) when (IsEnd(exception)) { }
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

    private static bool IsEnd(Exception exception) =>
        exception is OperationCanceledException or SocketException or ObjectDisposedException or FormatException;

    /// <summary>What goes one way of one connection.</summary>
    private sealed class Sending(Socket to)
    {
        private readonly SemaphoreSlim _turn = new(1, 1);
        private readonly MemoryStream _pending = new();

        public void Add(ReadOnlySpan<byte> bytes) => _pending.Write(bytes);

        public async Task FlushAsync(CancellationToken cancellationToken)
        {
            await SendAsync(_pending.GetBuffer().AsMemory(0, (int)_pending.Length), cancellationToken);
            _pending.SetLength(0);
        }

        public async Task SendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
        {
            await _turn.WaitAsync(cancellationToken);
            try
            {
                while (!bytes.IsEmpty)
                {
                    bytes = bytes[await to.SendAsync(bytes, cancellationToken)..];
                }
            }
            finally
            {
                _turn.Release();
            }
        }
    }

    private sealed class Cut(int number, bool isAfter, Action? meanwhile)
    {
        public int Number { get; } = number;

        public bool IsAfter { get; } = isAfter;

        public Action? Meanwhile { get; } = meanwhile;

        public bool IsLosingReply { get; set; }
    }

    /// <summary>As much of Redis' protocol as it takes to tell where a command or a reply ends, and what it is.</summary>
    private static class Resp
    {
        private static readonly string[] Writes = ["EVALSHA", "EVAL"];

        /// <summary>The bytes of the first whole command or reply; 0 where it is not there yet.</summary>
        public static int Length(ReadOnlySpan<byte> bytes)
        {
            var line = bytes.IndexOf("\r\n"u8);
            if (line < 0)
            {
                return 0;
            }

            return bytes[0] switch
            {
                (byte)'$' or (byte)'=' or (byte)'!' => Text(bytes, line),
                (byte)'*' or (byte)'>' or (byte)'~' => Items(bytes, line, Number(bytes[1..line])),
                (byte)'%' => Items(bytes, line, 2 * Number(bytes[1..line])),
                (byte)'|' => Items(bytes, line, (2 * Number(bytes[1..line])) + 1),
                _ => line + 2,
            };
        }

        public static bool IsMessage(ReadOnlySpan<byte> reply) => reply.StartsWith(">3\r\n$7\r\nmessage\r\n"u8);

        public static bool IsWrite(ReadOnlySpan<byte> command)
        {
            foreach (var name in Writes)
            {
                if (
                    command[0] == '*'
                    && command[(command.IndexOf((byte)'\n') + 1)..].StartsWith(Encoding.ASCII.GetBytes($"${name.Length}\r\n{name}\r\n"))
                )
                {
                    return true;
                }
            }

            return false;
        }

        private static int Text(ReadOnlySpan<byte> bytes, int line)
        {
            var length = Number(bytes[1..line]);
            var all = length < 0 ? line + 2 : line + 2 + length + 2;
            return all <= bytes.Length ? all : 0;
        }

        private static int Items(ReadOnlySpan<byte> bytes, int line, int count)
        {
            var at = line + 2;
            for (var i = 0; i < count; i++)
            {
                var length = at < bytes.Length ? Length(bytes[at..]) : 0;
                if (length == 0)
                {
                    return 0;
                }

                at += length;
            }

            return at;
        }

        private static int Number(ReadOnlySpan<byte> digits) =>
            int.Parse(digits, System.Globalization.NumberStyles.AllowLeadingSign, System.Globalization.CultureInfo.InvariantCulture);
    }
}
