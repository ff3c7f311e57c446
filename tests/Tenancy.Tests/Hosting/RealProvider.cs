using System.Diagnostics;
using System.Text.Json.Nodes;

namespace Tenancy.Tests.Hosting;

/// <summary>
/// An identity provider in a process of its own, which a driver in <c>tests/Providers</c> runs. The driver does what a user and a client do
/// there, and hands over the tokens that they get.
/// </summary>
internal sealed class RealProvider : IAsyncDisposable
{
    private readonly Process _process;
    private bool _isStopped;

    private RealProvider(Process process) => _process = process;

    /// <summary>Gets the issuer, once it was started.</summary>
    public string Issuer { get; private set; } = "";

    /// <summary>Whether a provider is installed here, as <c>tests/Providers/install</c> does it.</summary>
    public static bool IsInstalled(string name) => File.Exists(Path.Combine(Folder(name), "installed"));

    /// <summary>Starts a provider.</summary>
    /// <param name="name">Its folder in <c>tests/Providers</c>.</param>
    /// <param name="resource">The resource for which it is to give tokens.</param>
    /// <param name="algorithm">What it is to sign by; null for what it does by itself.</param>
    public static async Task<RealProvider> StartAsync(string name, string resource, string? algorithm = null)
    {
        var start = new ProcessStartInfo("node", ["provider.mjs"])
        {
            WorkingDirectory = Folder(name),
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        var process = Process.Start(start)!;

        // Providers complain about what does not matter here.
        process.ErrorDataReceived += static (_, _) => { };
        process.BeginErrorReadLine();
        var provider = new RealProvider(process);
        try
        {
            var begun = await provider.AskAsync("start", new() { ["resource"] = resource, ["algorithm"] = algorithm }, minutes: 5);
            provider.Issuer = begun["issuer"]!.ToString();
            return provider;
        }
        catch
        {
            await provider.DisposeAsync();
            throw;
        }
    }

    /// <summary>The answer of the token endpoint to a user who has signed in, by the authorization code flow with PKCE.</summary>
    public Task<JsonNode> SignInAsync(string resource) => AskAsync("code", new() { ["resource"] = resource });

    /// <summary>The access token that a client gets for itself.</summary>
    public async Task<string> GetClientTokenAsync(string? resource) =>
        (await AskAsync("client", new() { ["resource"] = resource }))["access_token"]!.ToString();

    /// <summary>Signs with another key from now on.</summary>
    public Task RotateAsync(bool sameId = false, string? algorithm = null) =>
        AskAsync("rotate", new() { ["sameId"] = sameId, ["algorithm"] = algorithm });

    /// <summary>Stops the provider. A test may do so before its end.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_isStopped)
        {
            return;
        }

        // A driver that has no more wishes to expect clears up and ends.
        _isStopped = true;
        _process.StandardInput.Close();
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        try
        {
            await _process.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync();
        }

        _process.Dispose();
    }

    private static string Folder(string name) => Path.Combine(Repository.Root, "tests", "Providers", name);

    private async Task<JsonNode> AskAsync(string wish, JsonObject values, int minutes = 1)
    {
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        enough.CancelAfter(TimeSpan.FromMinutes(minutes));
        values["do"] = wish;
        try
        {
            await _process.StandardInput.WriteLineAsync(values.ToJsonString());
            await _process.StandardInput.FlushAsync(enough.Token);
            while (await _process.StandardOutput.ReadLineAsync(enough.Token) is { } line)
            {
                // Some write other things there, too.
                if (line.StartsWith('{'))
                {
                    var answer = JsonNode.Parse(line)!;
                    Assert.True(answer["error"] is null, $"{wish}: {answer["error"]}");
                    return answer;
                }
            }
        }
        catch (OperationCanceledException)
        {
            // Nothing can be asked of one that does not answer.
            _process.Kill(entireProcessTree: true);
            throw;
        }

        throw new InvalidOperationException($"The provider ended at '{wish}'.");
    }
}
