using Tenancy.Configuration;
using Tenancy.State;

namespace Tenancy.Tests.State;

/// <summary>Whoever can reach the store can publish to its channel: what is no message of a node is nothing.</summary>
public sealed class FleetMessageTests
{
    private static readonly TenantId Acme = TenantId.Parse("acme");

    public static TheoryData<string> Topics => [.. Enum.GetNames<FleetTopic>()];

    [Theory]
    [MemberData(nameof(Topics))]
    public void A_message_is_read_by_others_as_it_was_written_and_not_by_who_wrote_it(string name)
    {
        var topic = Enum.Parse<FleetTopic>(name);
        FleetMessage message = new(topic, Acme, "detail");
        Assert.True(FleetMessage.TryRead(message.Write("here"), "there", out var read));
        Assert.Equal(message, read);
        Assert.False(FleetMessage.TryRead(message.Write("here"), "here", out _));
        Assert.True(FleetMessage.TryRead(new FleetMessage(topic, Acme).Write("here"), "there", out read));
        Assert.Equal("-", read.Detail);
    }

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData("here")]
    [InlineData("here Tenant acme")]
    [InlineData("here Tenant acme - more")]
    [InlineData("here  Tenant acme -")]
    [InlineData("here Unknown acme -")]
    [InlineData("here tenant acme -")]
    [InlineData("here 1 acme -")]
    [InlineData("here +1 acme -")]
    [InlineData("here 99 acme -")]
    [InlineData("here Tenant,Clients acme -")]
    [InlineData("here Tenant Acme -")]
    [InlineData("here Tenant acme:session -")]
    [InlineData("here Tenant {acme} -")]
    [InlineData("here Tenant acme\n -")]
    [InlineData("here Tenant  -")]
    public void What_no_node_writes_is_no_message(string text)
    {
        Assert.False(FleetMessage.TryRead(text, "there", out var message));
        Assert.Equal(default, message);
    }
}
