using Microsoft.AspNetCore.Http;

namespace Tenancy;

/// <summary>Asks a running server for its health: for the health check of a container whose image has neither a shell nor curl.</summary>
public static class HealthProbe
{
    private const string Option = "--health";
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(3);

    /// <summary>
    /// Asks, where the arguments of a program are <c>--health</c> and a URL such as <c>http://127.0.0.1:8080/health/ready</c>.
    /// </summary>
    /// <param name="args">The program's arguments.</param>
    /// <returns>
    /// The exit code of the program, which starts no server then: 0 where the answer was 200 within 3 seconds, else 1, with the reason on
    /// standard error. Null where the arguments ask for something else.
    /// </returns>
    public static async Task<int?> RunAsync(IReadOnlyList<string> args)
    {
        ArgumentNullException.ThrowIfNull(args);
        if (args.Count == 0 || args[0] != Option)
        {
            return null;
        }

        var reason =
            args.Count == 2 && Uri.TryCreate(args[1], UriKind.Absolute, out var url) && url.Scheme is "http" or "https"
                ? await ExplainAsync(url).ConfigureAwait(false)
                : $"{Option} needs one URL, such as {Option} http://127.0.0.1:8080/health/ready.";
        if (reason is null)
        {
            return 0;
        }

        await Console.Error.WriteLineAsync(reason).ConfigureAwait(false);
        return 1;
    }

    private static async Task<string?> ExplainAsync(Uri url)
    {
        // Whatever proxy the environment names for the server's own calls: this one stays on the machine.
        using var handler = new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false };
        using var client = new HttpClient(handler) { Timeout = Limit };
        try
        {
            using var response = await client.GetAsync(url).ConfigureAwait(false);
            return (int)response.StatusCode == StatusCodes.Status200OK
                ? null
                : $"{url} answered {(int)response.StatusCode}: {await response.Content.ReadAsStringAsync().ConfigureAwait(false)}";
        }
        catch (Exception exception) when (exception is HttpRequestException or OperationCanceledException)
        {
            return exception is OperationCanceledException
                ? $"{url} did not answer within {Limit.TotalSeconds:0} seconds."
                : $"{url} could not be reached: {exception.Message}";
        }
    }
}
