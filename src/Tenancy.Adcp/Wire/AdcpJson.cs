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
    RespectRequiredConstructorParameters = true,
    Converters = [typeof(WireTime)]
)]
[JsonSerializable(typeof(GetProductsRequest))]
[JsonSerializable(typeof(GetProductsResponse))]
[JsonSerializable(typeof(CreateMediaBuyRequest))]
[JsonSerializable(typeof(CreateMediaBuyResponse))]
[JsonSerializable(typeof(UpdateMediaBuyRequest))]
[JsonSerializable(typeof(UpdateMediaBuyResponse))]
[JsonSerializable(typeof(GetMediaBuysRequest))]
[JsonSerializable(typeof(GetMediaBuysResponse))]
[JsonSerializable(typeof(GetMediaBuyDeliveryRequest))]
[JsonSerializable(typeof(GetMediaBuyDeliveryResponse))]
[JsonSerializable(typeof(ListCreativeFormatsRequest))]
[JsonSerializable(typeof(ListCreativeFormatsResponse))]
[JsonSerializable(typeof(SyncCreativesRequest))]
[JsonSerializable(typeof(SyncCreativesResponse))]
[JsonSerializable(typeof(ListCreativesRequest))]
[JsonSerializable(typeof(ListCreativesResponse))]
[JsonSerializable(typeof(SyncAccountsRequest))]
[JsonSerializable(typeof(SyncAccountsResponse))]
[JsonSerializable(typeof(ListAccountsRequest))]
[JsonSerializable(typeof(ListAccountsResponse))]
[JsonSerializable(typeof(GetAdcpCapabilitiesRequest))]
[JsonSerializable(typeof(GetAdcpCapabilitiesResponse))]
[JsonSerializable(typeof(ProvidePerformanceFeedbackRequest))]
[JsonSerializable(typeof(ProvidePerformanceFeedbackResponse))]
[JsonSerializable(typeof(TestControllerRequest))]
[JsonSerializable(typeof(TestControllerResponse))]
[JsonSerializable(typeof(JsonObject))]
internal sealed partial class AdcpJson : JsonSerializerContext;
