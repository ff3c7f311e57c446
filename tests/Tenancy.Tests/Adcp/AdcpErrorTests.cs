using System.Text;
using System.Text.Json.Nodes;
using Tenancy.Adcp;

namespace Tenancy.Tests.Adcp;

/// <summary>What buyers are told of mistakes.</summary>
public sealed class AdcpErrorTests
{
    [Fact]
    public void A_refusal_names_all_mistakes_with_their_places()
    {
        var refusal = new AdcpException([
            new(AdcpError.InvalidRequest, "product_id is required.", "/packages/1/product_id") { Keyword = "required" },
            new(AdcpError.BudgetTooLow, "More.", "packages[0].budget", retryAfter: 9000)
            {
                Suggestion = "Use 10.",
                Details = new() { ["minimum_budget"] = 10 },
            },
        ]);

        var answer = Written(refusal);
        var (error, errors) = (answer["adcp_error"]!, answer["errors"]!.AsArray());

        Assert.Equal(("INVALID_REQUEST", "packages[1].product_id"), ((string?)error["code"], (string?)error["field"]));
        Assert.Equal(
            """[{"pointer":"/packages/1/product_id","message":"product_id is required.","keyword":"required"}]""",
            error["issues"]!.ToJsonString()
        );
        Assert.Equal(
            """
            {"code":"BUDGET_TOO_LOW","message":"More.","recovery":"correctable","field":"packages[0].budget","retry_after":3600,
            "suggestion":"Use 10.","details":{"minimum_budget":10}}
            """.ReplaceLineEndings(""),
            errors[1]!.ToJsonString()
        );
        Assert.Equal(("failed", "3.0", 2), ((string?)answer["status"], (string?)answer["adcp_version"], errors.Count));
    }

    [Fact]
    public void Every_error_says_what_can_be_done_but_a_conflict_of_keys_says_nothing()
    {
        Assert.All(["INVALID_REQUEST", "BILLING_NOT_SUPPORTED", "AUTH_INVALID", "STALE_RESPONSE", "READ_ONLY_SCOPE"], code =>
            Assert.NotNull((string?)Written(new(AdcpError.Of(code)))["adcp_error"]!["recovery"])
        );
        Assert.Equal(
            """{"code":"IDEMPOTENCY_CONFLICT","message":"Another."}""",
            Written(new(AdcpError.IdempotencyConflict, "Another."))["adcp_error"]!.ToJsonString()
        );
    }

    [Fact]
    public void A_seller_has_codes_of_its_own_and_AdCPs_are_known()
    {
        Assert.Same(AdcpError.ProductNotFound, AdcpError.Of("PRODUCT_NOT_FOUND"));
        Assert.Equal("terminal", AdcpError.Of("AGENT_BLOCKED").Recovery);
        Assert.Equal("transient", AdcpError.Of("X_ACME_SLOT_TAKEN", "transient").Recovery);
        Assert.Contains(
            "X_ACME_SLOT_TAKEN",
            Assert.Throws<ArgumentException>(() => AdcpError.Of("X_ACME_SLOT_TAKEN")).Message,
            StringComparison.Ordinal
        );
        Assert.All(["", "lower", "A B", new string('A', 65)], code =>
            Assert.Throws<ArgumentException>(() => AdcpError.Of(code, "terminal"))
        );
    }

    [Theory]
    [InlineData("/packages/0/creative_assignments/12/weight", "packages[0].creative_assignments[12].weight")]
    [InlineData("packages[0].budget", "packages[0].budget")]
    [InlineData("/account", "account")]
    [InlineData("/settings/a~1b~0c", "settings.a/b~c")]
    public void Places_are_paths(string field, string path) => Assert.Equal(path, new AdcpException(AdcpError.Conflict, "x", field).Field);

    private static JsonNode Written(AdcpException refusal)
    {
        var output = new System.Buffers.ArrayBufferWriter<byte>();
        AdcpAnswers.Error(refusal, context: null).WriteTo(output);
        return JsonNode.Parse(Encoding.UTF8.GetString(output.WrittenSpan))!;
    }
}
