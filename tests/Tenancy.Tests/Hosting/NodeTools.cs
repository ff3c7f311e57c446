using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;
using Tenancy.Adcp;
using Tenancy.Mcp;

namespace Tenancy.Tests.Hosting;

/// <summary>What the nodes of a test can do beside what the scaffold can: tools that say whom they serve, wait, and ask.</summary>
internal sealed class NodeTools(TimeProvider time)
{
    /// <summary>Names a file in which handlers that have an end note that they begin and end.</summary>
    public const string RunsVariable = "TENANCY_TEST_RUNS";

    [McpServerTool(Name = "whoami")]
    public static string WhoAmI(ToolContext context) => $"{context.TenantId}|{context.Caller}|{Environment.ProcessId}";

    [McpServerTool(Name = "wait")]
    public static async Task<string> WaitAsync(ToolContext context, int milliseconds, CancellationToken cancellationToken)
    {
        await Task.Delay(milliseconds, cancellationToken);
        return $"{context.TenantId}|{context.Caller}";
    }

    // The SDK's way, as it takes the server.
    [McpServerTool(Name = "ask")]
    public static async Task<string> AskAsync(McpServer server, ToolContext context, string question, CancellationToken cancellationToken)
    {
        var answer = await server.ElicitAsync(
            new ElicitRequestParams
            {
                Message = question,
                RequestedSchema = new()
                {
                    Properties = new Dictionary<string, ElicitRequestParams.PrimitiveSchemaDefinition>
                    {
                        ["name"] = new ElicitRequestParams.StringSchema(),
                    },
                },
            },
            cancellationToken
        );
        return $"{context.TenantId}|{context.Caller}|{answer.Action} {answer.Content?["name"]}";
    }

    /// <summary>Buys after a while. What it has begun it must end, once for each key.</summary>
    [AdcpTool("slow_buy", TimeoutSeconds = 20)]
    public async Task<CreateMediaBuyResponse> BuyAsync(
        CreateMediaBuyRequest request,
        ToolContext context,
        CancellationToken cancellationToken
    )
    {
        Note($"begun {request.IdempotencyKey}");
        var takes = int.Parse(request.PoNumber ?? "0", System.Globalization.CultureInfo.InvariantCulture);
        await Task.Delay(TimeSpan.FromMilliseconds(takes), time, cancellationToken);
        Note($"ended {request.IdempotencyKey}");
        return new()
        {
            MediaBuyId = $"{context.TenantId}|{context.Caller}|{context.AccountId}|{context.OperationId}",
            Status = MediaBuyStatus.Active,
            Packages = [],
        };
    }

    private static void Note(string line)
    {
        if (Environment.GetEnvironmentVariable(RunsVariable) is { Length: > 0 } file)
        {
            // One write of a short line is whole, whoever else appends to the file.
            using var stream = new FileStream(file, FileMode.Append, FileAccess.Write, FileShare.ReadWrite, bufferSize: 1);
            stream.Write(System.Text.Encoding.UTF8.GetBytes(line + "\n"));
        }
    }

    /// <summary>Adds the tools to the server that is built in this process, from outside.</summary>
    internal sealed class Adder : IObserver<DiagnosticListener>, IObserver<KeyValuePair<string, object?>>
    {
        public void OnNext(DiagnosticListener value)
        {
            if (value.Name == "Microsoft.Extensions.Hosting")
            {
                value.Subscribe(this);
            }
        }

        public void OnNext(KeyValuePair<string, object?> value)
        {
            if (value is { Key: "HostBuilding", Value: IHostBuilder host })
            {
                host.ConfigureServices(services =>
                    services.AddSingleton(new CommonHandlers(platform => platform.AddHandlers<NodeTools>()))
                );
            }
        }

        public void OnCompleted() { }

        public void OnError(Exception error) { }
    }
}
