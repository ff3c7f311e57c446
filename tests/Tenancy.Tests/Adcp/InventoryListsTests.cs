using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Tenancy.Adcp;
using Tenancy.Mcp;

namespace Tenancy.Tests.Adcp;

/// <summary>Lists of properties and collections go by what the server's resolver says of them.</summary>
public sealed class InventoryListsTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_resolver_that_was_added_last_counts_and_one_for_tests_in_test_mode_only()
    {
        Assert.False(Lists().AreSupported);
        Assert.False(Lists(builder => builder.AddListResolver<Resolver>(testModeOnly: true)).AreSupported);
        Assert.True(Lists(builder => builder.AddListResolver<Resolver>(testModeOnly: true), isTest: true).AreSupported);

        var both = Lists(builder => builder.AddListResolver<Nobody>().AddListResolver<Resolver>());

        Assert.Equal("on", await FilterAsync(both, "some"));
    }

    [Fact]
    public async Task A_product_that_is_not_on_a_list_is_left_out_and_a_list_that_is_not_there_refused()
    {
        var lists = Lists(builder => builder.AddListResolver<Resolver>());

        var missing = await Assert.ThrowsAsync<AdcpException>(() => FilterAsync(lists, "none"));
        var unsupported = await Assert.ThrowsAsync<AdcpException>(() => FilterAsync(Lists(), "some"));

        Assert.Equal("on", await FilterAsync(lists, "some"));
        Assert.Equal((AdcpError.ReferenceNotFound, "property_list"), (missing.Error, missing.Field));
        Assert.Equal((AdcpError.UnsupportedFeature, "property_list"), (unsupported.Error, unsupported.Field));
    }

    [Fact]
    public async Task The_list_is_named_that_leaves_nothing_of_a_product()
    {
        var lists = Lists(builder => builder.AddListResolver<Resolver>());
        var some = new ListReference { AgentUrl = "https://lists.example", ListId = "some" };

        Assert.Null(await FindAsync(new() { PropertyList = some }, "on"));
        Assert.Equal("place.property_list", await FindAsync(new() { PropertyList = some }, "off"));
        Assert.Equal("place.collection_list", await FindAsync(new() { CollectionList = some }, "off"));
        Assert.Null(await FindAsync(new() { CollectionListExclude = some }, "off"));
        Assert.Equal("place.collection_list_exclude", await FindAsync(new() { CollectionListExclude = some }, "on"));

        Task<string?> FindAsync(TargetingOverlay targeting, string product) =>
            lists.FindEmptyAsync(targeting, Product(product), "place", null!, Token);
    }

    private static async Task<string> FilterAsync(InventoryLists lists, string list)
    {
        var found = await lists.FilterAsync(
            [Product("on"), Product("off")],
            new() { AgentUrl = "https://lists.example", ListId = list },
            null!,
            Token
        );
        return string.Join(' ', found.Select(product => product.ProductId));
    }

    private static InventoryLists Lists(Action<ITenancyBuilder>? add = null, bool isTest = false)
    {
        var builder = new TenancyBuilder(new ServiceCollection());
        add?.Invoke(builder);
        builder.Services.AddSingleton(Options.Create(new AdcpOptions { TestMode = isTest }));
        return new(builder.Services.BuildServiceProvider());
    }

    private static Product Product(string id) =>
        new()
        {
            ProductId = id,
            Name = id,
            Description = id,
            PublisherProperties = [],
            FormatIds = [],
            DeliveryType = DeliveryType.NonGuaranteed,
            PricingOptions = [],
            ReportingCapabilities = new(),
        };

    // There is one list, and one product is on it.
    private sealed class Resolver : IListResolver
    {
        public Task<bool?> CoversAsync(
            ListKind kind,
            ListReference list,
            Product product,
            ToolContext context,
            CancellationToken cancellationToken
        ) => Task.FromResult<bool?>(list.ListId == "some" ? product.ProductId == "on" : null);
    }

    private sealed class Nobody : IListResolver
    {
        public Task<bool?> CoversAsync(
            ListKind kind,
            ListReference list,
            Product product,
            ToolContext context,
            CancellationToken cancellationToken
        ) => throw new InvalidOperationException();
    }
}
