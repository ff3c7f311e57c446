using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Tenancy.Resolution;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Mcp.Gate;

/// <summary>Large bodies of callers without credentials cost next to nothing, so that other tenants do not notice them.</summary>
[Collection(nameof(AloneCollection))]
[Tier(Tier.Server)]
public sealed class AnonymousFloodTests : IDisposable
{
    private const int Connections = 16;
    private const int Size = 4 * 1024 * 1024;
    private static readonly byte[] Piece = [.. Enumerable.Repeat((byte)' ', 64 * 1024)];

    // A server that reads on, or does not answer, would be written to and waited for without an end.
    private readonly CancellationTokenSource _enough = CancellationTokenSource.CreateLinkedTokenSource(
        TestContext.Current.CancellationToken
    );

    public AnonymousFloodTests() => _enough.CancelAfter(TimeSpan.FromSeconds(60));

    private CancellationToken Token => _enough.Token;

    public void Dispose() => _enough.Dispose();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Sixteen_bodies_of_four_megabytes_are_refused_unread_while_another_tenant_is_served(bool saysItsLength)
    {
        await using var server = await TenancyServer.StartAsync(
            settings: new Dictionary<string, string?>(TenancyServer.DefaultSettings) { ["Tenancy:Tenants:1:limits:rateLimit"] = "1000000" }
        );
        var budgets = server.Services.GetRequiredService<BodyBudgets>();

        // Kestrel keeps the buffers of its connections, up to a megabyte each, for the next ones: they are made in the first rounds.
        var unread = server.Services.GetRequiredService<UnreadBodies>();
        for (var i = 0; i < 2; i++)
        {
            await FloodAsync(server, saysItsLength);
            await Poll.UntilAsync(() => Task.FromResult(unread.Waiting == 0));
        }

        // What a call of the other tenant costs here, its client's part included.
        var start = GC.GetTotalAllocatedBytes(precise: true);
        for (var i = 0; i < 20; i++)
        {
            await server.CallAsync("globex", McpCalls.Globex, "whoami");
        }

        var before = GC.GetTotalAllocatedBytes(precise: true);
        var bytesOfCall = (before - start) / 20;
        var flood = FloodAsync(server, saysItsLength);
        var (most, calls) = (0L, 0);
        while (!flood.IsCompleted || calls < 20)
        {
            Assert.StartsWith(
                "globex|",
                (await server.CallAsync("globex", McpCalls.Globex, "whoami"))["content"]![0]!["text"]!.ToString(),
                StringComparison.Ordinal
            );
            most = Math.Max(most, budgets.Held);
            calls++;
        }

        Assert.All(await flood, status => Assert.Equal(413, status));
        var allocated = GC.GetTotalAllocatedBytes(precise: true) - before;
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{allocated:n0} bytes allocated, {most:n0} held at most, {calls} calls of another tenant"
        );
        Assert.InRange(allocated - (calls * bytesOfCall), long.MinValue, 8_000_000);
        Assert.InRange(most, 0, saysItsLength ? 0 : Connections * BodyReader.MaxAnonymousSize);
        await Poll.UntilAsync(() => Task.FromResult(budgets.Held == 0));
    }

    [Theory]
    [InlineData("/acme/mcp", 413)]
    [InlineData("/nobody/mcp", 404)]
    public async Task The_rest_of_a_large_body_is_not_read_once_it_is_refused(string path, int status)
    {
        const int Large = 64 * 1024 * 1024;
        await using var server = await TenancyServer.StartAsync();
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(IPAddress.Loopback, server.Port, Token);
        await socket.SendAsync(Head(path, $"Content-Length: {Large}"), Token);
        var answer = ReadAsync(socket);
        var sent = 0;
        var cut = await Assert.ThrowsAsync<SocketException>(async () =>
        {
            while (sent < Large)
            {
                sent += await socket.SendAsync(Piece, Token);
            }
        });
        Assert.True(cut.SocketErrorCode is SocketError.ConnectionReset or SocketError.Shutdown, cut.Message);

        // What the machine's buffers take on the way is a few MiB.
        Assert.InRange(sent, 0, Large / 2);
        var (code, headers) = await answer;
        Assert.Equal(status, code);
        Assert.Contains("Connection: close", headers, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/acme/mcp", 400)]
    [InlineData("/nobody/mcp", 404)]
    public async Task A_connection_whose_small_body_was_refused_serves_on(string path, int status)
    {
        await using var server = await TenancyServer.StartAsync();
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(IPAddress.Loopback, server.Port, Token);
        for (var i = 0; i < 3; i++)
        {
            await socket.SendAsync((byte[])[.. Head(path, "Content-Length: 1000"), .. Piece.AsSpan(0, 1000)], Token);
            var (code, headers) = await ReadAsync(socket);
            Assert.Equal(status, code);
            Assert.DoesNotContain("Connection: close", headers, StringComparison.Ordinal);
        }
    }

    private static byte[] Head(string path, string length) =>
        Encoding.ASCII.GetBytes(
            $"POST {path} HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\nContent-Type: application/json\r\n{length}\r\n\r\n"
        );

    private Task<int[]> FloodAsync(TenancyServer server, bool saysItsLength) =>
        Task.WhenAll(Enumerable.Range(0, Connections).Select(_ => Task.Run(() => PostAsync(server.Port, saysItsLength), Token)));

    // Sends as fast as it can, and does not stop at the answer.
    private async Task<int> PostAsync(int port, bool saysItsLength)
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(IPAddress.Loopback, port, Token);
        var length = saysItsLength ? $"Content-Length: {Size}" : "Transfer-Encoding: chunked";
        await socket.SendAsync(Head("/acme/mcp", length), Token);
        var answer = ReadAsync(socket);
        try
        {
            for (var sent = 0; sent < Size; sent += Piece.Length)
            {
                if (!saysItsLength)
                {
                    await socket.SendAsync(Encoding.ASCII.GetBytes($"{Piece.Length:x}\r\n"), Token);
                }

                await SendAllAsync(socket, Piece);
                if (!saysItsLength)
                {
                    await SendAllAsync(socket, "\r\n"u8.ToArray());
                }
            }

            if (!saysItsLength)
            {
                await SendAllAsync(socket, "0\r\n\r\n"u8.ToArray());
            }
        }
        catch (SocketException)
        {
            // The server does not read on, and closes a moment later.
        }

        return (await answer).Status;
    }

    private async Task SendAllAsync(Socket socket, ReadOnlyMemory<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            bytes = bytes[await socket.SendAsync(bytes, Token)..];
        }
    }

    private async Task<(int Status, string Text)> ReadAsync(Socket socket)
    {
        var buffer = new byte[2048];
        var length = await socket.ReceiveAsync(buffer, Token);
        return (RawAnswer.Read(new(buffer, 0, length)).Status, Encoding.ASCII.GetString(buffer, 0, length));
    }
}
