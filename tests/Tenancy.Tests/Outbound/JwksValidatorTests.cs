using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Tenancy.Configuration;
using Tenancy.Outbound;
using Tenancy.Tests.Hosting;
using Tenancy.Tests.Registry;
using Tenancy.Validation;

namespace Tenancy.Tests.Outbound;

[Tier(Tier.Server)]
public sealed class JwksValidatorTests : IDisposable
{
    private const string Secret = "s3cret";
    private static readonly string Keys = TestKeys.Set(TestKeys.Rsa(RSA.Create(2048), "one"));

    private readonly FakeTimeProvider _time = new();
    private readonly ValidationOptions _options = new() { AllowedNetworks = [IPNetwork.Parse("127.0.0.0/8")], AllowHttp = true };
    private GuardedHttp? _http;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _http?.Dispose();

    [Fact]
    public async Task An_issuer_that_vouches_for_the_configuration_makes_its_tenant_valid()
    {
        await using var issuer = await StubServer.StartIssuerAsync(Keys);
        Assert.IsType<TenantValidation.Valid>(await ValidateAsync(new() { Issuer = issuer.Url, Kind = TenantAuthenticationKind.Jwks }));
        Assert.Equal(["/.well-known/openid-configuration", "/keys"], issuer.Paths);
    }

    [Fact]
    public async Task Elliptic_curve_keys_will_do()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        await using var issuer = await StubServer.StartIssuerAsync(TestKeys.Set(TestKeys.Ec(key, "ec")));
        Assert.IsType<TenantValidation.Valid>(await ValidateAsync(issuer));
    }

    [Fact]
    public async Task A_url_of_keys_needs_no_discovery()
    {
        await using var issuer = await StubServer.StartIssuerAsync(Keys);
        Assert.IsType<TenantValidation.Valid>(
            await ValidateAsync(issuer, tenant => tenant with { Issuer = "https://elsewhere.example.com", JwksUri = issuer.Url + "/keys" })
        );
        Assert.Equal(["/keys"], issuer.Paths);
    }

    [Fact]
    public async Task An_issuer_with_OAuth_metadata_only_is_found_by_it()
    {
        await using var issuer = await StubServer.StartAsync(context =>
        {
            var url = $"http://{context.Request.Host}";
            context.Response.StatusCode = context.Request.Path.Value is "/.well-known/oauth-authorization-server/realms/acme" or "/keys"
                ? 200
                : 404;
            return context.Response.WriteAsync(context.Request.Path == "/keys" ? Keys : StubServer.Discovery(url, url + "/realms/acme"));
        });
        Assert.IsType<TenantValidation.Valid>(await ValidateAsync(issuer, tenant => tenant with { Issuer = issuer.Url + "/realms/acme" }));
        Assert.Equal(
            ["/realms/acme/.well-known/openid-configuration", "/.well-known/oauth-authorization-server/realms/acme", "/keys"],
            issuer.Paths
        );
    }

    [Theory]
    [InlineData("/realms/acme/.well-known/openid-configuration")]
    [InlineData("/.well-known/oauth-authorization-server/realms/acme")]
    [InlineData("/.well-known/openid-configuration/realms/acme")]
    public async Task Whatever_the_other_places_answer_the_document_is_found_where_it_is(string place)
    {
        string[] odd =
        [
            "200 <html>",
            "200 []",
            "200 {}",
            "200 {\"issuer\":\"https://other.example\"}",
            "200 {\"issuer\":\"{issuer}\"}",
            "200 {\"issuer\":\"{issuer}\",\"jwks_uri\":\"ftp://files.example/keys\"}",
            "204",
            "302",
            "400",
            "401",
            "403",
            "405",
            "410",
            "503",
        ];
        foreach (var other in odd)
        {
            await using var issuer = await StubServer.StartAsync(context =>
            {
                var url = $"http://{context.Request.Host}";
                var path = context.Request.Path.Value;
                if (path == "/keys" || path == place)
                {
                    return context.Response.WriteAsync(path == "/keys" ? Keys : StubServer.Discovery(url, url + "/realms/acme"));
                }

                context.Response.StatusCode = int.Parse(other[..3], System.Globalization.CultureInfo.InvariantCulture);
                return other.Length > 4
                    ? context.Response.WriteAsync(other[4..].Replace("{issuer}", url + "/realms/acme", StringComparison.Ordinal))
                    : Task.CompletedTask;
            });
            var found = await ValidateAsync(issuer, tenant => tenant with { Issuer = issuer.Url + "/realms/acme" });
            Assert.True(found is TenantValidation.Valid, $"{other}: {found}");
        }
    }

    [Fact]
    public async Task A_place_whose_connection_is_cut_does_not_hide_the_others()
    {
        await using var issuer = await StubServer.StartAsync(context =>
        {
            var url = $"http://{context.Request.Host}";
            if (context.Request.Path.Value!.EndsWith("/openid-configuration", StringComparison.Ordinal))
            {
                context.Abort();
                return Task.CompletedTask;
            }

            return context.Response.WriteAsync(context.Request.Path == "/keys" ? Keys : StubServer.Discovery(url, url + "/realms/acme"));
        });
        Assert.IsType<TenantValidation.Valid>(await ValidateAsync(issuer, tenant => tenant with { Issuer = issuer.Url + "/realms/acme" }));
    }

    [Theory]
    [InlineData(503, true)]
    [InlineData(404, false)]
    public async Task Another_issuers_document_at_one_place_is_permanent_only_when_the_other_places_have_answered(
        int others,
        bool isTransient
    )
    {
        await using var issuer = await StubServer.StartAsync(context =>
        {
            var isFirst = context.Request.Path.Value!.EndsWith("/openid-configuration", StringComparison.Ordinal);
            context.Response.StatusCode = isFirst ? 200 : others;
            return isFirst ? context.Response.WriteAsync("""{ "issuer": "https://other.example" }""") : Task.CompletedTask;
        });
        var found = await ValidateAsync(issuer, tenant => tenant with { Issuer = issuer.Url + "/realms/acme" });
        Assert.True(found is TenantValidation.Transient == isTransient, $"{found}");
        if (!isTransient)
        {
            Assert.Contains("another issuer", Permanent(found), StringComparison.Ordinal);
        }
    }

    // A host that answers for all its issuers by one route does so, too, while the issuer itself is away.
    [Theory]
    [InlineData("404")]
    [InlineData("403")]
    [InlineData("302")]
    [InlineData("200 <html>")]
    [InlineData("200 {}")]
    public async Task Another_issuers_document_at_a_later_place_proves_nothing_where_the_first_place_has_none(string first)
    {
        await using var issuer = await StubServer.StartAsync(context =>
        {
            var url = $"http://{context.Request.Host}";
            if (context.Request.Path == "/.well-known/oauth-authorization-server/realms/acme")
            {
                return context.Response.WriteAsync(StubServer.Discovery(url));
            }

            context.Response.StatusCode = int.Parse(first[..3], System.Globalization.CultureInfo.InvariantCulture);
            return first.Length > 4 ? context.Response.WriteAsync(first[4..]) : Task.CompletedTask;
        });
        var reason = Doubtful(await ValidateAsync(issuer, tenant => tenant with { Issuer = issuer.Url + "/realms/acme" }));
        Assert.Contains("names another issuer", reason, StringComparison.Ordinal);
        Assert.Contains($"{issuer.Url}/realms/acme/.well-known/openid-configuration", reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Where_no_place_has_it_all_that_were_tried_are_named()
    {
        await using var issuer = await StubServer.StartAsync(Status(403));
        var found = await ValidateAsync(issuer, tenant => tenant with { Issuer = issuer.Url + "/realms/acme" });
        var reason = Assert.IsType<TenantValidation.Doubtful>(found).Reason;
        foreach (var place in issuer.Paths)
        {
            Assert.Contains(place, reason, StringComparison.Ordinal);
        }

        Assert.Equal(3, issuer.Paths.Count);
    }

    [Fact]
    public async Task Members_that_are_not_needed_may_be_as_odd_as_they_like()
    {
        await using var issuer = await StubServer.StartAsync(context =>
        {
            var url = $"http://{context.Request.Host}";
            return context.Response.WriteAsync(
                context.Request.Path == "/keys"
                    ? Keys
                    : $$"""{"issuer":"{{url}}","jwks_uri":"{{url}}/keys","scopes_supported":"a b","ui_locales_supported":5,"x":[]}"""
            );
        });
        Assert.IsType<TenantValidation.Valid>(await ValidateAsync(issuer));
    }

    [Theory]
    [InlineData(TenantAuthenticationKind.Bearer)]
    [InlineData(TenantAuthenticationKind.None)]
    public async Task Tenants_of_other_kinds_are_valid(TenantAuthenticationKind kind) =>
        Assert.IsType<TenantValidation.Valid>(await ValidateAsync(new() { Kind = kind }));

    [Theory]
    [InlineData(408)]
    [InlineData(429)]
    [InlineData(500)]
    [InlineData(502)]
    [InlineData(503)]
    [InlineData(599)]
    public async Task A_status_that_may_pass_is_transient(int status)
    {
        await using var issuer = await StubServer.StartAsync(Status(status));
        Assert.Contains($"answered {status}", Transient(await ValidateAsync(issuer)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(204)]
    [InlineData(301)]
    [InlineData(400)]
    [InlineData(401)]
    [InlineData(403)]
    [InlineData(404)]
    [InlineData(410)]
    public async Task Another_status_is_doubtful(int status)
    {
        await using var issuer = await StubServer.StartAsync(Status(status));
        Assert.Contains($"answered {status}", Doubtful(await ValidateAsync(issuer)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(503, true)]
    [InlineData(404, false)]
    public async Task The_status_of_the_keys_counts_as_that_of_the_discovery_document(int status, bool isTransient)
    {
        await using var issuer = await StubServer.StartAsync(context =>
            context.Request.Path == "/keys" ? Status(status)(context) : StubServer.Issuer(Keys)(context)
        );
        Assert.Equal(isTransient, await ValidateAsync(issuer) is TenantValidation.Transient);
    }

    [Fact]
    public async Task A_port_that_nobody_listens_at_is_transient()
    {
        string url;
        await using (var issuer = await StubServer.StartIssuerAsync(Keys))
        {
            url = issuer.Url;
        }

        Assert.Contains(
            nameof(SocketError.ConnectionRefused),
            Transient(await ValidateAsync(new() { Kind = TenantAuthenticationKind.Jwks, Issuer = url })),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task A_name_that_does_not_exist_is_transient() =>
        Transient(await ValidateAsync(new() { Kind = TenantAuthenticationKind.Jwks, Issuer = "https://no-such-host.invalid" }));

    [Fact]
    public async Task A_broken_connection_is_transient()
    {
        await using var issuer = await StubServer.StartAsync(async context =>
        {
            context.Response.ContentLength = 1000;
            await context.Response.WriteAsync("{");
            await context.Response.Body.FlushAsync();
            context.Abort();
        });
        Transient(await ValidateAsync(issuer));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_server_that_hangs_up_is_transient_and_the_reason_says_that_it_did(bool resets)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var hangingUp = HangUpAsync();
        var reason = Transient(
            await ValidateAsync(new() { Kind = TenantAuthenticationKind.Jwks, Issuer = $"http://{listener.LocalEndpoint}" })
        );
        listener.Stop();
        await hangingUp;
        Assert.Contains("could not be reached (", reason, StringComparison.Ordinal);

        async Task HangUpAsync()
        {
            try
            {
                while (true)
                {
                    using var client = await listener.AcceptTcpClientAsync(Cancellation);
                    await client.GetStream().ReadExactlyAsync(new byte[1], Cancellation);
                    if (resets)
                    {
                        client.LingerState = new(enable: true, seconds: 0);
                    }
                }
            }
            catch (Exception exception) when (exception is SocketException or ObjectDisposedException or InvalidOperationException)
            {
                // The test is over.
            }
        }
    }

    [Fact]
    public async Task An_issuer_that_hangs_is_transient_after_the_timeout()
    {
        var arrived = new TaskCompletionSource();
        await using var issuer = await StubServer.StartAsync(async context =>
        {
            arrived.SetResult();
            await Task.Delay(Timeout.Infinite, context.RequestAborted);
        });
        var validation = ValidateAsync(issuer);
        await arrived.Task;
        _time.Advance(TimeSpan.FromSeconds(9.9));
        Assert.False(validation.IsCompleted);
        _time.Advance(TimeSpan.FromSeconds(0.1));
        Assert.Contains("within 10 s", Transient(await validation), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_issuer_that_sends_drop_by_drop_is_transient_after_the_timeout()
    {
        var more = new SemaphoreSlim(1);
        var sent = new SemaphoreSlim(0);
        await using var issuer = await StubServer.StartAsync(async context =>
        {
            while (true)
            {
                await more.WaitAsync(context.RequestAborted);
                await context.Response.WriteAsync(" ", context.RequestAborted);
                await context.Response.Body.FlushAsync(context.RequestAborted);
                sent.Release();
            }
        });
        var validation = ValidateAsync(issuer);
        for (var second = 0; second < 10; second++)
        {
            await sent.WaitAsync(Cancellation);
            Assert.False(validation.IsCompleted);
            _time.Advance(TimeSpan.FromSeconds(1));
            more.Release();
        }

        Transient(await validation);
    }

    [Fact]
    public async Task Who_gives_up_gets_no_result()
    {
        var arrived = new TaskCompletionSource();
        await using var issuer = await StubServer.StartAsync(async context =>
        {
            arrived.SetResult();
            await Task.Delay(Timeout.Infinite, context.RequestAborted);
        });
        using var caller = new CancellationTokenSource();
        var validation = Validator().ValidateAsync(Tenant(issuer), caller.Token).AsTask();
        await arrived.Task;
        await caller.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => validation);
    }

    [Theory]
    [InlineData("http://169.254.169.254/latest/meta-data/")]
    [InlineData("/elsewhere")]
    public async Task A_redirect_is_not_followed_and_doubtful(string location)
    {
        await using var issuer = await StubServer.StartAsync(context =>
        {
            context.Response.Redirect(location);
            return Task.CompletedTask;
        });
        Assert.Contains("redirects are not followed", Doubtful(await ValidateAsync(issuer)), StringComparison.Ordinal);
        Assert.All(issuer.Paths, path => Assert.StartsWith("/.well-known/", path, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_body_beyond_the_limit_is_doubtful_and_is_not_read_on(bool declaresLength)
    {
        await using var issuer = await StubServer.StartAsync(async context =>
        {
            context.Response.ContentLength = declaresLength ? IssuerMetadata.MaxDocumentSize + 1 : null;
            var chunk = new byte[64 * 1024];
            while (!declaresLength)
            {
                await context.Response.Body.WriteAsync(chunk, context.RequestAborted);
            }

            await context.Response.Body.FlushAsync();
            await Task.Delay(Timeout.Infinite, context.RequestAborted);
        });
        Assert.Contains("larger than 1024 KiB", Doubtful(await ValidateAsync(issuer)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_body_of_just_the_limit_is_read()
    {
        await using var issuer = await StubServer.StartAsync(
            StubServer.Issuer(Keys, url => StubServer.Discovery(url).PadRight(IssuerMetadata.MaxDocumentSize))
        );
        Assert.IsType<TenantValidation.Valid>(await ValidateAsync(issuer));
    }

    [Theory]
    [InlineData("")]
    [InlineData("<html>s3cret</html>")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("{ \"error\": \"maintenance\" }")]
    [InlineData("{ \"issuer\": null, \"keys\": null }")]
    [InlineData("\"s3cret\"")]
    [InlineData("{ \"issuer\": s3cret }")]
    public async Task What_is_not_the_JSON_it_should_be_is_doubtful(string body)
    {
        await using var issuer = await StubServer.StartAsync(context => context.Response.WriteAsync(body));
        Doubtful(await ValidateAsync(issuer));
        issuer.Answer = StubServer.Issuer(body);
        Doubtful(await ValidateAsync(issuer));
    }

    public static TheoryData<string> UselessKeys() =>
        [
            """{ "keys": [] }""",
            TestKeys.Set(TestKeys.Shared("s3cret")),
            TestKeys.Set(With(TestKeys.Rsa(RSA.Create(2048), "one"), "use", "enc")),
            TestKeys.Set(With(TestKeys.Rsa(RSA.Create(2048), "one"), "d", "s3cret")),
            TestKeys.Set(TestKeys.Rsa(RSA.Create(1024), "one")),
            """{ "keys": [ { "kty": "RSA", "kid": "one" } ] }""",
            """{ "keys": [ { "kty": "OKP", "crv": "Ed25519", "x": "s3cret" } ] }""",
            """{ "keys": [ { "kty": "OKP", "crv": "X25519", "x": "s3cret" }, 7, "text", null ] }""",
        ];

    [Theory]
    [MemberData(nameof(UselessKeys))]
    public async Task Keys_of_which_none_can_be_used_for_signatures_are_permanent(string keys)
    {
        await using var issuer = await StubServer.StartIssuerAsync(keys);
        Permanent(await ValidateAsync(issuer));
    }

    [Fact]
    public async Task Another_issuer_is_permanent_even_if_it_differs_by_a_slash_only()
    {
        await using var issuer = await StubServer.StartAsync(StubServer.Issuer(Keys, url => StubServer.Discovery(url, url + "/")));
        var reason = Permanent(await ValidateAsync(issuer));
        Assert.Contains("another issuer", reason, StringComparison.Ordinal);
        Assert.Contains("only the slash at the end differs: add it", reason, StringComparison.Ordinal);
        issuer.Answer = StubServer.Issuer(Keys);
        Assert.Contains(
            "only the slash at the end differs: take it off",
            Permanent(await ValidateAsync(issuer, tenant => tenant with { Issuer = issuer.Url + "/" })),
            StringComparison.Ordinal
        );
        issuer.Answer = StubServer.Issuer(Keys, url => StubServer.Discovery(url, $"https://u:{Secret}@evil.example.com?{Secret}"));
        Assert.Contains("another issuer", Permanent(await ValidateAsync(issuer)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_trailing_slash_of_the_issuer_is_kept_in_the_comparison_and_not_in_the_location()
    {
        await using var issuer = await StubServer.StartAsync(StubServer.Issuer(Keys, url => StubServer.Discovery(url, url + "/")));
        Assert.IsType<TenantValidation.Valid>(await ValidateAsync(issuer, tenant => tenant with { Issuer = issuer.Url + "/" }));
    }

    [Theory]
    [InlineData("one", true)]
    [InlineData("two", false)]
    [InlineData("ONE", false)]
    public async Task A_pinned_key_must_be_there(string id, bool isThere)
    {
        await using var issuer = await StubServer.StartIssuerAsync(Keys);
        var validation = await ValidateAsync(issuer, tenant => tenant with { PinnedKeyId = id });
        Assert.Equal(isThere ? typeof(TenantValidation.Valid) : typeof(TenantValidation.Permanent), validation.GetType());
    }

    [Theory]
    [InlineData("/token", "/authorize", true)]
    [InlineData("/token", null, true)]
    [InlineData("/other", null, false)]
    [InlineData(null, "/other", false)]
    public async Task Endpoints_that_are_configured_must_be_those_of_the_discovery_document(
        string? token,
        string? authorization,
        bool isValid
    )
    {
        await using var issuer = await StubServer.StartIssuerAsync(Keys);
        var validation = await ValidateAsync(issuer, tenant =>
            tenant with
            {
                JwksUri = issuer.Url + "/keys",
                TokenUrl = token is null ? null : issuer.Url + token,
                AuthorizationUrl = authorization is null ? null : issuer.Url + authorization,
            }
        );
        Assert.Equal(isValid ? typeof(TenantValidation.Valid) : typeof(TenantValidation.Permanent), validation.GetType());
    }

    [Theory]
    [InlineData("http://localhost:{0}")]
    [InlineData("http://127.0.0.1:{0}")]
    [InlineData("http://127.1:{0}")]
    [InlineData("http://2130706433:{0}")]
    [InlineData("http://0x7f000001:{0}")]
    [InlineData("http://0177.0.0.1:{0}")]
    [InlineData("http://[::1]:{0}")]
    [InlineData("http://[::ffff:127.0.0.1]:{0}")]
    [InlineData("http://[::ffff:7f00:1]:{0}")]
    [InlineData("http://0.0.0.0:{0}")]
    public async Task A_host_that_leads_to_this_machine_is_refused_and_permanent(string url)
    {
        await using var issuer = await StubServer.StartIssuerAsync(Keys);
        _options.AllowedNetworks = [];
        var reason = Permanent(await ValidateAsync(issuer, tenant => tenant with { Issuer = string.Format(null, url, issuer.Port) }));
        Assert.Contains("Tenancy:Validation:AllowedNetworks", reason, StringComparison.Ordinal);
        Assert.Empty(issuer.Paths);
    }

    [Theory]
    [InlineData("http://localhost:{0}", true)]
    [InlineData("http://127.0.0.1:{0}", true)]
    [InlineData("http://127.1:{0}", true)]
    [InlineData("http://0.0.0.0:{0}", false)]
    [InlineData("http://[::ffff:127.0.0.1]:{0}", false)]
    [InlineData("http://169.254.169.254:{0}", false)]
    public async Task In_development_this_machine_is_reached_by_its_own_names_and_nothing_else_that_is_not_public(
        string url,
        bool isReached
    )
    {
        // The document names the issuer as it is configured, because an HTTP client writes such an address in its own way.
        await using var issuer = await StubServer.StartAsync(context =>
        {
            var configured = string.Format(null, url, context.Request.Host.Port);
            return StubServer.Issuer(Keys, _ => StubServer.Discovery(configured))(context);
        });
        (_options.AllowedNetworks, _options.AllowHttp, _options.AllowLoopback) = ([], false, true);
        var found = await ValidateAsync(issuer, tenant => tenant with { Issuer = string.Format(null, url, issuer.Port) });
        Assert.True(found is TenantValidation.Valid == isReached, $"{found}");
        Assert.Equal(isReached ? 2 : 0, issuer.Paths.Count);
    }

    [Fact]
    public async Task A_name_is_reached_at_the_address_that_is_allowed()
    {
        await using var issuer = await StubServer.StartAsync(StubServer.Issuer(Keys));
        Assert.IsType<TenantValidation.Valid>(
            await ValidateAsync(issuer, tenant => tenant with { Issuer = $"http://localhost:{issuer.Port}" })
        );
    }

    [Theory]
    [InlineData("http://169.254.169.254/keys")]
    [InlineData("http://[fd00:ec2::254]/keys")]
    [InlineData("file:///etc/passwd")]
    [InlineData("keys")]
    public async Task A_discovery_document_cannot_lead_to_where_its_issuer_may_not(string keysUri)
    {
        await using var issuer = await StubServer.StartAsync(
            StubServer.Issuer(Keys, url => $$"""{ "issuer": "{{url}}", "jwks_uri": "{{keysUri}}" }""")
        );
        Permanent(await ValidateAsync(issuer));
    }

    [Fact]
    public async Task Keys_over_http_are_permanent_where_the_operator_does_not_allow_http()
    {
        await using var issuer = await StubServer.StartIssuerAsync(Keys);
        _options.AllowHttp = false;
        Assert.Contains("is not https", Permanent(await ValidateAsync(issuer)), StringComparison.Ordinal);
        Assert.Empty(issuer.Paths);
    }

    [Fact]
    public async Task A_proxy_of_the_operator_is_used_whatever_its_address_and_only_then()
    {
        await using var proxy = await StubServer.StartAsync(StubServer.Issuer(Keys, _ => StubServer.Discovery("http://idp.invalid")));
        _options.AllowedNetworks = [];
        _options.Proxy = new($"http://user:{Secret}@127.0.0.1:{proxy.Port}");
        Assert.IsType<TenantValidation.Valid>(await ValidateAsync(proxy, tenant => tenant with { Issuer = "http://idp.invalid" }));
        Assert.Equal(2, proxy.Paths.Count);
        Permanent(await ValidateAsync(proxy, tenant => tenant with { Issuer = "http://169.254.169.254" }));
        Permanent(await ValidateAsync(proxy, tenant => tenant with { Issuer = "http://localhost:1" }));
        Assert.Equal(2, proxy.Paths.Count);
    }

    [Theory]
    [InlineData(500)]
    [InlineData(404)]
    public async Task Reasons_carry_no_query_header_or_body(int status)
    {
        await using var issuer = await StubServer.StartAsync(context =>
        {
            context.Response.StatusCode = status;
            context.Response.Headers["X-Token"] = Secret;
            return context.Response.WriteAsync(Secret);
        });
        var reason = Reason(await ValidateAsync(issuer, tenant => tenant with { JwksUri = $"{issuer.Url}/keys?key={Secret}" }));
        Assert.StartsWith($"{issuer.Url}/keys answered", reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/realms/my-realm/protocol/openid-connect/certs")]
    [InlineData("/application/o/seller-agent-2026/jwks/")]
    [InlineData("/0123456789abcdef0123456789abcdef/discovery/v2.0/keys")]
    public async Task A_reason_names_the_whole_url_of_a_provider_whatever_it_looks_like(string path)
    {
        await using var issuer = await StubServer.StartAsync(Status(404));
        await using var host = await RegistryHost.CreateAsync();
        var tenant = RegistryHost.Config("acme") with
        {
            Authentication = new()
            {
                Kind = TenantAuthenticationKind.Jwks,
                Issuer = issuer.Url,
                JwksUri = issuer.Url + path,
                Audiences = ["acme"],
            },
        };
        var status = await host.Registry.RegisterAsync(tenant, awaitFirstValidation: true, Cancellation);
        Assert.Equal($"{issuer.Url}{path} answered 404", status.Reason);
    }

    private static RequestDelegate Status(int status) =>
        context =>
        {
            context.Response.StatusCode = status;
            return Task.CompletedTask;
        };

    private static System.Text.Json.Nodes.JsonObject With(System.Text.Json.Nodes.JsonObject key, string name, string value)
    {
        key[name] = value;
        return key;
    }

    private static string Transient(TenantValidation validation) => Reason(Assert.IsType<TenantValidation.Transient>(validation));

    private static string Doubtful(TenantValidation validation) => Reason(Assert.IsType<TenantValidation.Doubtful>(validation));

    private static string Permanent(TenantValidation validation) => Reason(Assert.IsType<TenantValidation.Permanent>(validation));

    private static string Reason(TenantValidation validation)
    {
        Assert.True(validation.IsClean);
        var reason = Tenancy.Registry.TenantHealthPolicy.Reason(validation);
        Assert.NotNull(reason);
        Assert.DoesNotContain(Secret, reason, StringComparison.Ordinal);
        Assert.DoesNotContain("Unknown", reason, StringComparison.Ordinal);
        return reason;
    }

    private static TenantConfig Tenant(StubServer issuer) =>
        new()
        {
            Id = "acme",
            Urls = ["https://acme.example.com"],
            Authentication = new() { Kind = TenantAuthenticationKind.Jwks, Issuer = issuer.Url },
        };

    private JwksValidator Validator()
    {
        var options = Options.Create(new TenancyOptions { Validation = _options });
        _http ??= new(options, new NameLookups(_time), _time, NullLogger<GuardedHttp>.Instance);
        return new(new(_http, options));
    }

    private Task<TenantValidation> ValidateAsync(StubServer issuer, Func<TenantAuthentication, TenantAuthentication>? change = null) =>
        ValidateAsync(change?.Invoke(Tenant(issuer).Authentication!) ?? Tenant(issuer).Authentication!);

    private Task<TenantValidation> ValidateAsync(TenantAuthentication authentication) =>
        Validator().ValidateAsync(new() { Id = "acme", Authentication = authentication }, Cancellation).AsTask();
}
