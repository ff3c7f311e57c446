using System.Net;

namespace Tenancy.Resolution;

/// <summary>The networks of <c>Tenancy:Proxies</c> as addresses are compared with them.</summary>
internal static class ProxyNetworks
{
    private const int MappedBits = 96;

    /// <summary>
    /// Writes IPv4 as such, where it was written as a part of IPv6 (<c>::ffff:10.0.0.0/104</c>): that is how the addresses of callers are
    /// looked at, whichever socket they came to.
    /// </summary>
    public static IPNetwork Unmap(IPNetwork network) =>
        network.BaseAddress.IsIPv4MappedToIPv6 && network.PrefixLength >= MappedBits
            ? new(network.BaseAddress.MapToIPv4(), network.PrefixLength - MappedBits)
            : network;
}
