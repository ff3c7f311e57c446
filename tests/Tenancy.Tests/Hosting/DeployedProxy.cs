using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Tenancy.Tests.Hosting;

/// <summary>
/// A real reverse proxy before three nodes, configured by its file of <c>deploy/</c>: only addresses are other ones. Skips the test where
/// it is not installed.
/// </summary>
internal sealed class DeployedProxy : IAsyncDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("tenancy-deployed-").FullName;
    private Process? _process;
    private WebApplication? _yarp;

    private DeployedProxy(int port) => Port = port;

    public int Port { get; private set; }

    /// <param name="kind">nginx, haproxy, caddy, apache, varnish or yarp.</param>
    /// <param name="nodes">The ports of the three nodes.</param>
    public static async Task<DeployedProxy> StartAsync(string kind, IReadOnlyList<int> nodes)
    {
        var proxy = new DeployedProxy(RedisServer.FreePort());
        try
        {
            await (kind == "yarp" ? proxy.StartYarpAsync(nodes) : proxy.StartProcessAsync(kind, nodes));
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
            await _yarp.DisposeAsync();
        }

        if (_process is not null)
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync();
            _process.Dispose();
        }

        Directory.Delete(_directory, recursive: true);
    }

    private async Task StartProcessAsync(string kind, IReadOnlyList<int> nodes)
    {
        var (program, name, listens) = kind switch
        {
            "nginx" => ("nginx", "nginx.conf", ("listen 80;", $"listen 127.0.0.1:{Port};")),
            "haproxy" => ("haproxy", "haproxy.cfg", ("bind *:80", $"bind 127.0.0.1:{Port}")),
            "apache" => ("apache2", "apache.conf", ("Listen 80", $"Listen 127.0.0.1:{Port}")),
            "varnish" => ("varnishd", "varnish.vcl", ("vcl 4.1;", "vcl 4.1;")),
            _ => ("caddy", "Caddyfile", ("http://:80", $"http://:{Port}")),
        };
        var executable = ReverseProxy.Find(program);
        Assert.SkipWhen(executable is null, $"{program} is not installed.");
        var file = Path.Combine(_directory, name);
        var text = await ReadAsync(name, nodes);
        Assert.Contains(listens.Item1, text, StringComparison.Ordinal);
        text = text.Replace(listens.Item1, listens.Item2, StringComparison.Ordinal);
        await File.WriteAllTextAsync(file, kind == "apache" ? ForDebian(text) : text);
        var start = new ProcessStartInfo(executable!, Arguments(kind, file))
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        start.Environment["HOME"] = _directory;
        _process = Process.Start(start)!;
        _process.BeginErrorReadLine();
        _process.BeginOutputReadLine();
        await Poll.UntilAsync(IsThereAsync);
    }

    private string[] Arguments(string kind, string file) =>
        kind switch
        {
            "nginx" =>
            [
                "-p",
                _directory,
                "-c",
                file,
                "-g",
                $"daemon off; pid {_directory}/pid; error_log {_directory}/error.log;"
                    + (Environment.UserName == "root" ? " user root;" : ""),
            ],
            "haproxy" => ["-db", "-f", file],
            "apache" => ["-D", "FOREGROUND", "-d", _directory, "-f", file],
            "varnish" =>
            [
                .. new[] { "-F", "-j", "none", "-n", Path.Combine(_directory, "work"), "-a", $"127.0.0.1:{Port}", "-s", "malloc,16m" },
                .. new[] { "-p", "http_req_hdr_len=24k", "-p", "http_req_size=48k", "-p", "workspace_client=128k", "-f", file },
            ],
            _ => ["run", "--adapter", "caddyfile", "--config", file],
        };

    // Where Debian has the modules; what it writes is the test's.
    private string ForDebian(string text) =>
        text.Replace(" modules/", " /usr/lib/apache2/modules/", StringComparison.Ordinal)
        + $"PidFile {_directory}/pid\nErrorLog {_directory}/error.log\nDefaultRuntimeDir {_directory}\n";

    private async Task StartYarpAsync(IReadOnlyList<int> nodes)
    {
        var file = Path.Combine(_directory, "yarp.json");
        await File.WriteAllTextAsync(file, await ReadAsync("yarp.json", nodes));
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Configuration.AddJsonFile(file);
        builder.WebHost.UseUrls($"http://127.0.0.1:{Port}");
        builder.Services.AddReverseProxy().LoadFromConfig(builder.Configuration.GetSection("ReverseProxy"));
        _yarp = builder.Build();
        _yarp.MapReverseProxy();
        await _yarp.StartAsync();
        await Poll.UntilAsync(IsThereAsync);
    }

    private static async Task<string> ReadAsync(string name, IReadOnlyList<int> nodes)
    {
        var text = await File.ReadAllTextAsync(Path.Combine(Repository.Root, "deploy", name));
        for (var i = 0; i < nodes.Count; i++)
        {
            Assert.Contains($"app{i + 1}:8080", text, StringComparison.Ordinal);
            text = text.Replace($"app{i + 1}:8080", $"127.0.0.1:{nodes[i]}", StringComparison.Ordinal);
        }

        return text;
    }

    // Whether it passes a request on.
    private async Task<bool> IsThereAsync()
    {
        Assert.False(_process is { HasExited: true }, "The proxy has ended.");
        using var client = NodeProcess.NewClient(() => Port);
        try
        {
            using var response = await client.GetAsync(new Uri("/health/ready", UriKind.Relative));
            return response.StatusCode == HttpStatusCode.OK;
        }
        catch (Exception exception) when (exception is HttpRequestException or SocketException)
        {
            return false;
        }
    }
}
