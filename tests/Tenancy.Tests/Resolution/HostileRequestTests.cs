using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Tenancy.Configuration;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Resolution;

/// <summary>
/// Whatever stands on the wire, a request is served by the tenant that it names, or by none; and it never makes the server fail.
/// </summary>
/// <remarks>
/// Requests are anonymous calls of a tool that answers the tenant's own product, <c>product-of-{id}</c>, sent as bytes. The server runs as
/// in Production, so that nothing that only development allows helps.
/// </remarks>
[Tier(Tier.Server)]
public sealed class HostileRequestTests(HostileRequestTests.Server server) : IClassFixture<HostileRequestTests.Server>
{
    private const string Acme = "Host: acme.example.com";
    private const string Agents = "Host: agents.example.com";
    private const string Shared = "Host: shared.example.com";

    private static readonly Hostile[] Requests =
    [
        // Hosts that look like a tenant's.
        new("cyrillic a", 400, "/mcp", "Host: \u0430cme.example.com"),
        new("cyrillic a in punycode", 400, "/mcp", "Host: xn--cme-5cd.example.com"),
        new("cyrillic a below the base domain", 400, "/mcp", "Host: \u0430cme.agents.example.com"),
        new("cyrillic a in punycode below the base domain", 404, "/mcp", "Host: xn--cme-5cd.agents.example.com"),
        new("full-width dots", 400, "/mcp", "Host: acme\uff0eexample\uff0ecom"),
        new("ideographic dots", 400, "/mcp", "Host: acme\u3002example\u3002com"),
        new("full-width letters", 400, "/mcp", "Host: \uff41\uff43\uff4d\uff45.example.com"),
        new("soft hyphen", 400, "/mcp", "Host: ac\u00adme.example.com"),
        new("zero-width space", 400, "/mcp", "Host: acme\u200b.example.com"),
        new("Kelvin sign in the base domain", 400, "/mcp", "Host: acme.agents.example.\u212aom"),
        new("bytes that are no UTF-8 text", 400, "/mcp", "Host: acme\ufffd.example.com"),
        new("a tenant with its punycode host", "idn", "/mcp", "Host: xn--bcher-kva.example"),
        new("a tenant with its punycode host in upper case", "idn", "/mcp", "Host: XN--BCHER-KVA.EXAMPLE"),
        new("a tenant with its Unicode host, which HTTP does not allow", 400, "/mcp", "Host: b\u00fccher.example"),
        new("punycode that means ASCII", 400, "/mcp", "Host: xn--acme-.example.com"),
        new("punycode that means nothing", 400, "/mcp", "Host: xn--99999999.example.com"),
        // Dots, case and spaces in hosts.
        new("trailing dot", "acme", "/mcp", "Host: acme.example.com."),
        new("two trailing dots", 400, "/mcp", "Host: acme.example.com.."),
        new("double dot inside", 400, "/mcp", "Host: acme..example.com"),
        new("leading dot", 400, "/mcp", "Host: .acme.example.com"),
        new("leading dot below the base domain", 400, "/mcp", "Host: .agents.example.com"),
        new("only a dot", 400, "/mcp", "Host: ."),
        new("upper case", "acme", "/mcp", "Host: ACME.EXAMPLE.COM"),
        new("upper case below the base domain", "acme", "/mcp", "Host: ACME.Agents.Example.Com"),
        new("space inside", 400, "/mcp", "Host: acme .example.com"),
        new("two hosts with a space", 400, "/mcp", "Host: acme.example.com globex.example.com"),
        new("two hosts with a comma", 400, "/mcp", "Host: acme.example.com,globex.example.com"),
        new("spaces around", "acme", "/mcp", "Host:  \t acme.example.com \t "),
        new("tab inside", 400, "/mcp", "Host: acme\t.example.com"),
        new("vertical tab inside", 400, "/mcp", "Host: acme\u000b.example.com"),
        new("NUL inside", 400, "/mcp", "Host: acme\0.example.com"),
        new("NUL at the end", 400, "/mcp", "Host: acme.example.com\0"),
        new("carriage return inside", 400, "/mcp", "Host: acme.example.com\rX-Tenant-ID: globex"),
        new("a line feed that begins another header", 400, "/mcp", "Host: acme.example.com\nX-Tenant-ID: globex"),
        new("a folded line", 400, "/mcp", "Host: acme.example.com\r\n .evil.example"),
        new("percent-encoded dot", 400, "/mcp", "Host: acme%2eexample.com"),
        new("percent-encoded letter", 400, "/mcp", "Host: %61cme.example.com"),
        new("user name", 400, "/mcp", "Host: user@acme.example.com"),
        new("user name and password", 400, "/mcp", "Host: acme.example.com:pw@globex.example.com"),
        new("a path", 400, "/mcp", "Host: shared.example.com/a"),
        new("a backslash path", 400, "/mcp", "Host: shared.example.com\\a"),
        new("a query", 400, "/mcp", "Host: acme.example.com?"),
        new("a fragment", 400, "/mcp", "Host: acme.example.com#"),
        new("a scheme", 400, "/mcp", "Host: https://acme.example.com"),
        new("a semicolon", 400, "/mcp", "Host: acme.example.com;globex.example.com"),
        new("a label of 64 characters", 400, "/mcp", "Host: " + new string('a', 64) + ".agents.example.com"),
        new("a label of 63 characters", 404, "/mcp", "Host: " + new string('a', 63) + ".agents.example.com"),
        new("a host of 1,000 characters", 400, "/mcp", "Host: " + string.Concat(Enumerable.Repeat("a.", 500)) + "agents.example.com"),
        new("a host of 20,000 characters", 400, "/mcp", "Host: " + new string('a', 20_000)),
        new("a header block that is too large", 431, "/mcp", Acme, "X-Large: " + new string('a', 40_000)),
        new("a subdomain of a tenant's host", 400, "/mcp", "Host: x.acme.example.com"),
        new("a tenant's host as the beginning of another", 400, "/mcp", "Host: acme.example.com.evil.example"),
        new("a tenant's host as the end of another", 400, "/mcp", "Host: evilacme.example.com"),
        new("the base domain as the end of another", 400, "/mcp", "Host: acme.evilagents.example.com"),
        new("two labels below the base domain", 404, "/mcp", "Host: acme.globex.agents.example.com"),
        new("a host of loopback, outside development", 400, "/mcp", "Host: localhost"),
        new("an address of loopback, outside development", 400, "/mcp", "Host: 127.0.0.1"),
        new("a reserved label", 400, "/mcp", "Host: admin.agents.example.com"),
        // Ports.
        new("port 443", "acme", "/mcp", "Host: acme.example.com:443"),
        new("port 80", "acme", "/mcp", "Host: acme.example.com:80"),
        new("port 0", 400, "/mcp", "Host: acme.example.com:0"),
        new("another port", 400, "/mcp", "Host: acme.example.com:8443"),
        new("port 65536", 400, "/mcp", "Host: acme.example.com:65536"),
        new("port 65536 below the base domain", 400, "/mcp", "Host: acme.agents.example.com:65536"),
        new("a port of letters", 400, "/mcp", "Host: acme.example.com:https"),
        new("a negative port", 400, "/mcp", "Host: acme.example.com:-443"),
        new("an empty port", 400, "/mcp", "Host: acme.example.com:"),
        new("a port with a leading zero", 400, "/mcp", "Host: acme.example.com:0443"),
        new("a port of full-width digits", 400, "/mcp", "Host: acme.example.com:\uff14\uff14\uff13"),
        new("two ports", 400, "/mcp", "Host: acme.example.com:443:443"),
        new("only a port", 400, "/mcp", "Host: :443"),
        new("a tenant with its own port", "port", "/mcp", "Host: ports.example.com:8443"),
        new("a tenant with its own port, without it", 400, "/mcp", "Host: ports.example.com"),
        new("a tenant with its own port, with the default one", 400, "/mcp", "Host: ports.example.com:443"),
        // IPv6.
        new("a tenant with an IPv6 literal", "six", "/mcp", "Host: [::1]:9000"),
        new("the same literal, written long", "six", "/mcp", "Host: [0:0:0:0:0:0:0:1]:9000"),
        new("the same literal without the port", 400, "/mcp", "Host: [::1]"),
        new("a zone id", 400, "/mcp", "Host: [::1%eth0]:9000"),
        new("an encoded zone id", 400, "/mcp", "Host: [::1%25eth0]:9000"),
        new("no closing bracket", 400, "/mcp", "Host: [::1:9000"),
        new("no opening bracket", 400, "/mcp", "Host: ::1]:9000"),
        new("two opening brackets", 400, "/mcp", "Host: [[::1]]:9000"),
        new("something after the bracket", 400, "/mcp", "Host: [::1]acme.example.com"),
        new("nothing in brackets", 400, "/mcp", "Host: []:9000"),
        new("a name in brackets", 400, "/mcp", "Host: [acme.example.com]"),
        new("an IPv4 address mapped", 400, "/mcp", "Host: [::ffff:127.0.0.1]:9000"),
        // The Host header itself.
        new("no Host header", 400, "/mcp"),
        new("an empty Host header", 400, "/mcp", "Host:"),
        new("two Host headers", 400, "/mcp", Acme, "Host: globex.example.com"),
        new("two equal Host headers", 400, "/mcp", Acme, Acme),
        new("a space before the colon", 400, "/mcp", "Host : acme.example.com"),
        new("X-Forwarded-Host", "acme", "/mcp", Acme, "X-Forwarded-Host: globex.example.com"),
        new("X-Forwarded-Host on a foreign host", 400, "/mcp", "Host: evil.example", "X-Forwarded-Host: acme.example.com"),
        new("Forwarded", "acme", "/mcp", Acme, "Forwarded: host=globex.example.com"),
        new(
            "X-Original-Host, X-Host and X-Original-URL",
            "acme",
            "/mcp",
            Acme,
            "X-Original-Host: globex.example.com",
            "X-Host: globex.example.com",
            "X-Original-URL: /globex/mcp"
        ),
        new("X-Forwarded-Prefix", "acme", "/acme/mcp", Agents, "X-Forwarded-Prefix: /globex", "X-Forwarded-Path: /globex/mcp"),
        // Request targets.
        new("absolute form", "acme", "http://acme.example.com/mcp", Acme),
        new("absolute form that contradicts Host", 400, "http://globex.example.com/mcp", Acme),
        new("absolute form with a user name", 400, "http://acme@globex.example.com/mcp", Acme),
        new("absolute form of another scheme", 400, "ftp://globex.example.com/mcp", Acme),
        new("authority form", 405, "acme.example.com:443", Acme),
        new("asterisk form", 405, "*", Acme),
        new("no leading slash", 400, "acme/mcp", Agents),
        new("a space in the target", 400, "/acme /mcp", Agents),
        new("a tab in the target", 404, "/acme\t/mcp", Agents),
        new("raw UTF-8 in the target", 400, "/\u0430cme/mcp", Agents),
        new("a fragment in the target", 404, "/acme#/mcp", Agents),
        new("a query that names another tenant", "acme", "/acme/mcp?tenant=globex&a=shop&b=x", Agents),
        new("a target of 10,000 characters", 414, "/" + new string('a', 10_000) + "/mcp", Agents),
        // Paths that name a tenant by id.
        new("upper-case id", 404, "/ACME/mcp", Agents),
        new("mixed-case id", 404, "/Acme/mcp", Agents),
        new("encoded letter of the id", "acme", "/%61cme/mcp", Agents),
        new("doubly encoded letter of the id", 404, "/%2561cme/mcp", Agents),
        new("encoded Cyrillic id", 404, "/%D0%B0cme/mcp", Agents),
        new("overlong UTF-8", 404, "/%C1%A1cme/mcp", Agents),
        new("a bad escape", 404, "/%zzacme/mcp", Agents),
        new("half an escape", 404, "/acme%/mcp", Agents),
        new("an escape in the manner of old IIS", 404, "/%u0061cme/mcp", Agents),
        new("NUL in the id", 400, "/acme%00/mcp", Agents),
        new("NUL and another id", 400, "/acme%00globex/mcp", Agents),
        new("encoded slash", 404, "/acme%2Fmcp", Agents),
        new("encoded slash between two ids", 404, "/acme%2Fglobex/mcp", Agents),
        new("doubly encoded slash", 404, "/acme%252Fmcp", Agents),
        new("encoded backslash", 404, "/acme%5Cmcp", Agents),
        new("backslash", 404, "/acme\\mcp", Agents),
        new("backslash and dots", 404, "/globex\\..\\acme/mcp", Agents),
        new("matrix parameter", 404, "/acme;x=1/mcp", Agents),
        new("matrix parameter that names another tenant", 404, "/acme;/globex/mcp", Agents),
        new("encoded semicolon", 404, "/acme%3Bx/mcp", Agents),
        new("encoded question mark", 404, "/acme%3F/mcp", Agents),
        new("encoded line end", 404, "/acme%0D%0A/mcp", Agents),
        new("encoded space after the id", 404, "/acme%20/mcp", Agents),
        new("encoded space before the id", 404, "/%20acme/mcp", Agents),
        new("plus sign", 404, "/acme+/mcp", Agents),
        new("dot after the id", 404, "/acme./mcp", Agents),
        new("double slash in front", 404, "//acme/mcp", Agents),
        new("double slash inside", 404, "/acme//mcp", Agents),
        new("double slashes everywhere", 404, "//acme//mcp", Agents),
        new("an authority in the path", 404, "//globex.example.com/mcp", Agents),
        new("one dot segment", "acme", "/./acme/./mcp", Agents),
        new("two dot segments", "acme", "/globex/../acme/mcp", Agents),
        new("encoded dot segments", "acme", "/globex/%2e%2e/acme/mcp", Agents),
        new("doubly encoded dot segments", 404, "/globex/%252e%252e/acme/mcp", Agents),
        new("dot segments with an encoded slash", 404, "/globex/..%2Facme/mcp", Agents),
        new("dot segments above the root", "acme", "/../../acme/mcp", Agents),
        new("three dots", 404, "/.../acme/mcp", Agents),
        new("the id of a suspended tenant", 404, "/suspended/mcp", Agents),
        new("an id that is reserved", 404, "/admin/mcp", Agents),
        new("the id that stands for nobody", 404, "/-/mcp", Agents),
        new("an id with braces, as keys in the store have", 404, "/%7Bacme%7D/mcp", Agents),
        new("an id with a star", 404, "/*/mcp", Agents),
        // Paths that name a tenant by its URL.
        new("a tenant's URL with a path", "a", "/a/mcp", Shared),
        new("the longer URL", "long", "/a/b/mcp", Shared),
        new("a path that only begins like the URL", 404, "/ab/mcp", Shared),
        new("below the URL there is nothing", 404, "/a/c/mcp", Shared),
        new("below the longer URL there is nothing", 404, "/a/b/c/mcp", Shared),
        new("a suspended tenant with the longer URL", 404, "/a/suspended/mcp", Shared),
        new(
            "a suspended tenant with the longer URL and its own id in the header",
            400,
            "/a/suspended/mcp",
            Shared,
            "X-Tenant-ID: suspended"
        ),
        new("nobody's longer URL and the same header", 400, "/a/nobody/mcp", Shared, "X-Tenant-ID: suspended"),
        new("a suspended tenant with the longer URL and another's id in the header", 400, "/a/suspended/mcp", Shared, "X-Tenant-ID: a"),
        new("nobody's longer URL and another's id in the header", 400, "/a/nobody/mcp", Shared, "X-Tenant-ID: a"),
        new("a disabled tenant with the longer URL", 503, "/a/disabled/mcp", Shared),
        new("an upper-case URL path", 404, "/A/mcp", Shared),
        new("an upper-case URL path with another below it", 404, "/A/b/mcp", Shared),
        new("an encoded letter of the URL", "a", "/%61/mcp", Shared),
        new("an encoded slash in the URL", 404, "/a%2Fb/mcp", Shared),
        new("an encoded slash behind the URL", 404, "/a/b%2Fmcp", Shared),
        new("dot segments in the URL", "a", "/a/b/../mcp", Shared),
        new("encoded dot segments in the URL", "a", "/a/b/%2e%2e/mcp", Shared),
        new("dot segments that leave a disabled tenant's URL", "a", "/a/disabled/../mcp", Shared),
        new("dot segments that lead into a disabled tenant's URL", 503, "/a/b/../disabled/mcp", Shared),
        new("a matrix parameter in the URL", 404, "/a;x/mcp", Shared),
        new("a matrix parameter behind a disabled tenant's URL", 404, "/a/disabled;x/mcp", Shared),
        new("double slashes in the URL", 404, "/a//b/mcp", Shared),
        new("a backslash in the URL", 404, "/a\\b/mcp", Shared),
        new("the URL's path on another tenant's host", 400, "/a/mcp", Acme),
        new("an id below another tenant's URL", 404, "/a/acme/mcp", Shared),
        new("the URL's path and an id in the header", 400, "/a/mcp", Shared, "X-Tenant-ID: long"),
        // Endpoints at a tenant's host.
        new("encoded endpoint", "acme", "/%6dcp", Acme),
        new("endpoint behind dot segments", "acme", "/x/../mcp", Acme),
        new("endpoint behind encoded dot segments", "acme", "/x/%2E%2E/mcp", Acme),
        new("endpoint in upper case", "acme", "/MCP", Acme),
        new("another tenant's id at a tenant's host", 400, "/globex/mcp", Acme),
        new("another tenant's id, encoded, at a tenant's host", 400, "/%67lobex/mcp", Acme),
        new("another tenant's id, in dot segments, at a tenant's host", "acme", "/globex/../acme/mcp", Acme),
        new("a tenant's id in upper case at its host", 400, "/ACME/mcp", Acme),
        // The header.
        new("the header, with an encoded endpoint", "acme", "/%6dcp", Agents, "X-Tenant-ID: acme"),
        new("the header, with dot segments", "acme", "/globex/../mcp", Agents, "X-Tenant-ID: acme"),
        new("the header twice", 400, "/mcp", Agents, "X-Tenant-ID: acme", "X-Tenant-ID: globex"),
        new("the header twice with one value", 400, "/mcp", Agents, "X-Tenant-ID: acme", "X-Tenant-ID: acme"),
        new("the header twice, once blank", 400, "/mcp", Agents, "X-Tenant-ID: acme", "X-Tenant-ID:"),
        new("the header twice, spelled differently", 400, "/mcp", Agents, "X-Tenant-ID: acme", "x-tenant-id: globex"),
        new("the header folded with a comma", 400, "/mcp", Agents, "X-Tenant-ID: acme,globex"),
        new("the header with a comma only", 400, "/mcp", Agents, "X-Tenant-ID: ,"),
        new("the header blank", 400, "/mcp", Agents, "X-Tenant-ID:   "),
        new("the header of 10 KB", 404, "/mcp", Agents, "X-Tenant-ID: " + new string('a', 10_240)),
        new("the header in upper case", 404, "/mcp", Agents, "X-Tenant-ID: ACME"),
        new("the header with a Cyrillic a", 404, "/mcp", Agents, "X-Tenant-ID: \u0430cme"),
        new("the header with full-width letters", 404, "/mcp", Agents, "X-Tenant-ID: \uff41\uff43\uff4d\uff45"),
        new("the header with a zero-width space", 404, "/mcp", Agents, "X-Tenant-ID: acme\u200b"),
        new("the header with an escape", 404, "/mcp", Agents, "X-Tenant-ID: %61cme"),
        new("the header with dot segments", 404, "/mcp", Agents, "X-Tenant-ID: globex/../acme"),
        new("the header with a slash", 404, "/mcp", Agents, "X-Tenant-ID: /acme"),
        new("the header with quotes", 404, "/mcp", Agents, "X-Tenant-ID: \"acme\""),
        new("the header with braces", 404, "/mcp", Agents, "X-Tenant-ID: {acme}"),
        new("the header with a star", 404, "/mcp", Agents, "X-Tenant-ID: *"),
        new("the header with a semicolon", 404, "/mcp", Agents, "X-Tenant-ID: acme;globex"),
        new("the header with a tab around", "acme", "/mcp", Agents, "X-Tenant-ID: \tacme\t"),
        new("the header with a bell", 404, "/mcp", Agents, "X-Tenant-ID: acme\a"),
        new("the header with an escape character", 404, "/mcp", Agents, "X-Tenant-ID: \u001bacme"),
        new("the header with NUL", 400, "/mcp", Agents, "X-Tenant-ID: acme\0"),
        new("the header with a carriage return", 400, "/mcp", Agents, "X-Tenant-ID: acme\rglobex"),
        new("the header folded over two lines", 400, "/mcp", Agents, "X-Tenant-ID: acme\r\n globex"),
        new("the header of a suspended tenant", 404, "/mcp", Agents, "X-Tenant-ID: suspended"),
        new("the header that contradicts the path", 400, "/acme/mcp", Agents, "X-Tenant-ID: globex"),
        new("the header that contradicts the host", 400, "/mcp", Acme, "X-Tenant-ID: globex"),
        new("the header that contradicts the subdomain", 400, "/mcp", "Host: acme.agents.example.com", "X-Tenant-ID: globex"),
        new("the header with an underscore for the dash", "acme", "/mcp", Acme, "X_Tenant_ID: globex"),
        // Hosts of tenants that are not served.
        new("the host of a suspended tenant", 400, "/mcp", "Host: suspended.example.com"),
        new("the host of a suspended tenant and a served one's id", 400, "/acme/mcp", "Host: suspended.example.com"),
        new("the subdomain of a suspended tenant", 404, "/mcp", "Host: suspended.agents.example.com"),
        new("the subdomain of a disabled tenant", 503, "/mcp", "Host: disabled.agents.example.com"),
    ];

    public static TheoryData<string> Names => [.. Requests.Select(request => request.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Nothing_on_the_wire_reaches_another_tenant_or_makes_the_server_fail(string name)
    {
        var request = Requests.Single(request => request.Name == name);
        server.Log.Clear();
        var answer = await RawHttp.PostAsync(server.Port, request.Target, request.Headers);
        Assert.All(Server.Tenants.Where(tenant => tenant != request.Tenant), tenant =>
            Assert.DoesNotContain($"product-of-{tenant}\"", answer.Text, StringComparison.Ordinal)
        );
        Assert.Equal(request.Status, answer.Status);
        if (request.Tenant is { } expected)
        {
            Assert.Contains($"product-of-{expected}\"", answer.Text, StringComparison.Ordinal);
        }

        Assert.Empty(server.Log.Errors);
    }

    /// <summary>Kestrel refuses hosts that are not ASCII, other servers do not.</summary>
    [Theory]
    [InlineData("\u0430cme.example.com", "xn--cme-5cd.example.com")]
    [InlineData("acme\uff0eexample\u3002com", "acme.example.com")]
    [InlineData("acme.example.com\u3002", "acme.example.com")]
    [InlineData("\uff41cme.example.com", "acme.example.com")]
    [InlineData("B\u00dcCHER.example:8443", "xn--bcher-kva.example:8443")]
    [InlineData("b\u00fccher.example:443", "xn--bcher-kva.example")]
    [InlineData("b\u00fccher.example:65536", null)]
    [InlineData("b\u00fccher..example", null)]
    [InlineData("acme\u2044example.com", "xn--acmeexample-ix3f.com")]
    [InlineData("acme\u200d.example.com", null)]
    [InlineData("acme\ud800.example.com", null)]
    [InlineData("[::1/64]:9000", null)]
    [InlineData("[::ffff:192.0.2.1]", "[::ffff:192.0.2.1]")]
    [InlineData("[FE80::1]:443", "[fe80::1]")]
    public void A_host_that_is_not_ASCII_is_compared_in_punycode_or_is_no_host(string header, string? expected)
    {
        Span<char> buffer = stackalloc char[CanonicalHost.MaxLength];
        Assert.Equal(expected, CanonicalHost.TryRead(header, buffer, out var host) ? host.ToString() : null);
    }

    [Fact]
    public void A_host_that_grows_too_long_in_punycode_is_no_host()
    {
        var buffer = new char[CanonicalHost.MaxLength];
        foreach (var length in Enumerable.Range(180, 75))
        {
            // Near the limit it is the port that does not fit.
            var name = string.Concat(
                    Enumerable
                        .Range(0, length)
                        .Select(i =>
                            i == 0 ? '\u00fc'
                            : i % 50 == 49 ? '.'
                            : 'x'
                        )
                )
                .TrimEnd('.');
            Assert.True(!CanonicalHost.TryRead(name + ":12345", buffer, out var host) || host.Length <= CanonicalHost.MaxLength);
        }
    }

    /// <summary>One server for all requests: none of them may spoil it for the next.</summary>
    public sealed class Server : IAsyncLifetime
    {
        private TenancyServer? _server;

        public static IReadOnlyList<string> Tenants { get; } =
        ["acme", "globex", "a", "long", "idn", "six", "port", "suspended", "disabled"];

        internal LogRecorder Log { get; } = new();

        internal int Port => _server!.Port;

        public async ValueTask InitializeAsync()
        {
            var settings = new Dictionary<string, string?>
            {
                ["Tenancy:PublicUrl"] = "https://agents.example.com",
                ["Tenancy:BaseDomain"] = "agents.example.com",
                ["Tenancy:AcceptEmbeddedStore"] = "true",
                ["Tenancy:AnonymousTools:0"] = "get_products",
            };
            AddTenant(settings, 0, "acme", "https://acme.example.com");
            AddTenant(settings, 1, "globex", "https://globex.example.com");
            AddTenant(settings, 2, "a", "https://shared.example.com/a");
            AddTenant(settings, 3, "long", "https://shared.example.com/a/b");
            AddTenant(settings, 4, "idn", "https://b\u00fccher.example");
            AddTenant(settings, 5, "six", "http://[::1]:9000");
            AddTenant(settings, 6, "port", "https://ports.example.com:8443");
            AddTenant(settings, 7, "suspended", "https://suspended.example.com", "https://shared.example.com/a/suspended");
            settings["Tenancy:Tenants:7:status"] = "suspended";
            AddTenant(settings, 8, "disabled", "https://shared.example.com/a/disabled");
            settings["Tenancy:Tenants:8:settings:fail"] = "this platform cannot be built";
            _server = await TenancyServer.StartAsync(settings: settings, environment: "Production", services: services =>
                services.AddSingleton<ILoggerProvider>(Log)
            );
        }

        public async ValueTask DisposeAsync()
        {
            if (_server is not null)
            {
                await _server.DisposeAsync();
            }
        }

        private static void AddTenant(Dictionary<string, string?> settings, int index, string id, params string[] urls)
        {
            settings[$"Tenancy:Tenants:{index}:id"] = id;
            settings[$"Tenancy:Tenants:{index}:settings:product"] = "product-of-" + id;
            for (var i = 0; i < urls.Length; i++)
            {
                settings[$"Tenancy:Tenants:{index}:urls:{i}"] = urls[i];
            }
        }
    }

    /// <summary>A request, and the only answer that is right: a status, or 200 by one tenant.</summary>
    private sealed record Hostile(string Name, int Status, string Target, params string[] Headers)
    {
        public Hostile(string name, string tenant, string target, params string[] headers)
            : this(name, 200, target, headers) => Tenant = tenant;

        public string? Tenant { get; }
    }
}
