using Tenancy.Configuration;

namespace Tenancy.Tests.Configuration;

/// <summary>A misspelt name finds the one that was meant, and a foreign one finds none.</summary>
public sealed class SpellingTests
{
    [Theory]
    [InlineData("maxSesions", "maxSessions")]
    [InlineData("MAXSESSION", "maxSessions")]
    [InlineData("maxClientz", "maxClients")]
    [InlineData("rateLimitPerCalle", "rateLimitPerCaller")]
    [InlineData("ratelimit", "rateLimit")]
    [InlineData("raetLimit", "rateLimit")]
    [InlineData("nmae", "name")]
    [InlineData("nam", "name")]
    [InlineData("colour", null)]
    [InlineData("x", null)]
    [InlineData("", null)]
    public void The_nearest_name_is_found(string name, string? nearest) =>
        Assert.Equal(nearest, Spelling.Nearest(name, ["name", "maxClients", "maxSessions", "rateLimit", "rateLimitPerCaller"]));

    [Fact]
    public void Where_no_name_is_known_none_is_near() => Assert.Null(Spelling.Nearest("name", []));
}
