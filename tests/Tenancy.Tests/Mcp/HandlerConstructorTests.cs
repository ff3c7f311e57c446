using System.ComponentModel;
using Microsoft.Extensions.DependencyInjection;
using ModelContextProtocol.Server;
using Tenancy.Mcp;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Mcp;

/// <summary>A service that was forgotten is found when the server starts, not when the first buyer calls.</summary>
[Tier(Tier.Server)]
public sealed class HandlerConstructorTests
{
    [Fact]
    public async Task A_service_that_a_tools_class_asks_for_and_nobody_added_stops_the_start()
    {
        var message = await RefusedAsync<NeedsStock>();
        Assert.Contains("NeedsStock", message, StringComparison.Ordinal);
        Assert.Contains("'Stock'", message, StringComparison.Ordinal);
        Assert.Contains("AddScoped<Stock>()", message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task So_does_one_of_a_class_of_prompts() =>
        Assert.Contains("'Stock'", await RefusedAsync<Prompts>(), StringComparison.Ordinal);

    [Fact]
    public async Task So_does_one_that_is_there_under_another_key()
    {
        var message = await RefusedAsync<NeedsKeyed>(services => services.AddKeyedScoped<Stock>("winter"));
        Assert.Contains("'Stock' with the key 'summer'", message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task All_that_is_missing_is_said_at_once()
    {
        var message = await RefusedAsync<NeedsMuch>(services => services.AddScoped<Stock>());
        Assert.Contains("'Ledger' and 'Uri'", message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nothing_is_made_to_find_out()
    {
        var made = 0;
        await using var server = await StartAsync<NeedsStock>(services =>
            services.AddScoped(_ =>
            {
                made++;
                return new Stock();
            })
        );
        Assert.Equal(0, made);
        Assert.Equal("3", (await server.CallAsync("acme", McpCalls.Acme, "count"))["content"]![0]!["text"]!.ToString());
        Assert.Equal(1, made);
    }

    [Fact]
    public async Task What_a_class_may_do_without_and_what_the_library_and_the_container_have_is_not_missed()
    {
        await using var server = await StartAsync<NeedsLittle>(services => services.AddKeyedScoped<Stock>("summer"));
        Assert.Equal("acme", (await server.CallAsync("acme", McpCalls.Acme, "count"))["content"]![0]!["text"]!.ToString());
    }

    private static Task<TenancyServer> StartAsync<THandlers>(Action<IServiceCollection>? services = null)
        where THandlers : class =>
        TenancyServer.StartAsync(services: collection =>
        {
            new TenancyBuilder(collection).AddHandlers<THandlers>();
            services?.Invoke(collection);
        });

    private static async Task<string> RefusedAsync<THandlers>(Action<IServiceCollection>? services = null)
        where THandlers : class =>
        (
            await Assert.ThrowsAsync<InvalidOperationException>(async () => await (await StartAsync<THandlers>(services)).DisposeAsync())
        ).Message;

    internal sealed class Stock
    {
        public int Count { get; } = 3;
    }

    internal sealed class Ledger;

    internal sealed class NeedsStock(Stock stock)
    {
        [McpServerTool(Name = "count")]
        public int Count() => stock.Count;
    }

    internal sealed class Prompts(Stock stock)
    {
        [McpServerPrompt(Name = "advise"), Description("Advises.")]
        public string Advise() => $"There are {stock.Count}.";
    }

    internal sealed class NeedsKeyed([FromKeyedServices("summer")] Stock stock)
    {
        [McpServerTool(Name = "count")]
        public int Count() => stock.Count;
    }

    internal sealed class NeedsMuch(Stock stock, Ledger ledger, Uri uri)
    {
        [McpServerTool(Name = "count")]
        public string Count() => $"{stock}{ledger}{uri}";
    }

    internal sealed class NeedsLittle
    {
        private readonly ToolContext _context;

        public NeedsLittle(Ledger ledger) =>
            throw new InvalidOperationException($"This is not the constructor to take, whatever {ledger} is.");

        [ActivatorUtilitiesConstructor]
        public NeedsLittle(
            ToolContext context,
            [FromKeyedServices("summer")] Stock stock,
            IEnumerable<Ledger> ledgers,
            IServiceProvider services,
            Microsoft.Extensions.Logging.ILogger<NeedsLittle> logger,
            TimeProvider time,
            Ledger? ledger = null
        )
        {
            Assert.All(new object[] { stock, ledgers, services, logger, time }, Assert.NotNull);
            Assert.Null(ledger);
            _context = context;
        }

        [McpServerTool(Name = "count")]
        public string Count() => _context.TenantId.Value;
    }
}
