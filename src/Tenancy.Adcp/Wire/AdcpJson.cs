using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace Tenancy.Adcp;

/// <summary>The wire form of AdCP: snake case, exact in case and type.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    AllowDuplicateProperties = false,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(GetProductsRequest))]
[JsonSerializable(typeof(GetProductsResponse))]
[JsonSerializable(typeof(CreateMediaBuyRequest))]
[JsonSerializable(typeof(CreateMediaBuyResponse))]
[JsonSerializable(typeof(GetMediaBuysRequest))]
[JsonSerializable(typeof(GetMediaBuysResponse))]
[JsonSerializable(typeof(JsonObject))]
internal sealed partial class AdcpJson : JsonSerializerContext;
