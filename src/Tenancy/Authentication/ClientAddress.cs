using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Http;

namespace Tenancy.Authentication;

/// <summary>Who a client without credentials is taken for: its address or, in IPv6, its network.</summary>
/// <remarks>Behind a proxy that <c>Tenancy:Proxies</c> does not name, the address is the proxy's.</remarks>
internal static class ClientAddress
{
    public static string Of(HttpContext context) => Of(context.Connection.RemoteIpAddress);

    // Who has one IPv6 address can take any of the 2^64 with its prefix (RFC 4291, section 2.5.1).
    public static string Of(IPAddress? address) =>
        address switch
        {
            null => "unknown",
            { IsIPv4MappedToIPv6: true } => address.MapToIPv4().ToString(),
            { AddressFamily: AddressFamily.InterNetworkV6 } => Convert.ToHexString(address.GetAddressBytes().AsSpan(0, 8)),
            _ => address.ToString(),
        };
}
