using System.Buffers;
using System.Text;
using Microsoft.AspNetCore.Http;
using Tenancy.Configuration;
using Tenancy.Mcp.Requests;

namespace Tenancy.Admin;

/// <summary>
/// Writes events for one who may be told of all tenants, or of one (Server-Sent Events, HTML Living Standard, section 9.2).
/// </summary>
internal sealed class EventWriter(HttpResponse response, TenantId? only, TimeProvider time, TimeSpan patience)
{
    /// <summary>Gets the one tenant that it may be told of; null for all.</summary>
    public TenantId? Only => only;

    /// <summary>Gets whether something was added since the last time that it was sent.</summary>
    public bool HasSomething { get; private set; }

    /// <summary>Begins the answer, and says when a browser is to come again.</summary>
    public void Begin()
    {
        EventStream.Begin(response);
        EventStream.DisableBuffering(response.HttpContext);
        Write("retry: 2000\n\n"u8);
    }

    /// <summary>Adds an event, where it is one for this reader.</summary>
    public void Add(AdminEvent one)
    {
        if (one.Data(only) is not { } data)
        {
            return;
        }

        Write(Encoding.ASCII.GetBytes(one.Id is null ? $"event: {one.Name}\ndata: " : $"id: {one.Id}\nevent: {one.Name}\ndata: "));

        // JSON has no line of its own: what would end one is escaped in it.
        Write(data);
        Write(EventStream.EventEnd);
    }

    /// <summary>Sends what was added, or a line that says that somebody is there.</summary>
    /// <exception cref="OperationCanceledException">The reader is gone, or takes nothing.</exception>
    public async Task FlushAsync(CancellationToken cancellationToken)
    {
        if (!HasSomething)
        {
            Write(EventStream.Comment);
        }

        HasSomething = false;
        using var limit = new CancellationTokenSource(patience, time);
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(
            cancellationToken,
            limit.Token,
            response.HttpContext.RequestAborted
        );
        var result = await response.BodyWriter.FlushAsync(ends.Token);
        if (result.IsCompleted)
        {
            throw new OperationCanceledException("The reader is gone.");
        }
    }

    private void Write(ReadOnlySpan<byte> bytes)
    {
        response.BodyWriter.Write(bytes);
        HasSomething = true;
    }
}
