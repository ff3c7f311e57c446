using BenchmarkDotNet.Running;
using Tenancy.Benchmarks;
using Tenancy.Benchmarks.Fleet;
using Tenancy.Benchmarks.Load;

switch (args)
{
    case ["--quick"]:
        await QuickRun.RunAsync(Console.Out);
        break;
    case ["--store", var redis]:
        await StoreRun.RunAsync(redis, Console.Out);
        break;
    case ["--fleet", var program, var count]:
        await FleetRun.RunAsync(program, int.Parse(count, System.Globalization.CultureInfo.InvariantCulture), Console.Out);
        break;
    case ["--load", .. var options]:
        return await LoadRun.RunAsync(options, Console.Out);
    case ["--load-server", var cell, var tenants, var redis, var issuer]:
        await LoadServer.RunAsync(Cell.Of(cell), int.Parse(tenants, System.Globalization.CultureInfo.InvariantCulture), redis, issuer);
        break;
    default:
        BenchmarkSwitcher.FromAssembly(typeof(QuickRun).Assembly).Run(args);
        break;
}

return 0;
