using System.Globalization;
using System.Net.Http.Headers;

namespace Tenancy.Benchmarks.Load;

/// <summary>One of those who call a server: at one tenant, with its token and, in some cells, its session.</summary>
internal sealed record Caller(int Number, string Tenant, string? Token)
{
    private const int Accounts = 4096;
    private const string Meta =
        $$$""" "_meta":{"io.modelcontextprotocol/protocolVersion":"{{{Row.Stateless}}}","io.modelcontextprotocol/clientCapabilities":{}}""";

    private const string Buy =
        """ "brand":{"domain":"brand.example"},"start_time":"asap","end_time":"2099-01-01T00:00:00Z","""
        + """ "packages":[{"product_id":"p","pricing_option_id":"cpm","budget":100}]""";

    private const string Wanted =
        """ "buying_mode":"brief","brief":"Display near news, in English, for two weeks in May","brand":{"domain":"brand.example"}""";

    private static long _writes;

    public string? Session { get; init; }

    /// <summary>The headers of a request, and what Content-Type the answer must have.</summary>
    public HttpRequestMessage Request(Cell cell, Row row, string body, out string contentType)
    {
        var isJson = row.Reply == Row.Json && cell.Authentication is not null;
        contentType = isJson ? "application/json" : "text/event-stream";
        var request = Post(body, row.Generation, isJson ? contentType : "application/json, text/event-stream");
        if (row.Generation == Row.Stateless)
        {
            request.Headers.TryAddWithoutValidation("Mcp-Method", row.Method);
            if (row.IsCall)
            {
                request.Headers.TryAddWithoutValidation("Mcp-Name", ToolName(cell));
            }
        }

        return request;
    }

    public HttpRequestMessage Post(string body, string generation, string accept)
    {
        var content = new StringContent(body, new MediaTypeHeaderValue("application/json"));
        var request = new HttpRequestMessage(HttpMethod.Post, $"/{Tenant}/mcp") { Content = content };
        request.Headers.Host = LoadTenants.BaseDomain;
        request.Headers.TryAddWithoutValidation("Accept", accept);
        request.Headers.TryAddWithoutValidation("MCP-Protocol-Version", generation);
        if (Token is not null)
        {
            request.Headers.TryAddWithoutValidation("Authorization", "Bearer " + Token);
        }

        if (Session is not null)
        {
            request.Headers.TryAddWithoutValidation("Mcp-Session-Id", Session);
        }

        return request;
    }

    /// <summary>A message, and what stands in its answer and in no other caller's.</summary>
    public (string Body, string Expected) Message(Cell cell, Row row)
    {
        if (!row.IsCall)
        {
            return (Message(row, ""), $"\"name\":\"{QuoteTools.Name}\"");
        }

        return cell.Tool switch
        {
            LoadTool.Quote => (
                Call(row, QuoteTools.Name, string.Create(CultureInfo.InvariantCulture, $"\"product\":\"banner\",\"quantity\":{Number}")),
                string.Create(CultureInfo.InvariantCulture, $"\"total\":{Number * QuoteTools.Price}}}")
            ),
            LoadTool.GetProducts => (Call(row, ProductTools.Name, Wanted), ProductTools.Last),
            _ => Write(row),
        };
    }

    private (string Body, string Expected) Write(Row row)
    {
        // A fresh key for each, and many accounts: an account may not use as many keys a second as a benchmark does.
        var account = Interlocked.Increment(ref _writes) % Accounts;
        var key = Guid.NewGuid().ToString("N");
        return (
            Call(row, BuyTools.Name, $$$""" "idempotency_key":"{{{key}}}","account":{"account_id":"account-{{{account}}}"},{{{Buy}}}"""),
            $"\"idempotency_key\":\"{key}\""
        );
    }

    private static string ToolName(Cell cell) =>
        cell.Tool switch
        {
            LoadTool.Quote => QuoteTools.Name,
            LoadTool.GetProducts => ProductTools.Name,
            _ => BuyTools.Name,
        };

    private string Call(Row row, string tool, string arguments) =>
        Message(row, $$$""" "name":"{{{tool}}}","arguments":{{{{arguments}}}}""");

    private string Message(Row row, string parameters)
    {
        // 2026-07-28 says in each request what earlier revisions say once.
        var members =
            row.Generation != Row.Stateless ? parameters
            : parameters.Length == 0 ? Meta
            : $"{parameters},{Meta}";
        return $$$"""{"jsonrpc":"2.0","id":{{{Number}}},"method":"{{{row.Method}}}","params":{{{{members}}}}}""";
    }
}
