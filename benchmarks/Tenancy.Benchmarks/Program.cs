using BenchmarkDotNet.Running;
using Tenancy.Benchmarks;

switch (args)
{
    case ["--quick"]:
        await QuickRun.RunAsync(Console.Out);
        break;
    case ["--store", var redis]:
        await StoreRun.RunAsync(redis, Console.Out);
        await CallRun.RunAsync(redis, Console.Out);
        break;
    case ["--serve", var mode, var redis]:
        await CallRun.ServeAsync(redis, isLimited: mode == "limit");
        break;
    default:
        BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
        break;
}
