using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Forwarder;

namespace Tenancy.Tests.Hosting;

/// <summary>
/// A real reverse proxy of the test's own, as it comes but for its limits on silence, which can be shortened. Skips the test where it is
/// not installed.
/// </summary>
internal sealed class ReverseProxy : IAsyncDisposable
{
    private readonly Process? _process;
    private readonly WebApplication? _yarp;
    private readonly string? _directory;

    private ReverseProxy(int port, Process? process, WebApplication? yarp, string? directory) =>
        (Port, _process, _yarp, _directory) = (port, process, yarp, directory);

    public int Port { get; }

    /// <summary>Starts one.</summary>
    /// <param name="kind">nginx, haproxy, varnish or yarp.</param>
    /// <param name="upstream">The port that it passes requests on to.</param>
    /// <param name="scale">What its own limits are multiplied by; 1 leaves them as they come.</param>
    public static async Task<ReverseProxy> StartAsync(string kind, int upstream, double scale)
    {
        if (kind == "yarp")
        {
            return await StartYarpAsync(upstream, scale);
        }

        var (directory, port) = (Directory.CreateTempSubdirectory("tenancy-proxy-").FullName, FreePort());
        var (file, arguments) = kind switch
        {
            "nginx" => ("nginx", await ConfigureNginxAsync(directory, port, upstream, scale)),
            "haproxy" => ("haproxy", await ConfigureHaproxyAsync(directory, port, upstream, scale)),
            _ => ("varnishd", await ConfigureVarnishAsync(directory, port, upstream, scale)),
        };
        var executable = Find(file);
        Assert.SkipWhen(executable is null, $"{file} is not installed.");
        var process = Process.Start(new ProcessStartInfo(executable, arguments) { RedirectStandardError = true })!;
        var proxy = new ReverseProxy(port, process, yarp: null, directory);
        try
        {
            await Poll.UntilAsync(() => IsListeningAsync(port, process));
            return proxy;
        }
        catch
        {
            await proxy.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_yarp is not null)
        {
            using var now = new CancellationTokenSource();
            await now.CancelAsync();
            await _yarp.StopAsync(now.Token);
            await _yarp.DisposeAsync();
        }

        if (_process is not null)
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync(CancellationToken.None);
            _process.Dispose();
            Directory.Delete(_directory!, recursive: true);
        }
    }

    private static async Task<string[]> ConfigureNginxAsync(string directory, int port, int upstream, double scale)
    {
        var limit = scale == 1 ? "" : $"proxy_read_timeout {Milliseconds(60, scale)}ms;";
        var user = Environment.UserName == "root" ? "user root;" : "";
        return
        [
            "-p",
            directory,
            "-c",
            await WriteAsync(
                directory,
                $$"""
                {{user}} daemon off; master_process off; pid {{directory}}/pid; error_log {{directory}}/error.log;
                events {}
                http {
                  access_log off; client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi;
                  scgi_temp_path scgi;
                  server { listen 127.0.0.1:{{port}}; location / { proxy_pass http://127.0.0.1:{{upstream}}; {{limit}} } }
                }
                """
            ),
        ];
    }

    // The limits of Debian's file: HAProxy itself has none.
    private static async Task<string[]> ConfigureHaproxyAsync(string directory, int port, int upstream, double scale) =>
        [
            "-db",
            "-f",
            await WriteAsync(
                directory,
                $"""
                defaults
                  mode http
                  timeout connect 5000
                  timeout client {Milliseconds(50, scale)}
                  timeout server {Milliseconds(50, scale)}
                frontend front
                  bind 127.0.0.1:{port}
                  default_backend back
                backend back
                  server one 127.0.0.1:{upstream}

                """
            ),
        ];

    private static async Task<string[]> ConfigureVarnishAsync(string directory, int port, int upstream, double scale)
    {
        var limit = (60 * scale).ToString("0.###", CultureInfo.InvariantCulture);
        string[] limits = scale == 1 ? [] : ["-p", $"first_byte_timeout={limit}", "-p", $"between_bytes_timeout={limit}"];
        return
        [
            "-F",
            "-j",
            "none",
            "-n",
            Path.Combine(directory, "work"),
            "-a",
            $"127.0.0.1:{port}",
            "-s",
            "malloc,16m",
            "-f",
            await WriteAsync(directory, $$"""vcl 4.1; backend default { .host = "127.0.0.1"; .port = "{{upstream}}"; }"""),
            .. limits,
        ];
    }

    private static async Task<ReverseProxy> StartYarpAsync(int upstream, double scale)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder
            .Services.AddReverseProxy()
            .LoadFromMemory(
                [
                    new()
                    {
                        RouteId = "all",
                        ClusterId = "one",
                        Match = new() { Path = "{**all}" },
                    },
                ],
                [
                    new ClusterConfig
                    {
                        ClusterId = "one",
                        Destinations = new Dictionary<string, DestinationConfig>
                        {
                            ["one"] = new() { Address = $"http://127.0.0.1:{upstream}" },
                        },
                        HttpRequest =
                            scale == 1
                                ? null
                                : new ForwarderRequestConfig { ActivityTimeout = TimeSpan.FromMilliseconds(Milliseconds(100, scale)) },
                    },
                ]
            );
        var app = builder.Build();
        app.MapReverseProxy();
        await app.StartAsync();
        return new(new Uri(app.Urls.First()).Port, process: null, app, directory: null);
    }

    private static async Task<string> WriteAsync(string directory, string text)
    {
        var path = Path.Combine(directory, "configuration");
        await File.WriteAllTextAsync(path, text);
        return path;
    }

    private static int Milliseconds(int seconds, double scale) => (int)(seconds * 1000 * scale);

    internal static string? Find(string file) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "")
            .Split(Path.PathSeparator)
            .Append("/usr/sbin")
            .Select(folder => Path.Combine(folder, file))
            .FirstOrDefault(File.Exists);

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static async Task<bool> IsListeningAsync(int port, Process process)
    {
        Assert.False(process.HasExited, process.HasExited ? await process.StandardError.ReadToEndAsync() : "");
        using var client = new TcpClient();
        try
        {
            await client.ConnectAsync(IPAddress.Loopback, port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
