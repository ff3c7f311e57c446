using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Tenancy.Configuration;

/// <summary>The one form in which hosts are compared: lower case, punycode, no trailing dot, no default port.</summary>
internal static class CanonicalHost
{
    /// <summary>The longest DNS name (RFC 1035) and room for a port.</summary>
    internal const int MaxLength = 253 + 6;

    private const int MaxLabelLength = 63;

    private static readonly SearchValues<char> Canonical = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789-_.");

    private static readonly IdnMapping Idn = new() { UseStd3AsciiRules = true };

    /// <summary>Formats the host and port of an absolute URI.</summary>
    public static bool TryFormat(Uri uri, [NotNullWhen(true)] out string? host)
    {
        host = null;
        if (uri.HostNameType is UriHostNameType.IPv6)
        {
            host = $"[{uri.DnsSafeHost.ToLowerInvariant()}]";
        }
        else if (uri.HostNameType is UriHostNameType.IPv4)
        {
            host = uri.Host;
        }
        else if (uri.HostNameType is UriHostNameType.Dns && TryPunycode(uri.Host.TrimEnd('.'), out var name))
        {
            host = name;
        }

        if (host is not null && uri.Port is not (80 or 443))
        {
            host = string.Create(CultureInfo.InvariantCulture, $"{host}:{uri.Port}");
        }

        return host is { Length: <= MaxLength };
    }

    /// <summary>Reads a Host header, or a configured host such as a base domain.</summary>
    /// <remarks>A header that is already canonical, as nearly all are, costs no allocation.</remarks>
    /// <param name="header">The header's value.</param>
    /// <param name="buffer">Where a host that has to be rewritten is put.</param>
    /// <param name="host">The canonical host: a slice of <paramref name="header"/> or of <paramref name="buffer"/>.</param>
    /// <returns>False when the header is not a host.</returns>
    public static bool TryRead(ReadOnlySpan<char> header, Span<char> buffer, out ReadOnlySpan<char> host)
    {
        host = default;
        if (header.Length is 0 or > MaxLength || header[0] == ':')
        {
            return false;
        }

        if (header[0] == '[')
        {
            return TryReadIPv6(header, buffer, out host);
        }

        var colon = header.IndexOf(':');
        var name = colon < 0 ? header : header[..colon];
        name = name.EndsWith('.') ? name[..^1] : name;
        var port = colon < 0 ? default : header[(colon + 1)..];
        if (!IsPort(port, colon >= 0, out var significant) || !TryReadName(name, buffer, out name))
        {
            return false;
        }

        if (!significant)
        {
            host = name;
        }
        else if (header.StartsWith(name) && header.Length == name.Length + 1 + port.Length)
        {
            host = header;
        }
        else
        {
            host = Join(name, port, buffer);
        }

        return true;
    }

    /// <summary>Whether a host may have another canonical form than the one that it has; false for nearly all, at little cost.</summary>
    public static bool MayDiffer(ReadOnlySpan<char> host) => host.ContainsAnyExcept(Canonical) || host.EndsWith('.');

    /// <summary>The host without its port.</summary>
    public static ReadOnlySpan<char> WithoutPort(ReadOnlySpan<char> host)
    {
        var colon = host.LastIndexOf(':');
        return colon < 0 || host[^1] == ']' ? host : host[..colon];
    }

    private static bool TryReadName(ReadOnlySpan<char> name, Span<char> buffer, out ReadOnlySpan<char> canonical)
    {
        canonical = name;
        if (name.IsEmpty)
        {
            return false;
        }

        var upper = false;
        var label = 0;
        foreach (var c in name)
        {
            switch (c)
            {
                case ((>= 'a' and <= 'z') or (>= '0' and <= '9') or '-' or '_') when label < MaxLabelLength:
                    label++;
                    break;
                case '.' when label > 0:
                    label = 0;
                    break;
                case (>= 'A' and <= 'Z') when label < MaxLabelLength:
                    upper = true;
                    label++;
                    break;
                case > '\u007f':
                    if (!TryPunycode(name.ToString(), out var ascii) || ascii.Length > buffer.Length)
                    {
                        return false;
                    }

                    ascii.CopyTo(buffer);
                    canonical = buffer[..ascii.Length];
                    return true;
                default:
                    return false;
            }
        }

        if (upper)
        {
            canonical = buffer[..name.ToLowerInvariant(buffer)];
        }

        return label > 0;
    }

    private static bool TryReadIPv6(ReadOnlySpan<char> header, Span<char> buffer, out ReadOnlySpan<char> host)
    {
        host = default;
        var end = header.IndexOf(']');
        if (
            end < 0
            || (header.Length > end + 1 && header[end + 1] != ':')
            || header[1..end].Contains('%')
            || !System.Net.IPAddress.TryParse(header[1..end], out var address)
            || !IsPort(header.Length > end + 1 ? header[(end + 2)..] : default, header.Length > end + 1, out var significant)
        )
        {
            return false;
        }

        buffer[0] = '[';
        if (!address.TryFormat(buffer[1..], out var length))
        {
            return false;
        }

        buffer[length + 1] = ']';
        host = buffer[..(length + 2)];
        if (significant)
        {
            host = Join(host, header[(end + 2)..], buffer);
        }

        return true;
    }

    private static ReadOnlySpan<char> Join(ReadOnlySpan<char> name, ReadOnlySpan<char> port, Span<char> buffer)
    {
        name.CopyTo(buffer);
        buffer[name.Length] = ':';
        port.CopyTo(buffer[(name.Length + 1)..]);
        return buffer[..(name.Length + 1 + port.Length)];
    }

    private static bool IsPort(ReadOnlySpan<char> port, bool present, out bool significant)
    {
        significant = present && port is not ("80" or "443");
        return !present
            || (port.Length > 0 && port[0] != '0' && ushort.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out _));
    }

    private static bool TryPunycode(string name, [NotNullWhen(true)] out string? ascii)
    {
        ascii = null;
        try
        {
            // The conversion makes dots of the full stops of other scripts, such as U+3002, also at the end.
            ascii = Idn.GetAscii(name).ToLowerInvariant().TrimEnd('.');
        }
        catch (ArgumentException)
        {
            // Underscores are not STD3, yet internal networks use them; anything else is refused.
            if (Ascii(name))
            {
                ascii = name.ToLowerInvariant();
            }
        }

        return ascii is not null;

        static bool Ascii(string name) =>
            name.Length is > 0 and <= 253
            && name.All(c => c is (>= 'a' and <= 'z') or (>= 'A' and <= 'Z') or (>= '0' and <= '9') or '-' or '_' or '.')
            && !name.Contains("..", StringComparison.Ordinal);
    }
}
