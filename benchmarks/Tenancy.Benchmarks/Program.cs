using BenchmarkDotNet.Running;
using Tenancy.Benchmarks;

if (args is ["--quick"])
{
    await QuickRun.RunAsync(Console.Out);
}
else
{
    BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
}
