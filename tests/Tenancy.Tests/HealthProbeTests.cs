using Tenancy.Tests.Hosting;

namespace Tenancy.Tests;

/// <summary>What the health check of a container runs.</summary>
[Tier(Tier.Server)]
public sealed class HealthProbeTests
{
    [Fact]
    public async Task A_server_that_is_ready_is_well_and_one_that_is_not_there_is_not()
    {
        string[] arguments;
        await using (var server = await TenancyServer.StartAsync())
        {
            arguments = ["--health", $"http://127.0.0.1:{server.Port}/health/ready"];

            // On a busy machine its first answer may take longer than the probe waits.
            await Poll.UntilAsync(async () => await HealthProbe.RunAsync(arguments) == 0);
            Assert.Equal(1, await HealthProbe.RunAsync(["--health", $"http://127.0.0.1:{server.Port}/acme/no-such-page"]));
        }

        Assert.Equal(1, await HealthProbe.RunAsync(arguments));
    }

    [Theory]
    [InlineData("--health")]
    [InlineData("--health", "8080")]
    [InlineData("--health", "file:///etc/passwd")]
    [InlineData("--health", "http://127.0.0.1:1/", "more")]
    public async Task A_mistake_is_not_taken_for_a_start(params string[] arguments) =>
        Assert.Equal(1, await HealthProbe.RunAsync(arguments));

    [Theory]
    [InlineData]
    [InlineData("--urls", "http://127.0.0.1:8080")]
    [InlineData("--Health", "http://127.0.0.1:8080")]
    public async Task Other_arguments_are_the_server_s(params string[] arguments) => Assert.Null(await HealthProbe.RunAsync(arguments));
}
