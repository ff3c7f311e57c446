using System.Net;
using Tenancy.Configuration;

namespace Adcp_TenantServer.Tests;

/// <summary>What belongs to one tenant is nowhere else.</summary>
public sealed class IsolationTests(SellerServer server)
{
    [Fact]
    public async Task A_media_buy_of_acme_does_not_exist_at_globex()
    {
        await server.OpenAccountAsync("acme");
        var made = await server.CallAsync("acme", "create_media_buy", Buys.OfAcme());
        var id = (string?)made["media_buy_id"];

        var byId = await server.CallAsync("globex", "get_media_buys", new { media_buy_ids = new[] { id } });
        var all = await server.CallAsync("globex", "get_media_buys", new { status_filter = "pending_creatives" });

        Assert.Empty(byId["media_buys"]!.AsArray());
        Assert.DoesNotContain(id, all["media_buys"]!.AsArray().Select(buy => (string?)buy!["media_buy_id"]));
    }
#if (!AuthIsNone && !NamedByTokenOnly)

    [Fact]
    public async Task A_token_of_acme_is_refused_at_globex()
    {
        using var response = await server.SendAsync("globex", "acme.dev-buyer", "get_media_buys", new { });

        // Where tokens name the tenant too, the request contradicts itself; else the token is simply not one of globex.
        var expected = server.Ways.Contains(TenantIdentification.Token) ? HttpStatusCode.BadRequest : HttpStatusCode.Unauthorized;
        Assert.Equal(expected, response.StatusCode);
    }
#endif
}
