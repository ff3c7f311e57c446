using System.Diagnostics.Tracing;
using Microsoft.Diagnostics.NETCore.Client;
using Microsoft.Diagnostics.Tracing.Etlx;
using Microsoft.Diagnostics.Tracing.Parsers.Clr;

namespace Tenancy.Benchmarks.Load;

/// <summary>Samples of what a server allocates, which its runtime takes.</summary>
internal static class AllocationProfile
{
    // The runtime picks bytes by chance, one in so many on average, and tells of the objects that they are in.
    private const double Distance = 100 * 1024;
    private const long AllocationSampling = 0x80000000000;

    /// <returns>What was allocated by type and by function, and the bytes of a request.</returns>
    public static async Task<(Shares Types, StackShares Stacks, double Bytes)> TakeAsync(LoadClient client, Row row, int requests)
    {
        var trace = Path.GetTempFileName();
        try
        {
            var slice = await RecordAsync(trace, client, row, requests);
            var (types, stacks) = Read(trace);
            return (types, stacks, slice.Bytes);
        }
        finally
        {
            File.Delete(trace);
        }
    }

    private static async Task<Slice> RecordAsync(string trace, LoadClient client, Row row, int requests)
    {
        var provider = new EventPipeProvider("Microsoft-Windows-DotNETRuntime", EventLevel.Informational, AllocationSampling);
        var runtime = new DiagnosticsClient(client.Server.Id);
        using var session = await runtime.StartEventPipeSessionAsync([provider], requestRundown: true, token: CancellationToken.None);
        await using var file = File.Create(trace);
        var copy = session.EventStream.CopyToAsync(file);
        var slice = await client.RunAsync(row, requests);
        await session.StopAsync(CancellationToken.None);
        await copy;
        return slice;
    }

    private static (Shares Types, StackShares Stacks) Read(string trace)
    {
        var (types, stacks, log) = (new Shares(), new StackShares(), trace + ".etlx");
        try
        {
            TraceLog.CreateFromEventPipeDataFile(trace, log);
            using var events = new TraceLog(log);
            using var source = events.Events.GetSource();
            source.Clr.AllocationSampling += Add;
            source.Process();
            return (types, stacks);
        }
        finally
        {
            File.Delete(log);
        }

        void Add(AllocationSampledTraceData sample)
        {
            // The larger an object, the likelier it is told of: so many bytes does one stand for.
            var bytes = sample.ObjectSize / (1 - Math.Exp(-sample.ObjectSize / Distance));
            types.Add(sample.TypeName, bytes);
            stacks.Add(Functions(sample.CallStack()), bytes);
        }
    }

    private static List<string> Functions(TraceCallStack? stack)
    {
        var functions = new List<string>();
        for (; stack is not null; stack = stack.Caller)
        {
            // Frames without a name are those of the runtime.
            if (stack.CodeAddress.FullMethodName is { Length: > 0 } name)
            {
                functions.Add(FunctionName.OfMethod(name));
            }
        }

        return functions;
    }
}
