using System.Net;
using System.Net.Sockets;

namespace Tenancy.Outbound;

/// <summary>
/// Says which addresses may be reached for somebody who only typed a URL: public ones, and the networks that the operator allows.
/// </summary>
internal sealed class AddressGuard(IReadOnlyList<IPNetwork> allowed)
{
    // IANA's special-purpose registries (RFC 6890), and what clouds keep at addresses that look public.
    private static readonly IPNetwork[] Special =
    [
        .. new[]
        {
            "0.0.0.0/8",
            "10.0.0.0/8",
            "100.64.0.0/10",
            "127.0.0.0/8",
            "169.254.0.0/16",
            "172.16.0.0/12",
            "192.0.0.0/24",
            "192.0.2.0/24",
            "192.88.99.0/24",
            "192.168.0.0/16",
            "198.18.0.0/15",
            "198.51.100.0/24",
            "203.0.113.0/24",
            "224.0.0.0/4",
            "240.0.0.0/4",
            "168.63.129.16/32", // Azure's host, as seen by its guests
            "2001::/23",
            "2001:db8::/32",
            "2002::/16",
            "3fff::/20", // Teredo and other protocols, documentation, 6to4, documentation
        }.Select(IPNetwork.Parse),
    ];

    // All other IPv6 is loopback, local, multicast, mapped, compatible, NAT64 or not assigned (RFC 4291, section 2.4).
    private static readonly IPNetwork GlobalUnicast = IPNetwork.Parse("2000::/3");
    private static readonly IPNetwork Compatible = IPNetwork.Parse("::/96");
    private static readonly IPNetwork Nat64 = IPNetwork.Parse("64:ff9b::/96");
    private static readonly IPNetwork LocalNat64 = IPNetwork.Parse("64:ff9b:1::/48");
    private static readonly IPNetwork SixToFour = IPNetwork.Parse("2002::/16");
    private static readonly IPNetwork Teredo = IPNetwork.Parse("2001::/32");

    public bool Allows(IPAddress address)
    {
        // No honest name leads to a mapped address. IPNetwork.Contains would also compare the IPv4 address inside it, even with an IPv6
        // network.
        if (address.IsIPv4MappedToIPv6)
        {
            return false;
        }

        if (IsIn(allowed, address))
        {
            // A translated address leads to the one inside it, which must be allowed too.
            return Inner(address) is not { } inner || Allows(inner);
        }

        return !IsIn(Special, address) && (address.AddressFamily == AddressFamily.InterNetwork || GlobalUnicast.Contains(address));
    }

    private static bool IsIn(IReadOnlyList<IPNetwork> networks, IPAddress address)
    {
        foreach (var network in networks)
        {
            if (network.Contains(address))
            {
                return true;
            }
        }

        return false;
    }

    private static IPAddress? Inner(IPAddress address)
    {
        if (address.AddressFamily != AddressFamily.InterNetworkV6 || IPAddress.IPv6Loopback.Equals(address))
        {
            return null;
        }

        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out _);
        if (Compatible.Contains(address) || Nat64.Contains(address) || LocalNat64.Contains(address))
        {
            return new(bytes[12..]);
        }

        if (SixToFour.Contains(address))
        {
            return new(bytes[2..6]);
        }

        // Teredo hides the address by inverting it (RFC 4380, section 4).
        return Teredo.Contains(address) ? new([(byte)~bytes[12], (byte)~bytes[13], (byte)~bytes[14], (byte)~bytes[15]]) : null;
    }
}
