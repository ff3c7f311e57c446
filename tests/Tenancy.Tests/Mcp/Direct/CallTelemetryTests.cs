using System.Diagnostics;
using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Tenancy.Mcp;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Mcp.Direct;

/// <summary>Whoever listens to the MCP SDK's telemetry hears the same of a request whichever way it takes.</summary>
[Collection(nameof(AloneCollection))]
[Tier(Tier.Server)]
public sealed class CallTelemetryTests
{
    private const string Parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    private const string NotRecorded = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>How a client speaks: which revision it names in its head, and whether it has a session.</summary>
    public static TheoryData<string?, bool> Clients { get; } =
        new()
        {
            { "2025-11-25", false },
            { null, false },
            { "2025-11-25", true },
            { null, true },
            { "2026-07-28", false },
        };

    [Theory, MemberData(nameof(Clients))]
    public async Task Activities_and_durations_of_a_direct_call_are_those_of_the_sdk_tag_by_tag(string? version, bool hasSession)
    {
        await using var direct = await DifferenceTests.StartOursAsync(_ => { });
        await using var sdk = await DifferenceTests.StartOursAsync(DifferenceTests.GoTheSdksWay);
        string?[] sessions = hasSession
            ? [await DifferenceTests.BeginSessionAsync(direct, "2025-11-25"), await DifferenceTests.BeginSessionAsync(sdk, "2025-11-25")]
            : [null, null];
        using var recorder = new TelemetryRecorder();
        foreach (var request in Requests())
        {
            var one = await ObserveAsync(recorder, direct, request, version, sessions[0]);
            var other = await ObserveAsync(recorder, sdk, request, version, sessions[1]);
            Assert.True(one == other, $"{request.Name}\n{one}\n{other}");
        }
    }

    [Theory, MemberData(nameof(Clients))]
    public async Task Durations_have_the_tags_of_the_sdk_where_nobody_listens_to_activities(string? version, bool hasSession)
    {
        await using var direct = await DifferenceTests.StartOursAsync(_ => { });
        await using var sdk = await DifferenceTests.StartOursAsync(DifferenceTests.GoTheSdksWay);
        string?[] sessions = hasSession
            ? [await DifferenceTests.BeginSessionAsync(direct, "2025-11-25"), await DifferenceTests.BeginSessionAsync(sdk, "2025-11-25")]
            : [null, null];
        using var recorder = new TelemetryRecorder("none");
        foreach (var request in Requests())
        {
            var one = await MeasureAsync(recorder, direct, request, version, sessions[0]);
            var other = await MeasureAsync(recorder, sdk, request, version, sessions[1]);
            Assert.True(one == other, $"{request.Name}\n{one}\n{other}");
        }
    }

    [Theory]
    [InlineData("2025-11-25")]
    [InlineData("2026-07-28")]
    public async Task An_adcp_tools_errors_are_heard_of_as_by_the_sdks_way(string version)
    {
        await using var direct = await StartAdcpAsync(_ => { });
        await using var sdk = await StartAdcpAsync(DifferenceTests.GoTheSdksWay);
        using var recorder = new TelemetryRecorder();
        foreach (
            var request in new[]
            {
                Call("get_products", "{}"),
                Call("get_products", """{"brief":"é \"<"}"""),
                Call("get_products", """{"brand":{"domain":"é no"}}"""),
                Call("get_products", """{"brief":5}"""),
                Call("create_media_buy", "{}"),
                Call("broken", "{}"),
                new("tools/list", null, null),
            }
        )
        {
            var one = await ObserveAsync(recorder, direct.App, request, version, session: null);
            var other = await ObserveAsync(recorder, sdk.App, request, version, session: null);
            Assert.True(one == other, $"{request.Name}\n{one}\n{other}");
        }
    }

    [Fact]
    public async Task A_call_that_finds_no_place_and_one_that_its_client_cancels_have_failed_as_by_the_sdks_way()
    {
        using var gate = new SlowTools.Gate();
        var seen = new List<string>();
        foreach (var change in new Action<IServiceCollection>[] { _ => { }, DifferenceTests.GoTheSdksWay })
        {
            await using var server = await TenancyServer.StartAsync(
                settings: new Dictionary<string, string?>(TenancyServer.DefaultSettings)
                {
                    ["Tenancy:Tenants:0:limits:maxConcurrentCalls"] = "1",
                },
                services: services =>
                {
                    change(services);
                    services.AddSingleton(gate).AddSingleton(new CommonHandlers(platform => platform.AddHandlers<SlowTools>()));
                }
            );
            var session = await server.InitializeAsync("acme", McpCalls.Acme);
            using var recorder = new TelemetryRecorder();
            using var slow = McpCalls.Post(server.Port, Way.Path, "acme", McpCalls.Acme, McpCalls.Call("slow"), sessionId: session);
            using var leaving = CancellationTokenSource.CreateLinkedTokenSource(Token);
            var call = server.Client.SendAsync(slow, leaving.Token);
            await gate.WaitForAsync(1);
            using (
                var other = McpCalls.Post(
                    server.Port,
                    Way.Path,
                    "acme",
                    McpCalls.Acme,
                    McpCalls.Call("whoami").Replace("\"id\":1", "\"id\":2", StringComparison.Ordinal),
                    sessionId: session
                )
            )
            using (var refused = await server.Client.SendAsync(other, Token))
            {
                Assert.Equal(429, (int)refused.StatusCode);
            }

            const string Cancellation = """{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}""";
            using (var cancelling = McpCalls.Post(server.Port, Way.Path, "acme", McpCalls.Acme, Cancellation, sessionId: session))
            using (await server.Client.SendAsync(cancelling, Token))
            {
                await Poll.UntilAsync(() =>
                    Task.FromResult(recorder.Operations.Count(IsCall) == 2 && recorder.Durations.Count(IsCall) == 2)
                );
            }

            await leaving.CancelAsync();
            await Task.WhenAny(call);
            seen.Add(
                string.Join(
                    '\n',
                    [
                        .. recorder.Operations.Where(IsCall).Select(Describe).Order(StringComparer.Ordinal),
                        .. recorder.Durations.Where(IsCall).Select(Describe).Order(StringComparer.Ordinal),
                    ]
                )
            );
        }

        Assert.Equal(seen[1], seen[0]);
        Assert.Contains("error.type=tool_error", seen[0], StringComparison.Ordinal);
        Assert.Contains("CanceledException", seen[0], StringComparison.Ordinal);

        static bool IsCall(object operation) =>
            operation is Activity { OperationName: var name }
                ? name.StartsWith("tools/call", StringComparison.Ordinal)
                : ((TelemetryRecorder.Measurement)operation).Method == "tools/call";
    }

    [Fact]
    public async Task A_message_that_is_refused_as_ambiguous_is_no_operation_on_either_way()
    {
        foreach (var change in new Action<IServiceCollection>[] { _ => { }, DifferenceTests.GoTheSdksWay })
        {
            await using var server = await DifferenceTests.StartOursAsync(change);
            using var recorder = new TelemetryRecorder();
            Assert.Equal(400, await SendAsync(server, Call("echo", """{"message":"a","message":"b"}"""), "2025-11-25", session: null));
            Assert.Equal(200, await SendAsync(server, Call("echo", """{"message":"a"}"""), "2025-11-25", session: null));
            await Poll.UntilAsync(() => Task.FromResult(recorder.Operations.Any(activity => activity.OperationName == "tools/call echo")));
            Assert.Single(recorder.Operations, activity => activity.OperationName == "tools/call echo");
            Assert.Single(recorder.Durations, duration => duration.Method == "tools/call");
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_calls_of_a_session_share_an_id_that_is_not_the_sessions_and_no_other_session_has(bool isDirect)
    {
        await using var server = await DifferenceTests.StartOursAsync(isDirect ? _ => { } : DifferenceTests.GoTheSdksWay);
        using var recorder = new TelemetryRecorder();
        var ids = new List<string>();
        foreach (
            var session in new[]
            {
                await DifferenceTests.BeginSessionAsync(server, "2025-11-25"),
                await DifferenceTests.BeginSessionAsync(server, "2025-11-25"),
            }
        )
        {
            for (var i = 0; i < 2; i++)
            {
                recorder.Clear();
                await SendAsync(server, Call("echo", """{"message":"a"}"""), "2025-11-25", session);
                await Poll.UntilAsync(() => Task.FromResult(recorder.Operations.Any()));
                ids.Add((string)recorder.Operations.Single().GetTagItem("mcp.session.id")!);
                Assert.NotEqual(session, ids[^1]);
            }
        }

        Assert.Equal((ids[0], ids[2]), (ids[1], ids[3]));
        Assert.NotEqual(ids[0], ids[2]);
    }

    [Fact]
    public async Task To_a_collector_the_durations_of_both_ways_are_one_metric()
    {
        await using var direct = await DifferenceTests.StartOursAsync(_ => { });
        await using var sdk = await DifferenceTests.StartOursAsync(DifferenceTests.GoTheSdksWay);
        await SendAsync(direct, Call("echo", "{}"), "2025-11-25", session: null);
        await SendAsync(sdk, Call("echo", "{}"), "2025-11-25", session: null);
        using var recorder = new TelemetryRecorder();
        Assert.Equal(2, recorder.Instruments.Count);
        Assert.Single(
            recorder
                .Instruments.Select(instrument => new
                {
                    instrument.Name,
                    instrument.Unit,
                    instrument.Description,
                    Buckets = string.Join(
                        ' ',
                        instrument.Advice!.HistogramBucketBoundaries!.Select(bucket => bucket.ToString(CultureInfo.InvariantCulture))
                    ),
                    Tags = instrument.Tags?.Count(),
                    Meter = instrument.Meter.Name,
                    instrument.Meter.Version,
                    MeterTags = instrument.Meter.Tags?.Count(),
                    instrument.Meter.Scope,
                })
                .Distinct()
        );
    }

    [Fact]
    public async Task What_a_handler_traces_is_part_of_its_call()
    {
        using var recorder = new TelemetryRecorder(
            "Experimental.ModelContextProtocol",
            TelemetryRecorder.HttpActivities,
            nameof(CallTelemetryTests)
        );
        await using var server = await TenancyServer.StartAsync(services: services =>
            services.AddSingleton(new CommonHandlers(platform => platform.AddHandlers<TracedTools>()))
        );
        await server.CallAsync("acme", McpCalls.Acme, "traced");
        await Poll.UntilAsync(() => Task.FromResult(recorder.Operations.Any()));
        var call = recorder.Operations.Single();
        Assert.Equal(call.SpanId, recorder.Activities.Single(activity => activity.Source.Name == nameof(CallTelemetryTests)).ParentSpanId);
        Assert.Equal(
            recorder.Activities.Single(activity => activity.Source.Name == TelemetryRecorder.HttpActivities).SpanId,
            call.ParentSpanId
        );
    }

    private static IEnumerable<Request> Requests()
    {
        yield return Call("echo", """{"message":"hi"}""");
        yield return Call("echo", """{"message":"hi"}""", id: "\"a b\"");
        yield return Call("echo", """{"message":"hi"}""", id: "-7");
        yield return Call("structured", "{}");
        yield return Call("error_result", "{}");
        yield return Call("mcp_exception", "{}");
        yield return Call("exception", "{}");
        yield return Call("cancelled", "{}");
        yield return Call("invalid_params", "{}");
        yield return Call("method_not_found", "{}");
        yield return Call("missing_capability", "{}");
        yield return Call("optional", """{"count":"many"}""");
        yield return Call("unicode", "{}");
        yield return Call("echo", """{"message":"hi"}""", meta: $"\"traceparent\":\"{Parent}\"");
        yield return Call("echo", """{"message":"hi"}""", meta: $"\"traceparent\":\"{NotRecorded}\"");
        yield return Call("echo", """{"message":"hi"}""", meta: $"\"traceparent\":\"{Parent}\",\"tracestate\":\"a=1,b=2\"");
        yield return Call("echo", """{"message":"hi"}""", meta: $"\"traceparent\":\"{Parent}\",\"tracestate\":\"é no state\"");
        yield return Call("echo", """{"message":"hi"}""", meta: "\"traceparent\":\"nonsense\",\"tracestate\":\"a=1\"");
        yield return Call("echo", """{"message":"hi"}""", meta: "\"traceparent\":5");
        yield return Call("echo", """{"message":"hi"}""", meta: "\"tracestate\":\"a=1\",\"other\":{\"traceparent\":1}");
        yield return Call("invalid_params", "{}", meta: $"\"traceparent\":\"{Parent}\"");
        yield return new("tools/list", null, null);
        yield return new("tools/list", null, $"\"traceparent\":\"{Parent}\"");
    }

    private static Request Call(string tool, string arguments, string? meta = null, string id = "1") =>
        new("tools/call", $"\"name\":\"{tool}\",\"arguments\":{arguments}", meta, tool) { Id = id };

    private static async Task<string> ObserveAsync(
        TelemetryRecorder recorder,
        WebApplication server,
        Request request,
        string? version,
        string? session
    )
    {
        recorder.Clear();
        await SendAsync(server, request, version, session);

        // The SDK answers before it has recorded all.
        await Poll.UntilAsync(() =>
            Task.FromResult(
                recorder.Operations.Any()
                    && recorder.Durations.Any(duration => duration.Method == request.Method)
                    && recorder.Activities.Any(IsHttp)
            )
        );
        var (operation, http) = (recorder.Operations.Single(), recorder.Activities.Single(IsHttp));
        var parent = operation.ParentSpanId == http.SpanId ? "the HTTP request" : operation.ParentId;
        var links = operation.Links.Select(link =>
            link.Context.SpanId == http.SpanId ? "the HTTP request" : link.Context.SpanId.ToString()
        );
        return $"{Describe(operation)}\n  parent {parent} remote {operation.HasRemoteParent} trace "
            + $"{(operation.TraceId == http.TraceId ? "the HTTP request's" : operation.TraceId)}"
            + $" state {operation.TraceStateString} flags {operation.ActivityTraceFlags} links {string.Join(',', links)} source "
            + $"{operation.Source.Version}"
            + $" {Describe(recorder.Durations.Single(duration => duration.Method == request.Method))}";

        static bool IsHttp(Activity activity) => activity.Source.Name == TelemetryRecorder.HttpActivities;
    }

    private static async Task<string> MeasureAsync(
        TelemetryRecorder recorder,
        WebApplication server,
        Request request,
        string? version,
        string? session
    )
    {
        recorder.Clear();
        await SendAsync(server, request, version, session);
        await Poll.UntilAsync(() => Task.FromResult(recorder.Durations.Any(duration => duration.Method == request.Method)));
        Assert.Empty(recorder.Activities);
        return Describe(recorder.Durations.Single(duration => duration.Method == request.Method));
    }

    private static string Describe(Activity activity) =>
        $"{activity.OperationName} | {activity.DisplayName} | {activity.Kind} | {activity.Status} "
        + $"{DifferenceTests.Reference().Replace(activity.StatusDescription ?? "", "")} | "
        + $"{Describe(activity.TagObjects)} | events {activity.Events.Count()} |";

    private static string Describe(TelemetryRecorder.Measurement measured)
    {
        Assert.InRange(measured.Seconds, 0, 60);
        return $"duration {Describe(measured.Tags)}";
    }

    // The id of a session is random on both ways.
    private static string Describe(IEnumerable<KeyValuePair<string, object?>> tags) =>
        string.Join(
            ' ',
            tags.Select(tag =>
                    tag.Key == "mcp.session.id"
                        ? $"{tag.Key}={((string)tag.Value!).Length} characters"
                        : $"{tag.Key}={tag.Value} ({tag.Value?.GetType().Name})"
                )
                .Order(StringComparer.Ordinal)
        );

    private static async Task<int> SendAsync(WebApplication server, Request request, string? version, string? session)
    {
        // Nothing of the test's own activity may travel along.
        using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false, ActivityHeadersPropagator = null });
        using var message = new HttpRequestMessage(HttpMethod.Post, server.Urls.First() + "/acme/mcp")
        {
            Content = new StringContent(request.Body(version), Encoding.UTF8, "application/json"),
        };
        message.Headers.Accept.ParseAdd("application/json, text/event-stream");
        message.Headers.TryAddWithoutValidation(
            "Authorization",
            server.Services.GetService<TracedMark>() is null ? null : $"Bearer {McpCalls.Acme}"
        );
        if (version is not null)
        {
            message.Headers.Add("MCP-Protocol-Version", version);
        }

        if (version == "2026-07-28")
        {
            message.Headers.Add("Mcp-Method", request.Method);
            message.Headers.TryAddWithoutValidation("Mcp-Name", request.Tool);
        }

        if (session is not null)
        {
            message.Headers.Add("Mcp-Session-Id", session);
        }

        using var response = await client.SendAsync(message, Token);
        await response.Content.ReadAsStringAsync(Token);
        return (int)response.StatusCode;
    }

    private static Task<TenancyServer> StartAdcpAsync(Action<IServiceCollection> change) =>
        TenancyServer.StartAsync(services: services =>
        {
            change(services);
            services.AddSingleton<TracedMark>().AddSingleton(new CommonHandlers(platform => platform.AddHandlers<BrokenTools>()));
        });

    private sealed record Request(string Method, string? Parameters, string? Meta, string? Tool = null)
    {
        public string Id { get; init; } = "1";

        public string Name => $"{Method} {Parameters} {Meta} {Id}";

        public string Body(string? version)
        {
            const string Modern =
                "\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\",\"io.modelcontextprotocol/clientCapabilities\":{}";
            var meta = string.Join(',', new[] { version == "2026-07-28" ? Modern : null, Meta }.OfType<string>());
            var parameters = string.Join(',', new[] { Parameters, meta.Length > 0 ? $"\"_meta\":{{{meta}}}" : null }.OfType<string>());
            return $$$"""{"jsonrpc":"2.0","id":{{{Id}}},"method":"{{{Method}}}","params":{{{{parameters}}}}}""";
        }
    }

    /// <summary>Says that the server asks for credentials.</summary>
    private sealed class TracedMark;

    private sealed class TracedTools
    {
        private static readonly ActivitySource Source = new(nameof(CallTelemetryTests));

        [ModelContextProtocol.Server.McpServerTool(Name = "traced")]
        public static string Trace()
        {
            using var activity = Source.StartActivity("work");
            return "traced";
        }
    }

    private sealed class BrokenTools
    {
        [Tenancy.Adcp.AdcpTool("broken")]
        public Task<Tenancy.Adcp.GetProductsResponse> BreakAsync(
            Tenancy.Adcp.GetProductsRequest request,
            ToolContext context,
            CancellationToken cancellationToken
        ) => throw new InvalidOperationException("not told");
    }
}
