using Spectre.Console;
using Tenancy.CommandLine;

namespace Tenancy.Tests.CommandLine;

/// <summary>One run of the command line, where nobody can be asked and nothing is coloured.</summary>
internal static class ToolRun
{
    public static async Task<(int Code, string Output)> RunAsync(string[] arguments, Func<string, string?> environment, string input = "")
    {
        var writer = new StringWriter { NewLine = "\n" };
        var code = await New(writer, environment, input).RunAsync(arguments);
        return (code, writer.ToString());
    }

    public static TenancyTool New(StringWriter writer, Func<string, string?> environment, string input = "")
    {
        var console = AnsiConsole.Create(
            new AnsiConsoleSettings
            {
                Out = new AnsiConsoleOutput(writer),
                Ansi = AnsiSupport.No,
                Interactive = InteractionSupport.No,
            }
        );
        console.Profile.Width = 200;
        return new(console, environment, new StringReader(input));
    }
}
