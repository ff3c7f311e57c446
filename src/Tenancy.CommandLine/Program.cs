using Spectre.Console;
using Tenancy.CommandLine;

return await new TenancyTool(AnsiConsole.Console, Environment.GetEnvironmentVariable, Console.In).RunAsync(args);
