using System.Diagnostics;

namespace Tenancy.Tests.Hosting;

/// <summary>Waits for what another process does; there is no signal for it.</summary>
internal static class Poll
{
    public static async Task UntilAsync(Func<Task<bool>> condition, int seconds = 20)
    {
        var clock = Stopwatch.StartNew();
        while (!await condition())
        {
            Assert.True(clock.Elapsed < TimeSpan.FromSeconds(seconds), $"It did not happen within {seconds} seconds.");
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }
    }
}
