using System.Text.Json.Nodes;
using Tenancy.Resolution;

namespace Tenancy.Tests.Docs.Snippets;

internal sealed class ShopRefusals : IRefusalData
{
    public JsonObject Describe(RefusalReason reason, string message, int? retryAfter) =>
        new() { ["shop"] = reason == RefusalReason.Unavailable ? "closed" : "not for you" };
}
