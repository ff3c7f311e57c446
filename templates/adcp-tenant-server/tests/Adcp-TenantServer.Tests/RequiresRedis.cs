#if (UseRedis)
using System.Reflection;
using Microsoft.Extensions.Configuration;
using StackExchange.Redis;
using Xunit.v3;

[assembly: Adcp_TenantServer.Tests.RequiresRedis]

namespace Adcp_TenantServer.Tests;

/// <summary>
/// Skips the tests where no Redis answers at the configured address; fails them instead where TENANCY_REQUIRE_REDIS is 1.
/// </summary>
[AttributeUsage(AttributeTargets.Assembly)]
public sealed class RequiresRedisAttribute : BeforeAfterTestAttribute
{
    private static readonly Lazy<string?> Problem = new(Probe);

    public override void Before(MethodInfo methodUnderTest, IXunitTest test)
    {
        if (Problem.Value is { } problem)
        {
            Assert.SkipUnless(Environment.GetEnvironmentVariable("TENANCY_REQUIRE_REDIS") == "1", problem);
            Assert.Fail(problem);
        }
    }

    private static string? Probe()
    {
        var address = new ConfigurationBuilder()
            .SetBasePath(AppContext.BaseDirectory)
            .AddJsonFile("appsettings.json")
            .AddJsonFile("appsettings.Development.json")
            .AddEnvironmentVariables()
            .Build()
            .GetConnectionString("Redis");
        try
        {
            using var redis = ConnectionMultiplexer.Connect($"{address},connectTimeout=2000");
            return null;
        }
        catch (RedisConnectionException)
        {
            return $"No Redis answers at ConnectionStrings:Redis ({address?.Split(',')[0]}): start one, or set ConnectionStrings__Redis.";
        }
    }
}
#endif
