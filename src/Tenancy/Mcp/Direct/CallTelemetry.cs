using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;
using Tenancy.Diagnostics;
using Tenancy.Mcp.Requests;
using Tenancy.Mcp.Sessions;

namespace Tenancy.Mcp.Direct;

/// <summary>
/// The activity and the duration of a direct call, under the names and with the tags of the MCP SDK: who listens to the SDK's hears of both
/// ways.
/// </summary>
/// <remarks>
/// Names and tags follow the semantic conventions of OpenTelemetry for MCP. OpenTelemetry takes two instruments for one where name, unit,
/// description and buckets are the same, so that they are those of ModelContextProtocol 2.4.0.
/// </remarks>
internal sealed class CallTelemetry : IDisposable
{
    private const string Name = TenancyTelemetry.McpName;

    private static readonly ActivitySource Source = new(Name);
    private static readonly Histogram<double> Duration = new Meter(Name).CreateHistogram(
        "mcp.server.operation.duration",
        "s",
        "MCP request or notification duration as observed on the receiver from the time it was received until the result or ack is sent.",
        advice: new InstrumentAdvice<double>
        {
            HistogramBucketBoundaries = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300],
        }
    );

    private readonly long _begun = Stopwatch.GetTimestamp();
    private readonly Activity? _activity;
    private readonly McpRequest _request;
    private readonly string? _version;
    private string? _error;

    private CallTelemetry(McpRequest request, OpenSession? session, bool isTraced)
    {
        _activity = isTraced ? Start(request, session) : null;
        _request = request;
        _version = request.Version ?? session?.Version;
    }

    /// <summary>Begins to observe a request; null where nobody listens.</summary>
    public static CallTelemetry? Begin(McpRequest request, OpenSession? session)
    {
        var isTraced = Source.HasListeners();
        return isTraced || Duration.Enabled ? new(request, session, isTraced) : null;
    }

    /// <summary>Notes what was answered.</summary>
    public void Note(ToolAnswer answer)
    {
        if (answer.Result is { } result)
        {
            Note(result);
        }
        else if (answer.IsError)
        {
            FailTool(answer.ToResult(out _));
        }
    }

    /// <summary>Notes a result.</summary>
    public void Note(CallToolResult result)
    {
        if (result.IsError is true)
        {
            FailTool(result);
        }
    }

    /// <summary>Notes what was thrown.</summary>
    public void Fail(Exception exception)
    {
        _error = exception is McpProtocolException { ErrorCode: var error }
            ? ((int)error).ToString(CultureInfo.InvariantCulture)
            : exception.GetType().FullName;
        _activity?.SetStatus(ActivityStatusCode.Error, exception.Message);
    }

    public void Dispose()
    {
        var tags = Tags();
        if (Duration.Enabled)
        {
            Duration.Record(Stopwatch.GetElapsedTime(_begun).TotalSeconds, tags);
        }

        if (_activity is { IsAllDataRequested: true })
        {
            foreach (var (name, value) in tags)
            {
                _activity.AddTag(name, value);
            }
        }

        _activity?.Dispose();
    }

    // They are put together at the end, on the stack: kept in each call's object they would be most of what it costs.
    private TagList Tags()
    {
        var tags = new TagList
        {
            { "mcp.method.name", _request.Head.Method },
            { "network.transport", "tcp" },
            { "network.protocol.name", "http" },
        };
        if (_version is not null)
        {
            tags.Add("mcp.protocol.version", _version);
        }

        // The SDK looks for the tool's name only where somebody listens to activities.
        if (_request.Tool is { } tool && Source.HasListeners())
        {
            tags.Add("gen_ai.tool.name", tool.ProtocolTool.Name);
            tags.Add("gen_ai.operation.name", "execute_tool");
        }

        if (_error is not null)
        {
            tags.Add("error.type", _error);
        }

        // A code of JSON-RPC is a number, which no type's name begins with.
        if (_error is ['-' or (>= '0' and <= '9'), ..])
        {
            tags.Add("rpc.response.status_code", _error);
        }

        return tags;
    }

    private static Activity? Start(McpRequest request, OpenSession? session)
    {
        var meta = MessageHead.IsEmpty(request.Head.Meta) ? default : JsonElement.Parse(request.Body.Span[request.Head.Meta]);
        DistributedContextPropagator.Current.ExtractTraceIdAndState(meta, ReadText, out var traceparent, out var tracestate);
        ActivityContext.TryParse(traceparent, tracestate, isRemote: true, out var parent);
        var activity = Source.StartActivity(
            request.Tool is { } tool ? $"{request.Head.Method} {tool.ProtocolTool.Name}" : request.Head.Method!,
            ActivityKind.Server,
            parent,
            links: Activity.Current is { } current ? [new(current.Context)] : []
        );
        if (activity is { IsAllDataRequested: true })
        {
            // The SDK has an id of its own here, too, and never the session's. One without a session it knows for one request only.
            activity.AddTag("mcp.session.id", session?.TraceId ?? Guid.NewGuid().ToString("N"));
            activity.AddTag("jsonrpc.request.id", RequestIds.Read(request.Body.Span[request.Head.Id]).TrimStart('"'));
        }

        return activity;
    }

    private static void ReadText(object? carrier, string name, out string? value, out IEnumerable<string>? values)
    {
        values = null;
        value =
            carrier is JsonElement { ValueKind: JsonValueKind.Object } meta
            && meta.TryGetProperty(name, out var text)
            && text.ValueKind == JsonValueKind.String
                ? text.GetString()
                : null;
    }

    private void FailTool(CallToolResult result)
    {
        _error = "tool_error";
        if (_activity is { IsAllDataRequested: true })
        {
            _activity.SetStatus(
                ActivityStatusCode.Error,
                JsonSerializer.Serialize(result.Content, McpJsonUtilities.DefaultOptions.GetTypeInfo(typeof(IList<ContentBlock>)))
            );
        }
    }
}
