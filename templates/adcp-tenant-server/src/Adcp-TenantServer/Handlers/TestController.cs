using System.ComponentModel;
using Adcp_TenantServer.Inventory;
using Adcp_TenantServer.Selling;
using Tenancy.Adcp;
using Tenancy.Mcp;

namespace Adcp_TenantServer.Handlers;

/// <summary>Lets a checker of AdCP add products and play what takes days in life. It is there where Tenancy:Adcp:TestMode is on.</summary>
public sealed class TestController(TestFixtures fixtures, TestStates states)
{
    /// <summary>What can be simulated.</summary>
    public static IReadOnlyList<string> Scenarios { get; } =
    ["force_account_status", "force_creative_status", "force_media_buy_status", "simulate_delivery", "simulate_budget_spend"];

    [AdcpTool("comply_test_controller", TestModeOnly = true)]
    [Description("For tests: adds products and changes states.")]
    public Task<TestControllerResponse> RunAsync(TestControllerRequest request, ToolContext context, CancellationToken cancellationToken)
    {
        var wanted = request.Params ?? new();
        return request.Scenario switch
        {
            "list_scenarios" => Task.FromResult(new TestControllerResponse { Success = true, Scenarios = Scenarios }),
            "seed_product" => fixtures.AddProductAsync(wanted, context, cancellationToken),
            "seed_pricing_option" => fixtures.AddPriceAsync(wanted, context, cancellationToken),
            "seed_creative" => states.AddCreativeAsync(wanted, context, cancellationToken),
            "seed_media_buy" => states.AddMediaBuyAsync(wanted, context, cancellationToken),
            "force_account_status" => states.SetAccountAsync(wanted, context, cancellationToken),
            "force_creative_status" => states.SetCreativeAsync(wanted, context, cancellationToken),
            "force_media_buy_status" => states.SetMediaBuyAsync(wanted, context, cancellationToken),
            "simulate_delivery" => states.DeliverAsync(wanted, context, cancellationToken),
            "simulate_budget_spend" => states.SpendAsync(wanted, context, cancellationToken),
            _ => Task.FromResult(Refuse("UNKNOWN_SCENARIO", $"There is no scenario {request.Scenario}.")),
        };
    }

    internal static TestControllerResponse Existing(string id) =>
        new()
        {
            Success = true,
            PreviousState = "existing",
            Message = $"{id} is there.",
        };

    internal static TestControllerResponse Diverging(string id) =>
        Refuse("INVALID_PARAMS", $"{id} is there with another fixture: what is there is not changed.");

    internal static TestControllerResponse Refuse(string error, string detail, string? state = null) =>
        new()
        {
            Success = false,
            Error = error,
            ErrorDetail = detail,
            CurrentState = state,
        };
}
