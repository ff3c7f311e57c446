using ROOT_NAMESPACE.Handlers;

namespace ROOT_NAMESPACE.Tests;

public sealed class HandlerNameTests(SellerServer server)
{
    [Fact]
    public async Task A_tenant_says_what_it_was_asked()
    {
        using var call = await server.BeginCallAsync("acme");

        var answer = HandlerName.Answer("Anybody there?", call.Context);

        Assert.Equal("acme was asked: Anybody there?", answer);
    }
}
