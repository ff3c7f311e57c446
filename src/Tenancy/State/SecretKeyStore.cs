using System.Xml.Linq;
using Microsoft.AspNetCore.DataProtection.Repositories;
using StackExchange.Redis;

namespace Tenancy.State;

/// <summary>Keeps the key ring of secrets in the store.</summary>
// Data Protection asks for it with blocking calls: when the ring is first needed, once a day after that, and when a key is made.
internal sealed class SecretKeyStore(RedisConnection redis) : IXmlRepository
{
    public IReadOnlyCollection<XElement> GetAllElements() =>
        [.. redis.GetHashAsync(FleetKeyspace.SecretKeys).GetAwaiter().GetResult().Select(key => XElement.Parse(key.Value.ToString()))];

    public void StoreElement(XElement element, string friendlyName) =>
        redis
            .SetFieldAsync(FleetKeyspace.SecretKeys, friendlyName, element.ToString(SaveOptions.DisableFormatting))
            .GetAwaiter()
            .GetResult();
}
