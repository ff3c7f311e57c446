using System.CommandLine;
using System.Globalization;
using Microsoft.Extensions.Options;
using Spectre.Console;
using StackExchange.Redis;
using Tenancy.Configuration;
using Tenancy.Registry;

namespace Tenancy.CommandLine.Migration;

/// <summary><c>tenancy migrate</c>: its options, its progress and what it says at the end.</summary>
/// <param name="console">Where to say what was done.</param>
/// <param name="environment">Reads a variable of the environment.</param>
internal sealed class MigrateCommand(IAnsiConsole console, Func<string, string?> environment)
{
    // What the server itself reads, so that both have the same store without another word.
    private const string StoreVariable = "ConnectionStrings__Redis";
    private const string SourceVariable = "TENANCY_SOURCE_REDIS";

    private static readonly (MigrationOutcome Outcome, string Text, string TrialText)[] Lines =
    [
        (MigrationOutcome.Tenant, "registered as tenants", "would be registered as tenants"),
        (MigrationOutcome.Client, "listed as clients", "would be listed as clients"),
        (MigrationOutcome.Copied, "copied as they are", "would be copied as they are"),
        (MigrationOutcome.There, "were here before", "are here already"),
        (MigrationOutcome.Session, "skipped: sessions end", "would be skipped: sessions end"),
        (MigrationOutcome.Gone, "skipped: ended meanwhile", "skipped: ended meanwhile"),
        (MigrationOutcome.Ignored, "skipped: of another form", "would be skipped: of another form"),
        (MigrationOutcome.Homeless, "skipped: no tenant for them", "would be skipped: no tenant for them"),
        (MigrationOutcome.Collided, "collided, and left alone", "would collide"),
        (MigrationOutcome.Failed, "failed", "would fail"),
    ];

    private readonly Option<string?> _tenant = new("--tenant")
    {
        Description =
            "The tenant that client:*, session:* and --pattern come to. Without it keys tenant:ID:* come to the tenants they name.",
    };

    private readonly Option<string[]> _patterns = new("--pattern")
    {
        Description = "Other keys to bring, such as 'order:*'; as often as needed. With --tenant only.",
    };

    private readonly Option<string[]> _same = new("--same")
    {
        Description = "A tenant that is the same here and there although its fields differ; as often as needed.",
    };

    private readonly Option<bool> _dryRun = new("--dry-run")
    {
        Description = "Writes nothing, says what would be done, and ends with 2 if anything would.",
    };

    private readonly Option<string?> _report = new("--report")
    {
        Description =
            $"A file for all keys that were left alone, with the reason. Without it the first {MigrationReport.MaxNamed} are shown.",
    };

    private readonly Option<int> _rate = new("--rate")
    {
        Description = "The most keys of a second, so that the server can answer others meanwhile.",
        DefaultValueFactory = _ => KeyMigration.DefaultRate,
    };

    public Symbol[] Symbols => [_tenant, _patterns, _same, _dryRun, _report, _rate];

    /// <summary>Runs it.</summary>
    /// <returns>What the process ends with.</returns>
    public async Task<int> RunAsync(ParseResult parsed, AdminClient server, CancellationToken cancellationToken)
    {
        var isTrial = parsed.GetValue(_dryRun);
        var passes = Passes(parsed);
        var same = (parsed.GetValue(_same) ?? []).Select(Id).ToHashSet();
        var rate = parsed.GetValue(_rate) is > 0 and var most ? most : throw new ToolException("--rate has to be 1 or more.");
        var store = environment(StoreVariable) is { Length: > 0 } said
            ? said
            : throw new ToolException($"Set the variable {StoreVariable} to the connection string of the server's store.");
        using var file = parsed.GetValue(_report) is { } path ? Create(path) : null;
        var report = new MigrationReport(file);
        try
        {
            await using var target = await MigrationTarget.ConnectAsync(server, store, isTrial, same, cancellationToken);
            await CheckAsync(parsed, target);
            await using var source = await MigrationSource.ConnectAsync(
                environment(SourceVariable) is { Length: > 0 } other ? other : store
            );
            await RunAsync(passes, new(source, target, report, isTrial, rate, TimeProvider.System), cancellationToken);
        }
        catch (OptionsValidationException exception)
        {
            throw new ToolException(exception.Message);
        }
        catch (ToolException) when (report.Read > 0)
        {
            Show(report, isTrial);
            throw;
        }
        catch (Exception exception)
            when (exception is OperationCanceledException or StoreUnavailableException or RedisException or TimeoutException)
        {
            Show(report, isTrial);
            var why = cancellationToken.IsCancellationRequested ? "as you asked" : Explain(exception);
            throw new ToolException($"It was cut off ({why}). Run it again: it goes on, and brings nothing twice.");
        }

        Show(report, isTrial);
        return Code(report, isTrial);
    }

    private (string Pattern, Func<RedisKey, OldKey?> Read)[] Passes(ParseResult parsed)
    {
        var patterns = parsed.GetValue(_patterns) ?? [];
        if (parsed.GetValue(_tenant) is not { } text)
        {
            // Tenants first, so that there is a place for what is theirs.
            return patterns.Length == 0
                ? [("tenant:metadata:*", OldKey.ReadMetadata), ("tenant:*", OldKey.ReadTenants)]
                : throw new ToolException("A --pattern needs a tenant that its keys come to: say --tenant ID.");
        }

        var tenant = Id(text);
        return
        [
            ("client:*", key => OldKey.ReadSingle(key, tenant, isOther: false)),
            ("session:*", key => OldKey.ReadSingle(key, tenant, isOther: false)),
            .. patterns.Select(pattern => (pattern, (Func<RedisKey, OldKey?>)(key => OldKey.ReadSingle(key, tenant, isOther: true)))),
        ];
    }

    private static TenantId Id(string text) => TenantId.TryParse(text, out var id) ? id : throw new ToolException(TenantId.Explain(text)!);

    private static StreamWriter Create(string path)
    {
        try
        {
            return new(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new ToolException($"The report cannot be written: {exception.Message}");
        }
    }

    private async Task CheckAsync(ParseResult parsed, MigrationTarget target)
    {
        if (parsed.GetValue(_tenant) is { } id && await target.FindAsync(Id(id)) is null)
        {
            throw new ToolException($"There is no tenant '{id}': register it, and run this again.");
        }
    }

    private Task RunAsync(
        (string Pattern, Func<RedisKey, OldKey?> Read)[] passes,
        KeyMigration migration,
        CancellationToken cancellationToken
    ) =>
        console
            .Progress()
            .StartAsync(async progress =>
            {
                var tasks = Array.ConvertAll(passes, pass => progress.AddTask(Markup.Escape(pass.Pattern), autoStart: false, maxValue: 1));
                foreach (var ((pattern, read), task) in passes.Zip(tasks))
                {
                    task.StartTask();
                    await migration.RunAsync(pattern, read, share => task.Value = share, cancellationToken);
                }
            });

    private void Show(MigrationReport report, bool isTrial)
    {
        foreach (var line in report.Named)
        {
            Say(line);
        }

        if (report.NamedCount > report.Named.Count)
        {
            Say(Invariant($"and {report.NamedCount - report.Named.Count} more: --report FILE has all of them"));
        }

        Say(Invariant($"{report.Read, 12} keys were read"));
        foreach (var (outcome, text, trialText) in Lines)
        {
            if (report[outcome] is > 0 and var count)
            {
                Say(Invariant($"{count, 12} {(isTrial ? trialText : text)}"));
            }
        }
    }

    private static int Code(MigrationReport report, bool isTrial)
    {
        var isWrong = report[MigrationOutcome.Collided] + report[MigrationOutcome.Failed] + report[MigrationOutcome.Homeless] > 0;
        return isTrial
            ? isWrong || report[MigrationOutcome.Tenant] + report[MigrationOutcome.Client] + report[MigrationOutcome.Copied] > 0
                ? TenancyTool.Differs
                : 0
            : isWrong
                ? TenancyTool.Failed
                : 0;
    }

    private static string Explain(Exception exception) =>
        exception switch
        {
            OperationCanceledException => "the server took too long",
            StoreUnavailableException => $"the server's store does not answer: {(exception.InnerException ?? exception).GetType().Name}",
            _ => exception.Message,
        };

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private void Say(string text) => console.Profile.Out.Writer.WriteLine(text);
}
