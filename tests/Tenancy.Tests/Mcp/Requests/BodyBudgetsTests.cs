using CsCheck;
using Microsoft.Extensions.Options;
using Tenancy.Configuration;
using Tenancy.Registry;

namespace Tenancy.Tests.Mcp.Requests;

/// <summary>The bytes of bodies that are held at once have two bounds, and all that was held is given back.</summary>
public sealed class BodyBudgetsTests
{
    private static readonly TenantId Acme = TenantId.Parse("acme");
    private static readonly TenantId Globex = TenantId.Parse("globex");

    [Fact]
    public void A_tenant_holds_so_much_and_another_one_does_not_notice()
    {
        var budgets = NewBudgets(perTenant: 100, perNode: 1000);
        using var first = budgets.Begin(Acme);
        using var second = budgets.Begin(Acme);
        using var other = budgets.Begin(Globex);
        Assert.True(first.TryGrow(60));
        Assert.False(second.TryGrow(41));
        Assert.True(second.TryGrow(40));
        Assert.False(first.TryGrow(61));
        Assert.True(other.TryGrow(100));
        Assert.Equal(200, budgets.Held);
    }

    [Fact]
    public void A_node_holds_so_much_of_all_tenants()
    {
        var budgets = NewBudgets(perTenant: 100, perNode: 150);
        using var one = budgets.Begin(Acme);
        using var other = budgets.Begin(Globex);
        Assert.True(one.TryGrow(100));
        Assert.False(other.TryGrow(51));

        // What the node refuses does not stay with the tenant.
        Assert.True(other.TryGrow(50));
        one.Dispose();
        Assert.True(other.TryGrow(100));
        Assert.Equal(100, budgets.Held);
    }

    [Fact]
    public void A_body_is_held_once_however_often_it_grows_and_given_back_once_however_often_it_ends()
    {
        var budgets = NewBudgets(perTenant: 100, perNode: 100);
        var holding = budgets.Begin(Acme);
        foreach (var length in new[] { 10, 10, 40, 100 })
        {
            Assert.True(holding.TryGrow(length));
            Assert.Equal(length, budgets.Held);
        }

        Assert.False(holding.TryGrow(101));
        Assert.Equal(100, budgets.Held);
        holding.Dispose();
        holding.Dispose();
        Assert.Equal(0, budgets.Held);
        using var next = budgets.Begin(Acme);
        Assert.True(next.TryGrow(100));
    }

    [Fact]
    public void A_tenant_that_is_gone_leaves_nothing_behind_and_its_last_bodies_are_given_back_all_the_same()
    {
        var budgets = NewBudgets(perTenant: 100, perNode: 1000);
        var last = budgets.Begin(Acme);
        Assert.True(last.TryGrow(80));
        budgets.OnTenantChanged(new(TenantChangeKind.Removed, Acme, Before: null, After: null));

        // Whoever comes by this name now is another one.
        using var next = budgets.Begin(Acme);
        Assert.True(next.TryGrow(100));
        Assert.Equal(180, budgets.Held);
        last.Dispose();
        Assert.Equal(100, budgets.Held);
        Assert.False(next.TryGrow(101));
    }

    [Fact]
    public void Whatever_grows_and_ends_at_once_the_bounds_hold_and_nothing_is_left() =>
        Gen.Int[1, 60]
            .Array[1, 6]
            .Array[8]
            .Sample(
                bodies =>
                {
                    var budgets = NewBudgets(perTenant: 100, perNode: 150);
                    Parallel.ForEach(bodies, (sizes, _, number) =>
                    {
                        using var holding = budgets.Begin(number % 2 == 0 ? Acme : Globex);
                        var length = 0;
                        foreach (var size in sizes)
                        {
                            length += holding.TryGrow(length + size) ? size : 0;
                            Assert.InRange(length, 0, 100);
                        }
                    });
                    Assert.Equal(0, budgets.Held);
                },
                iter: 500
            );

    private static BodyBudgets NewBudgets(long perTenant, long perNode) =>
        new(Options.Create(new TenancyOptions { MaxBodyBytesPerTenant = perTenant, MaxBodyBytesPerNode = perNode }));
}
