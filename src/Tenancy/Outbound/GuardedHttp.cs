using System.Buffers;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Tenancy.Configuration;
using Tenancy.Diagnostics;

namespace Tenancy.Outbound;

/// <summary>
/// Fetches URLs that admins of tenants typed, so that none of them reaches what only this server can reach (CWE-918). The connection is
/// made to the very address that was checked; redirects are not followed, cookies are not kept.
/// </summary>
internal sealed class GuardedHttp : IDisposable
{
    private readonly ValidationOptions _options;
    private readonly AddressGuard _guard;
    private readonly HttpClient _client;
    private readonly NameLookups _names;
    private readonly TimeProvider _time;
    private readonly ILogger<GuardedHttp> _logger;

    public GuardedHttp(IOptions<TenancyOptions> options, NameLookups names, TimeProvider time, ILogger<GuardedHttp> logger)
    {
        _options = options.Value.Validation;
        _guard = new(_options.AllowedNetworks);
        _names = names;
        _time = time;
        _logger = logger;
        _client = new(
            new SocketsHttpHandler
            {
                AllowAutoRedirect = false,
                UseCookies = false,
                UseProxy = _options.Proxy is not null,
                Proxy = _options.Proxy is { } proxy ? ToWebProxy(proxy) : null,
                AutomaticDecompression = DecompressionMethods.None,
                MaxResponseHeadersLength = 32,
                ConnectTimeout = _options.Timeout,
                ConnectCallback = ConnectAsync,

                // Long enough for two documents of one issuer; a name that leads elsewhere later is resolved and checked again.
                PooledConnectionIdleTimeout = TimeSpan.FromSeconds(5),
                PooledConnectionLifetime = TimeSpan.FromSeconds(30),

                // No trace headers: the server that is asked learns nothing of the request that caused this one.
                ActivityHeadersPropagator = null,
            }
        )
        {
            Timeout = System.Threading.Timeout.InfiniteTimeSpan,
            DefaultRequestHeaders = { { "Accept", "application/json" }, { "User-Agent", "Tenancy" } },
        };
    }

    /// <summary>A URL as it may be shown: without user name, password, query and fragment.</summary>
    public static string Display(Uri uri) => uri.GetComponents(UriComponents.SchemeAndServer | UriComponents.Path, UriFormat.UriEscaped);

    /// <summary>Fetches a text.</summary>
    /// <param name="uri">Where it is.</param>
    /// <param name="maxSize">The most bytes that it may have.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="FetchException">There is no such text to be had here and now.</exception>
    public async Task<string> GetAsync(Uri uri, int maxSize, CancellationToken cancellationToken)
    {
        ThrowIfForbidden(uri);
        using var timeout = new CancellationTokenSource(_options.Timeout, _time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        try
        {
            using var response = await _client.GetAsync(uri, HttpCompletionOption.ResponseHeadersRead, both.Token).ConfigureAwait(false);
            ThrowIfNotOk(uri, (int)response.StatusCode);
            return await ReadAsync(uri, response.Content, maxSize, both.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new FetchException(
                string.Create(CultureInfo.InvariantCulture, $"{Display(uri)} did not answer within {_options.Timeout.TotalSeconds} s"),
                isTransient: true,
                isConnected: false
            );
        }
        catch (HttpRequestException exception) when (exception.InnerException is FetchException refusal)
        {
            throw refusal;
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException)
        {
            throw new FetchException(
                $"{Display(uri)} could not be reached ({Explain(exception)})",
                isTransient: true,
                // Something on the way may end what is asked for at one place, and let pass what is asked for at another.
                isConnected: exception
                    is not HttpRequestException
                    {
                        HttpRequestError: HttpRequestError.NameResolutionError
                            or HttpRequestError.ConnectionError
                            or HttpRequestError.SecureConnectionError
                    }
            );
        }
    }

    public void Dispose() => _client.Dispose();

    private void ThrowIfForbidden(Uri uri)
    {
        if (!_options.AllowsScheme(uri))
        {
            throw new FetchException($"{Display(uri)} is not https", isTransient: false, isConnected: false, isCertain: true);
        }

        // A proxy resolves names itself, so that only an address that stands in the URL, and localhost, can be refused here.
        if (
            _options.Proxy is not null
            && (
                IPAddress.TryParse(uri.DnsSafeHost, out var address)
                    ? !_guard.Allows(address)
                    : uri.IsLoopback && !_guard.Allows(IPAddress.Loopback)
            )
            && !(_options.AllowLoopback && uri.IsLoopback)
        )
        {
            throw Refuse(uri.DnsSafeHost, []);
        }
    }

    private static void ThrowIfNotOk(Uri uri, int status)
    {
        if (status != 200)
        {
            var redirect = status is >= 300 and < 400 ? "; redirects are not followed" : "";
            throw new FetchException(
                string.Create(CultureInfo.InvariantCulture, $"{Display(uri)} answered {status}{redirect}"),
                isTransient: status is 408 or 429 or (>= 500 and < 600)
            );
        }
    }

    private static async Task<string> ReadAsync(Uri uri, HttpContent content, int maxSize, CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(maxSize + 1);
        try
        {
            var stream = await content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
            await using (stream.ConfigureAwait(false))
            {
                var length =
                    content.Headers.ContentLength > maxSize
                        ? maxSize + 1
                        : await stream
                            .ReadAtLeastAsync(buffer.AsMemory(0, maxSize + 1), maxSize + 1, throwOnEndOfStream: false, cancellationToken)
                            .ConfigureAwait(false);
                return length <= maxSize
                    ? Encoding.UTF8.GetString(buffer, 0, length).TrimStart('\uFEFF')
                    : throw new FetchException(
                        string.Create(CultureInfo.InvariantCulture, $"{Display(uri)} is larger than {maxSize / 1024} KiB"),
                        isTransient: false
                    );
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var (host, port) = (context.DnsEndPoint.Host, context.DnsEndPoint.Port);
        IPAddress[] found = IPAddress.TryParse(host, out var literal)
            ? [literal]
            : await _names.ResolveAsync(host, cancellationToken).ConfigureAwait(false);
        var isOwnLoopback = _options.AllowLoopback && IsLoopback(host);
        IPAddress[] addresses = IsProxy(context.DnsEndPoint)
            ? found
            : [.. found.Where(address => _guard.Allows(address) || (isOwnLoopback && IPAddress.IsLoopback(address)))];
        if (found.Length > 0 && addresses.Length == 0)
        {
            throw Refuse(host, found);
        }

        var failure = new SocketException((int)SocketError.HostNotFound);
        foreach (var address in addresses)
        {
            var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                await socket.ConnectAsync(address, port, cancellationToken).ConfigureAwait(false);
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch (Exception exception)
            {
                socket.Dispose();
                if (exception is not SocketException next)
                {
                    throw;
                }

                failure = next;
            }
        }

        throw failure;
    }

    // To which addresses a name leads in this network is told to the operator only, in the log.
    private FetchException Refuse(string host, IPAddress[] addresses)
    {
        _logger.AddressRefused(host, string.Join(", ", addresses.AsEnumerable()));
        return new(
            $"'{host}' leads to an address that is not public; the operator can allow its network in Tenancy:Validation:AllowedNetworks",
            isTransient: false,
            isConnected: false,
            // Where a name leads is the word of a name server, which may be wrong for a while.
            isCertain: IsLoopback(host) || IPAddress.TryParse(host, out _)
        );
    }

    private static bool IsLoopback(string host) =>
        IPAddress.TryParse(host, out var address)
            ? IPAddress.IsLoopback(address)
            : host.TrimEnd('.').Equals("localhost", StringComparison.OrdinalIgnoreCase)
                || host.TrimEnd('.').EndsWith(".localhost", StringComparison.OrdinalIgnoreCase);

    private bool IsProxy(DnsEndPoint endpoint) =>
        _options.Proxy is { } proxy
        && proxy.Port == endpoint.Port
        && proxy.IdnHost.Equals(endpoint.Host, StringComparison.OrdinalIgnoreCase);

    private static WebProxy ToWebProxy(Uri proxy)
    {
        var userInfo = proxy.UserInfo.Split(':', 2);
        return new(new Uri(proxy.GetLeftPart(UriPartial.Scheme) + proxy.Authority))
        {
            BypassProxyOnLocal = false,
            Credentials =
                proxy.UserInfo.Length == 0
                    ? null
                    : new NetworkCredential(
                        Uri.UnescapeDataString(userInfo[0]),
                        Uri.UnescapeDataString(userInfo.ElementAtOrDefault(1) ?? "")
                    ),
        };
    }

    // Only the names of error codes: a message of another library may repeat a credential that it was given.
    private static string Explain(Exception exception) =>
        exception switch
        {
            { InnerException: SocketException { SocketErrorCode: not SocketError.SocketError } socket } =>
                socket.SocketErrorCode.ToString(),
            { InnerException: AuthenticationException } => "its TLS certificate is not trusted here, or TLS cannot be agreed on",
            HttpIOException { HttpRequestError: not HttpRequestError.Unknown } io => io.HttpRequestError.ToString(),
            HttpRequestException { HttpRequestError: not HttpRequestError.Unknown } http => http.HttpRequestError.ToString(),
            { InnerException: { } inner } => Explain(inner),
            _ => "the connection broke",
        };
}
