using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Tenancy.Template.Tests;

/// <summary>Takes what OpenTelemetry sends by HTTP, and remembers where it was sent.</summary>
internal sealed class Collector : IDisposable
{
    private readonly HttpListener _listener = new();
    private readonly ConcurrentDictionary<string, bool> _paths = new(StringComparer.Ordinal);

    public Collector()
    {
        using (var free = new TcpListener(IPAddress.Loopback, 0))
        {
            free.Start();
            Url = $"http://127.0.0.1:{((IPEndPoint)free.LocalEndpoint).Port}";
        }

        _listener.Prefixes.Add(Url + "/");
        _listener.Start();
        _ = ServeAsync();
    }

    /// <summary>Gets the address, without a trailing slash.</summary>
    public string Url { get; }

    /// <summary>Waits until something was sent to each of these paths.</summary>
    public async Task UntilAsync(params string[] paths)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(TimeSpan.FromMinutes(1));
        while (!paths.All(_paths.ContainsKey))
        {
            await Task.Delay(50, limit.Token);
        }
    }

    public void Dispose() => _listener.Close();

    private async Task ServeAsync()
    {
        try
        {
            while (true)
            {
                var context = await _listener.GetContextAsync();
                _paths[context.Request.Url!.AbsolutePath] = true;
                context.Response.Close();
            }
        }
        catch (Exception exception) when (exception is HttpListenerException or ObjectDisposedException)
        {
            // The test has ended.
        }
    }
}
