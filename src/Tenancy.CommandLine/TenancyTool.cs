using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Spectre.Console;
using Tenancy.CommandLine.Migration;

namespace Tenancy.CommandLine;

/// <summary>The commands of <c>tenancy</c>.</summary>
/// <param name="console">Where to say what was done.</param>
/// <param name="environment">Reads a variable of the environment.</param>
/// <param name="input">What is piped to the process.</param>
internal sealed class TenancyTool(IAnsiConsole console, Func<string, string?> environment, TextReader input)
{
    /// <summary>What <c>apply --dry-run</c> ends with where something would change.</summary>
    public const int Differs = 2;

    /// <summary>What a command ends with that did not do all of it.</summary>
    public const int Failed = 1;

    private static readonly string[] Filters = ["status", "health", "platform", "text"];
    private static readonly string[] Columns = ["id", "status", "health", "platform", "reason"];

    private const int MaxWidth = 100_000;
    private const string ServerVariable = "TENANCY_SERVER";
    private const string KeyVariable = "TENANCY_ADMIN_KEY";

    private readonly Option<string?> _server = new("--server")
    {
        Description = $"The server, such as https://agents.example.com. Default: the variable {ServerVariable}.",
        Recursive = true,
    };

    private readonly Argument<string> _id = new("id") { Description = "The tenant's id." };

    private readonly Argument<string> _folder = new("folder") { Description = "A folder with one file for each tenant, ID.json." };

    private readonly Option<bool> _dryRun = new("--dry-run")
    {
        Description = "Shows what would change, and ends with 2 if anything would.",
    };

    private readonly Option<bool> _yes = new("--yes") { Description = "Does not ask." };

    /// <summary>Runs a command.</summary>
    /// <returns>What the process ends with: 0 where all went well.</returns>
    public Task<int> RunAsync(string[] arguments)
    {
        var root = new RootCommand($"Tenants of a multi-tenant MCP server. The admin key is read from the variable {KeyVariable}.")
        {
            _server,
        };
        root.Add(NewCommand("list", "Lists tenants with their health.", ListAsync, [.. Filters.Select(Filter)]));
        root.Add(NewCommand("show", "Shows a tenant.", ShowAsync, _id));
        root.Add(NewCommand("recheck", "Builds a tenant's platform anew, and checks the tenant.", RecheckAsync, _id));
        root.Add(
            NewCommand(
                "suspend",
                "Suspends a tenant: callers get 404.",
                (parsed, client, token) => SetAsync(parsed, client, "suspended", token),
                _id
            )
        );
        root.Add(NewCommand("resume", "Lifts a suspension.", (parsed, client, token) => SetAsync(parsed, client, "active", token), _id));
        root.Add(
            NewCommand("explain-token", "Says what a tenant would do with a token, which is read from the input.", ExplainTokenAsync, _id)
        );
        root.Add(NewCommand("export", "Writes each tenant into a file.", ExportAsync, _folder));
        root.Add(NewCommand("apply", "Makes tenants as files say: shows the difference, and asks.", ApplyAsync, _folder, _dryRun, _yes));
        var migrate = new MigrateCommand(console, environment);
        root.Add(
            NewCommand("migrate", "Brings the keys of another deployment to tenants of this server.", migrate.RunAsync, migrate.Symbols)
        );
        return root.Parse(arguments).InvokeAsync(new() { Output = console.Profile.Out.Writer, Error = console.Profile.Out.Writer });
    }

    private static Option<string?> Filter(string name) =>
        new("--" + name)
        {
            Description = name == "text" ? "Only those with this in the id, the name or a URL." : $"Only those of this {name}.",
        };

    private Command NewCommand(
        string name,
        string description,
        Func<ParseResult, AdminClient, CancellationToken, Task<int>> run,
        params Symbol[] symbols
    )
    {
        var command = new Command(name, description);
        foreach (var symbol in symbols)
        {
            if (symbol is Option option)
            {
                command.Add(option);
            }
            else
            {
                command.Add((Argument)symbol);
            }
        }

        command.SetAction(
            async (parsed, cancellationToken) =>
            {
                try
                {
                    using var client = Connect(parsed);
                    return await run(parsed, client, cancellationToken);
                }
                catch (ToolException exception)
                {
                    Say(exception.Message);
                    return Failed;
                }
                catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
                {
                    // The messages of files name them.
                    Say(exception.Message);
                    return Failed;
                }
                catch (OperationCanceledException)
                {
                    Say("It was cut off, as you asked.");
                    return Failed;
                }
            }
        );
        return command;
    }

    // The key is no option: the command line of a process is for everybody on the machine to see.
    private AdminClient Connect(ParseResult parsed)
    {
        var server = parsed.GetValue(_server) ?? environment(ServerVariable);
        if (!Uri.TryCreate(server, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https"))
        {
            throw new ToolException($"Say which server: --server https://agents.example.com, or the variable {ServerVariable}.");
        }

        return environment(KeyVariable) is { Length: > 0 } key
            ? new(uri, key)
            : throw new ToolException($"Set the variable {KeyVariable} to an admin key of {uri}.");
    }

    private async Task<int> ListAsync(ParseResult parsed, AdminClient client, CancellationToken cancellationToken)
    {
        var query = Filters
            .Select(name => (name, Value: parsed.GetValue<string?>("--" + name)))
            .Where(filter => filter.Value is not null)
            .Select(filter => $"{filter.name}={Uri.EscapeDataString(filter.Value!)}");
        var table = new Table().Border(TableBorder.None).AddColumns(Columns);
        await foreach (var tenant in client.ListAsync(string.Join('&', query), cancellationToken))
        {
            table.AddRow([.. Columns.Select(name => new Text((string?)tenant[name] ?? ""))]);
        }

        if (!console.Profile.Out.IsTerminal)
        {
            // Whoever reads lines wants one for each tenant.
            console.Profile.Width = MaxWidth;
        }

        console.Write(table);
        return 0;
    }

    private async Task<int> ShowAsync(ParseResult parsed, AdminClient client, CancellationToken cancellationToken)
    {
        Say((await FindAsync(parsed, client, cancellationToken)).ToJsonString(TenantFiles.Indented));
        return 0;
    }

    private async Task<int> RecheckAsync(ParseResult parsed, AdminClient client, CancellationToken cancellationToken)
    {
        var tenant = (await client.RecheckAsync(parsed.GetRequiredValue(_id), cancellationToken))!;
        Say($"{tenant["id"]} is {tenant["health"]}{(tenant["reason"] is { } reason ? $": {reason}" : "")}");
        return (string?)tenant["health"] is "healthy" ? 0 : Failed;
    }

    // A token is no argument, as the key is none.
    private async Task<int> ExplainTokenAsync(ParseResult parsed, AdminClient client, CancellationToken cancellationToken)
    {
        var token = await input.ReadToEndAsync(cancellationToken);
        if (string.IsNullOrWhiteSpace(token))
        {
            throw new ToolException("Pipe the token into it: tenancy explain-token acme < token.txt");
        }

        var answer = await client.ExplainTokenAsync(parsed.GetRequiredValue(_id), token.Trim(), cancellationToken);
        var isAccepted = (bool)answer["accepted"]!;
        Say($"{(isAccepted ? "accepted" : "refused")}{(answer["cause"] is { } cause ? $" ({cause})" : "")}: {answer["reason"]}");
        foreach (var name in (string[])["caller", "client"])
        {
            if (answer[name] is { } value)
            {
                Say($"{name}: {value}");
            }
        }

        if (answer["scopes"] is JsonArray { Count: > 0 } scopes)
        {
            Say($"scopes: {string.Join(' ', scopes.Select(scope => (string)scope!))}");
        }

        return isAccepted ? 0 : Failed;
    }

    private async Task<int> SetAsync(ParseResult parsed, AdminClient client, string status, CancellationToken cancellationToken)
    {
        var tenant = await FindAsync(parsed, client, cancellationToken);
        await client.PatchAsync((string)tenant["id"]!, new() { ["status"] = status }, (long)tenant["version"]!, cancellationToken);
        Say($"{tenant["id"]} is {status}");
        return 0;
    }

    private async Task<int> ExportAsync(ParseResult parsed, AdminClient client, CancellationToken cancellationToken)
    {
        var folder = Directory.CreateDirectory(parsed.GetRequiredValue(_folder)).FullName;
        var others = TenantFiles.List(folder).ToHashSet(StringComparer.Ordinal);
        var count = 0;
        await foreach (var tenant in client.ListAsync("", cancellationToken))
        {
            others.Remove(await TenantFiles.WriteAsync(folder, tenant, cancellationToken));
            count++;
        }

        Say(string.Create(CultureInfo.InvariantCulture, $"{count} tenants are written to {folder}"));
        foreach (var other in others.Order(StringComparer.Ordinal))
        {
            Say($"{other} is of no tenant of the server: delete it, or apply registers the tenant anew");
        }

        return others.Count == 0 ? 0 : Failed;
    }

    private async Task<int> ApplyAsync(ParseResult parsed, AdminClient client, CancellationToken cancellationToken)
    {
        // All files are read before anything is changed: one that is broken stops all of it.
        var files = TenantFiles.Read(parsed.GetRequiredValue(_folder));
        var changes = new List<TenantDifference>();
        foreach (var file in files)
        {
            var change = TenantDifference.Between(file, await client.FindAsync((string)file["id"]!, cancellationToken));
            if (!change.IsEmpty)
            {
                Show(change);
                changes.Add(change);
            }
        }

        if (changes.Count == 0)
        {
            Say("Nothing differs.");
            return 0;
        }

        if (parsed.GetValue(_dryRun))
        {
            return Differs;
        }

        if (!parsed.GetValue(_yes) && !await AskAsync(changes.Count, cancellationToken))
        {
            Say("Nothing was changed.");
            return Failed;
        }

        return await ApplyAsync(changes, client, cancellationToken);
    }

    private async Task<bool> AskAsync(int count, CancellationToken cancellationToken) =>
        console.Profile.Capabilities.Interactive
            ? await console.ConfirmAsync(
                string.Create(CultureInfo.InvariantCulture, $"Change {count} tenants?"),
                defaultValue: false,
                cancellationToken
            )
            : throw new ToolException("Nobody can be asked here: say --yes, or --dry-run to see the difference only.");

    // Tenant by tenant: one that is refused keeps no other from being changed, and is named.
    private async Task<int> ApplyAsync(List<TenantDifference> changes, AdminClient client, CancellationToken cancellationToken)
    {
        var failed = new List<string>();
        foreach (var change in changes)
        {
            try
            {
                await (
                    change.IsNew
                        ? client.RegisterAsync(change.File, cancellationToken)
                        : client.PatchAsync(change.Id, change.Patch, change.Version, cancellationToken)
                );
                Say($"{change.Id} is {(change.IsNew ? "registered" : "changed")}");
            }
            catch (ToolException exception)
            {
                Say($"{change.Id} is not changed: {exception.Message}");
                failed.Add(change.Id);
            }
        }

        Say(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{changes.Count - failed.Count} of {changes.Count} done{(failed.Count > 0 ? $"; not: {string.Join(", ", failed)}" : "")}"
            )
        );
        return failed.Count == 0 ? 0 : Failed;
    }

    private void Show(TenantDifference change)
    {
        if (change.IsNew)
        {
            Say($"{change.Id}: new");
        }

        foreach (var (field, before, after) in change.Fields)
        {
            Say($"{change.Id}: {field} {before} -> {after}");
        }
    }

    private async Task<JsonObject> FindAsync(ParseResult parsed, AdminClient client, CancellationToken cancellationToken)
    {
        var id = parsed.GetRequiredValue(_id);
        return await client.FindAsync(id, cancellationToken) ?? throw new ToolException($"There is no tenant '{id}'.");
    }

    // As it is: an id or a reason is no markup, and a line is not broken where a window ends.
    private void Say(string text) => console.Profile.Out.Writer.WriteLine(text);
}
