using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using ModelContextProtocol.Server;
using Tenancy.Authentication;
using Tenancy.Mcp;
using Tenancy.Registry;
using Tenancy.State;

namespace Tenancy.Benchmarks;

/// <summary>The CPU of a tool call with and without the rate limit: two servers of one build, each a process of its own, called in alternating rounds.</summary>
internal static class CallRun
{
    private const int Callers = 16;
    private const int CallsPerRound = 3000;
    private const int Rounds = 9;

    public static async Task RunAsync(string redis, TextWriter output)
    {
        using var with = await StartAsync(redis, "limit");
        using var without = await StartAsync(redis, "no-limit");
        await with.CallAsync(CallsPerRound);
        await without.CallAsync(CallsPerRound);
        var (limited, free) = (new List<double>(), new List<double>());
        for (var round = 0; round < Rounds; round++)
        {
            limited.Add(await with.CallAsync(CallsPerRound));
            free.Add(await without.CallAsync(CallsPerRound));
        }

        var ratios = limited.Zip(free, (one, other) => one / other).Order().ToArray();
        await output.WriteLineAsync(string.Create(
            CultureInfo.InvariantCulture,
            $"\nCPU per tool call: {Median(free):F0} us without the rate limit, {Median(limited):F0} us with it, ratio {ratios[Rounds / 2]:F2} [{ratios[Rounds / 4]:F2}-{ratios[Rounds * 3 / 4]:F2}]"));
    }

    /// <summary>Serves until its input ends.</summary>
    public static async Task ServeAsync(string redis, bool isLimited)
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { EnvironmentName = "Development" });
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["ConnectionStrings:Redis"] = redis,
            ["Tenancy:BaseDomain"] = "localhost",
            ["Tenancy:Tenants:0:id"] = "acme",
            ["Tenancy:Tenants:0:limits:rateLimit"] = "1000000000",
            ["Tenancy:Tenants:0:principals:0:name"] = "buyer",
            ["Tenancy:Tenants:0:principals:0:token"] = "acme.dev-buyer",
        });
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        if (!isLimited)
        {
            builder.Services.AddSingleton<RequestLimits, NoLimits>();
        }

        builder.Services.AddTenancy(builder.Configuration).AddPlatform<EchoPlatform>("echo");
        await using var app = builder.Build();
        app.UseTenancy();
        app.MapTenantMcp();
        await app.StartAsync();
        await Console.Out.WriteLineAsync(app.Urls.First());
        await Console.In.ReadToEndAsync();
    }

    private static async Task<Server> StartAsync(string redis, string mode)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardInput = true, RedirectStandardOutput = true };
        foreach (var argument in (string[])[.. Environment.ProcessPath!.EndsWith("dotnet", StringComparison.Ordinal) ? [typeof(CallRun).Assembly.Location] : Array.Empty<string>(), "--serve", mode, redis])
        {
            start.ArgumentList.Add(argument);
        }

        var process = Process.Start(start)!;
        return new(process, await process.StandardOutput.ReadLineAsync() ?? throw new InvalidOperationException("The server did not start."));
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);

    private sealed class Server(Process process, string address) : IDisposable
    {
        private readonly HttpClient _client = new(new SocketsHttpHandler { UseProxy = false, MaxConnectionsPerServer = Callers }) { BaseAddress = new Uri(address) };

        /// <summary>Makes calls, and gives the server's CPU time for one in microseconds.</summary>
        public async Task<double> CallAsync(int calls)
        {
            process.Refresh();
            var before = process.TotalProcessorTime;
            await Task.WhenAll(Enumerable.Range(0, Callers).Select(_ => Task.Run(async () =>
            {
                for (var i = 0; i < calls / Callers; i++)
                {
                    using var request = new HttpRequestMessage(HttpMethod.Post, "/acme/mcp")
                    {
                        Content = new StringContent("""{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":{"message":"hello"}}}""", Encoding.UTF8, "application/json"),
                    };
                    request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", "acme.dev-buyer");
                    request.Headers.TryAddWithoutValidation("Accept", "application/json, text/event-stream");
                    using var response = await _client.SendAsync(request);
                    response.EnsureSuccessStatusCode();
                }
            })));
            process.Refresh();
            return (process.TotalProcessorTime - before).TotalMicroseconds / (calls / Callers * Callers);
        }

        public void Dispose()
        {
            _client.Dispose();
            process.StandardInput.Close();
            process.WaitForExit();
            process.Dispose();
        }
    }

    private sealed class NoLimits(RedisConnection redis, LocalRateLimiter local) : RequestLimits(redis, local)
    {
        private static readonly RateLimitResult Allowed = new(true, RateLimit.Tenant(1), 1, TimeSpan.Zero, TimeSpan.Zero);

        public override ValueTask<RateLimitResult> AcquireAsync(HttpContext context, TenantModel tenant, CallerIdentity caller) => new(Allowed);
    }

    private sealed class EchoPlatform : ITenantPlatform<EchoPlatform>
    {
        public static void Define(IPlatformBuilder platform) => platform.AddHandlers<EchoTools>();

        public static Task<EchoPlatform> CreateAsync(TenantSetup tenant, CancellationToken cancellationToken) => Task.FromResult(new EchoPlatform());
    }

    private sealed class EchoTools
    {
        [McpServerTool(Name = "echo")]
        public static string Echo(string message) => message;
    }
}
