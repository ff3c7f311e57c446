using System.Net;
using System.Text.Json.Nodes;

namespace Tenancy.Tests.Hosting;

/// <summary>Reads <c>GET /admin/events</c> as a client does.</summary>
internal sealed class AdminEventReader : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly HttpResponseMessage _response;
    private readonly StreamReader _lines;

    private AdminEventReader(HttpResponseMessage response, Stream body) => (_response, _lines) = (response, new(body));

    public HttpResponseMessage Response => _response;

    /// <summary>Gets the comments that were read.</summary>
    public int Comments { get; private set; }

    /// <summary>Gets the id of the last event that had one.</summary>
    public string? LastId { get; private set; }

    /// <param name="server">The server.</param>
    /// <param name="key">The admin key; null for none.</param>
    /// <param name="after">The id of the last event that was seen.</param>
    /// <param name="query">The query, with its question mark.</param>
    public static async Task<AdminEventReader> OpenAsync(
        TenancyServer server,
        string? key = TenancyServer.AdminKey,
        string? after = null,
        string query = ""
    )
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/admin/events" + query);
        if (key is not null)
        {
            request.Headers.Add("X-Admin-API-Key", key);
        }

        if (after is not null)
        {
            request.Headers.Add("Last-Event-ID", after);
        }

        var response = await server
            .Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken)
            .WaitAsync(Patience, TestContext.Current.CancellationToken);
        return new(response, await response.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken));
    }

    /// <summary>Opens it, and reads its first event.</summary>
    public static async Task<(AdminEventReader Events, ReadEvent Begin)> BeginAsync(
        TenancyServer server,
        string? key = TenancyServer.AdminKey,
        string? after = null,
        string query = ""
    )
    {
        var events = await OpenAsync(server, key, after, query);
        Assert.Equal(HttpStatusCode.OK, events.Response.StatusCode);
        var begin = await events.NextAsync();
        Assert.Equal("begin", begin!.Name);
        return (events, begin);
    }

    /// <summary>Reads the next event; null where the stream has ended.</summary>
    public async Task<ReadEvent?> NextAsync()
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(Patience);
        var (id, name, data) = ((string?)null, (string?)null, (string?)null);
        while (await ReadLineAsync(limit.Token) is { } line)
        {
            switch (line.Split(": ", 2))
            {
                case ["id", var text]:
                    (id, LastId) = (text, text);
                    break;
                case ["event", var text]:
                    name = text;
                    break;
                case ["data", var text]:
                    data = text;
                    break;
                case ["", ""]:
                    Comments++;
                    break;
                case [""] when name is not null:
                    return new(id, name, JsonNode.Parse(data!)!);
            }
        }

        return null;
    }

    /// <summary>Reads on to the next event of a name, and gives it with all that came before it.</summary>
    public async Task<(ReadEvent Event, IReadOnlyList<ReadEvent> Before)> UntilAsync(string name, Func<JsonNode, bool>? fits = null)
    {
        var before = new List<ReadEvent>();
        while (await NextAsync() is { } read)
        {
            if (read.Name == name && fits?.Invoke(read.Data) is not false)
            {
                return (read, before);
            }

            before.Add(read);
        }

        throw new InvalidOperationException(
            $"The stream ended without '{name}', after {string.Join(", ", before.Select(one => one.Name))}."
        );
    }

    /// <summary>Reads so many events of a name, and skips others.</summary>
    public async Task<IReadOnlyList<ReadEvent>> TakeAsync(string name, int count)
    {
        var all = new List<ReadEvent>();
        while (all.Count < count)
        {
            all.Add((await UntilAsync(name)).Event);
        }

        return all;
    }

    /// <summary>Reads what is left, as a problem is read.</summary>
    public Task<string> ReadRestAsync() => _lines.ReadToEndAsync(TestContext.Current.CancellationToken);

    private async Task<string?> ReadLineAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await _lines.ReadLineAsync(cancellationToken);
        }
        catch (Exception exception) when (exception is HttpIOException or IOException)
        {
            return null;
        }
    }

    public ValueTask DisposeAsync()
    {
        _lines.Dispose();
        _response.Dispose();
        return ValueTask.CompletedTask;
    }
}

/// <summary>An event that was read.</summary>
internal sealed record ReadEvent(string? Id, string Name, JsonNode Data);
