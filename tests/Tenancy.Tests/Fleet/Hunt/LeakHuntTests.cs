using System.Globalization;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Fleet.Hunt;

/// <summary>A short hunt for leaks. With TENANCY_HUNT=minutes a long one, of hundreds of tenants: see tests/long.</summary>
[Tier(Tier.Process)]
public sealed class LeakHuntTests
{
    [Fact]
    public async Task Nothing_is_found()
    {
        var minutes = Environment.GetEnvironmentVariable("TENANCY_HUNT");
        var time = minutes is null ? TimeSpan.FromSeconds(45) : TimeSpan.FromMinutes(double.Parse(minutes, CultureInfo.InvariantCulture));
        await using var issuer = await TestIssuer.StartAsync();
        await using var fleet = await ProcessFleet.StartAsync(isPatient: false);
        using var output = TextWriter.Synchronized(new StringWriter());
        var log = minutes is null ? output : TextWriter.Synchronized(Console.Out);
        var hunt = new LeakHunt(fleet, issuer, tenants: minutes is null ? 20 : 200, workers: minutes is null ? 8 : 24, log);
        var findings = await hunt.RunAsync(time);
        TestContext.Current.TestOutputHelper?.WriteLine(findings.ToString());
        foreach (
            var kind in new[]
            {
                HuntFindings.Foreign,
                HuntFindings.Double,
                HuntFindings.Lost,
                HuntFindings.Unseen,
                HuntFindings.Stuck,
                HuntFindings.Odd,
            }
        )
        {
            Assert.True(findings.Of(kind) == 0, $"{findings}\n{output}");
        }

        Assert.True(findings.Operations > 1000, findings.ToString());
    }
}
