using System.Collections.Concurrent;
using System.Net;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.DependencyInjection;
using Tenancy.Administration;
using Tenancy.Authentication;
using Tenancy.Configuration;
using Tenancy.Fleet;
using Tenancy.Registry;
using Tenancy.Tests.Hosting;
using Tenancy.Tests.Registry;

namespace Tenancy.Tests.Administration;

/// <summary>Tenants are changed in one way, by whomever: it needs no HTTP, and whoever stands in its place sees every change.</summary>
[Tier(Tier.Server)]
public sealed class TenantAdministrationTests
{
    private static readonly TenantId Acme = TenantId.Parse("acme");
    private static readonly TenantId Nobody = TenantId.Parse("nobody");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_application_registers_changes_suspends_resumes_checks_and_takes_away_tenants_without_http()
    {
        await using var host = await RegistryHost.CreateAsync();
        var tenants = host.Services.GetRequiredService<ITenantAdministration>();
        var registered = await tenants.RegisterAsync(RegistryHost.Config("acme"), new() { AwaitFirstValidation = true }, Token);
        Assert.True(registered.IsNew);
        Assert.Equal(TenantHealth.Healthy, registered.Status.Health);
        Assert.False((await tenants.RegisterAsync(RegistryHost.Config("acme"), cancellationToken: Token)).IsNew);

        var named = await tenants.UpdateAsync(Acme, tenant => tenant with { Name = "ACME News" }, cancellationToken: Token);
        Assert.Equal("ACME News", host.Registry.Get(Acme)!.Config.Name);
        var late = await Assert.ThrowsAsync<TenantConflictException>(() =>
            tenants.UpdateAsync(Acme, tenant => tenant with { Name = "other" }, new() { ExpectedVersion = named.Version - 1 }, Token)
        );
        Assert.Equal("version", late.Field);

        await tenants.SuspendAsync(Acme, Token);
        Assert.True(host.Model("acme").IsSuspended);
        await tenants.ResumeAsync(Acme, Token);
        Assert.True(host.Model("acme").IsServing);
        Assert.Equal(TenantHealth.Healthy, (await tenants.RecheckAsync(Acme, Token)).Health);

        Assert.True(await tenants.UnregisterAsync(Acme, Token));
        Assert.Null(host.Registry.Get(Acme));
        Assert.False(await tenants.UnregisterAsync(Acme, Token));
        await Assert.ThrowsAsync<TenantConflictException>(() =>
            tenants.RegisterAsync(RegistryHost.Config("acme"), cancellationToken: Token)
        );
        await tenants.RegisterAsync(RegistryHost.Config("acme"), new() { Creation = TenantCreation.Adopt }, Token);
        Assert.True(await tenants.DeleteAsync(Acme, Token));
        Assert.False(await tenants.DeleteAsync(Acme, Token));
        Assert.True((await tenants.RegisterAsync(RegistryHost.Config("acme"), cancellationToken: Token)).IsNew);
    }

    [Fact]
    public async Task An_application_issues_lists_rotates_and_revokes_principals_without_http()
    {
        await using var host = await RegistryHost.CreateAsync();
        var tenants = host.Services.GetRequiredService<ITenantAdministration>();
        var tokens = host.Services.GetRequiredService<ITokenValidator>();
        var registered = await tenants.RegisterAsync(
            new TenantRegistration { Tenant = RegistryHost.Config("acme"), Principals = [new() { Name = "first" }] },
            cancellationToken: Token
        );
        var second = await tenants.IssuePrincipalAsync(Acme, new() { Name = "second", Scopes = ["buy"] }, Token);
        Assert.Equal(["first", "second"], (await tenants.ListPrincipalsAsync(Acme, Token)).Select(principal => principal.Name).Order());
        Assert.Equal(
            registered.Principals[0].Id,
            (await tokens.ValidateAsync(host.Model("acme"), registered.Principals[0].Token, Token))!.Id
        );
        Assert.Equal(["buy"], (await tokens.ValidateAsync(host.Model("acme"), second.Token, Token))!.Scopes);
        Assert.DoesNotContain(second.Token, second.ToString(), StringComparison.Ordinal);

        var rotated = await tenants.RotatePrincipalAsync(Acme, second.Id, cancellationToken: Token);
        Assert.Null(await tokens.ValidateAsync(host.Model("acme"), second.Token, Token));
        Assert.Equal(second.Id, (await tokens.ValidateAsync(host.Model("acme"), rotated!.Token, Token))!.Id);
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() =>
            tenants.RotatePrincipalAsync(Acme, second.Id, TimeSpan.FromDays(8), Token)
        );

        Assert.True(await tenants.RevokePrincipalAsync(Acme, second.Id, Token));
        Assert.Null(await tokens.ValidateAsync(host.Model("acme"), rotated.Token, Token));
        Assert.False(await tenants.RevokePrincipalAsync(Acme, second.Id, Token));
        Assert.Null(await tenants.RotatePrincipalAsync(Acme, second.Id, cancellationToken: Token));
        var conflict = await Assert.ThrowsAsync<TenantConflictException>(() =>
            tenants.IssuePrincipalAsync(Acme, new() { Name = "twin", Token = registered.Principals[0].Token }, Token)
        );
        Assert.Equal("token", conflict.Field);
        var mistake = await Assert.ThrowsAsync<TenantConfigException>(() => tenants.IssuePrincipalAsync(Acme, new() { Name = "" }, Token));
        Assert.Equal("name", Assert.Single(mistake.Errors).Field);
    }

    [Fact]
    public async Task An_application_lists_and_takes_out_clients_without_http()
    {
        await using var host = await RegistryHost.CreateAsync(settings: new() { ["Tenancy:AutoValidate"] = "false" });
        var tenants = host.Services.GetRequiredService<ITenantAdministration>();
        var authentication = new TenantAuthentication
        {
            Kind = TenantAuthenticationKind.Jwks,
            Issuer = "https://login.example",
            Audiences = ["api"],
        };
        await tenants.RegisterAsync(RegistryHost.Config("acme") with { Authentication = authentication }, cancellationToken: Token);
        var client = await tenants.AddClientAsync(
            Acme,
            new()
            {
                ClientId = "agent",
                Name = "Agent",
                ExpiresIn = 3600,
            },
            Token
        );
        Assert.Equal(("agent", "https://login.example", TimeSpan.FromHours(1)), (client.ClientId, client.Issuer, client.Lifetime));
        Assert.Equal(client, await tenants.FindClientAsync(Acme, client.Handle, Token));
        Assert.Equal(client.Handle, Assert.Single((await tenants.ListClientsAsync(Acme, cancellationToken: Token)).Clients).Handle);
        Assert.Equal("Agent", (await tenants.RefreshClientAsync(Acme, client.Handle, Token))!.Name);
        var conflict = await Assert.ThrowsAsync<TenantConflictException>(() =>
            tenants.AddClientAsync(Acme, new() { ClientId = "agent" }, Token)
        );
        Assert.Equal("clientId", conflict.Field);

        // No address that is not public is fetched from, whoever asks.
        var refused = await Assert.ThrowsAsync<ClientMetadataException>(() =>
            tenants.AddClientAsync(Acme, new() { ClientId = "https://10.0.0.1/client" }, Token)
        );
        Assert.False(refused.IsTransient);

        Assert.True(await tenants.RemoveClientAsync(Acme, client.Handle, Token));
        Assert.False(await tenants.RemoveClientAsync(Acme, client.Handle, Token));
        Assert.Null(await tenants.FindClientAsync(Acme, client.Handle, Token));
        Assert.Null(await tenants.RefreshClientAsync(Acme, client.Handle, Token));
    }

    [Fact]
    public async Task A_tenant_that_there_is_not_is_said_by_all_that_need_one()
    {
        await using var host = await RegistryHost.CreateAsync();
        var tenants = host.Services.GetRequiredService<ITenantAdministration>();
        Func<Task>[] calls =
        [
            () => tenants.UpdateAsync(Nobody, tenant => tenant),
            () => tenants.SuspendAsync(Nobody),
            () => tenants.ResumeAsync(Nobody),
            () => tenants.RecheckAsync(Nobody),
            () => tenants.IssuePrincipalAsync(Nobody, new() { Name = "x" }),
            () => tenants.ListPrincipalsAsync(Nobody),
            () => tenants.RotatePrincipalAsync(Nobody, "x"),
            () => tenants.RevokePrincipalAsync(Nobody, "x"),
            () => tenants.AddClientAsync(Nobody, new() { ClientId = "x" }),
            () => tenants.ListClientsAsync(Nobody),
            () => tenants.FindClientAsync(Nobody, "x"),
            () => tenants.RefreshClientAsync(Nobody, "x"),
            () => tenants.RemoveClientAsync(Nobody, "x"),
        ];
        foreach (var call in calls)
        {
            Assert.Equal(Nobody, (await Assert.ThrowsAsync<TenantNotFoundException>(call)).TenantId);
        }
    }

    [Fact]
    public async Task The_admin_api_the_configuration_and_sources_all_go_through_it()
    {
        var door = new Recorder();
        await using var server = await TenancyServer.StartAsync(services: services =>
        {
            services.AddSingleton<TenantAdministration>();
            services.AddSingleton<ITenantAdministration>(provider => door.Around(provider.GetRequiredService<TenantAdministration>()));
            new TenancyBuilder(services).AddTenantSource<Table>();
        });
        Assert.Equal(
            ["register acme by configuration", "register globex by configuration", "register sourced by source:Table"],
            door.Take()
        );

        await AdminAsync(
            HttpMethod.Post,
            "",
            """{"id":"initech","authentication":{"kind":"jwks","issuer":"https://login.example","audiences":["api"]}}"""
        );
        await AdminAsync(HttpMethod.Patch, "/initech", """{"name":"Initech"}""");
        await AdminAsync(HttpMethod.Post, "/initech/recheck", null);
        var principal = await AdminAsync(HttpMethod.Post, "/acme/principals", """{"name":"second"}""");
        await AdminAsync(HttpMethod.Get, "/acme/principals", null);
        await AdminAsync(HttpMethod.Post, $"/acme/principals/{principal["id"]}/rotate", null);
        await AdminAsync(HttpMethod.Delete, $"/acme/principals/{principal["id"]}", null);
        var client = await AdminAsync(HttpMethod.Post, "/initech/clients", """{"clientId":"agent"}""");
        await AdminAsync(HttpMethod.Get, "/initech/clients", null);
        await AdminAsync(HttpMethod.Get, $"/initech/clients/{client["handle"]}", null);
        await AdminAsync(HttpMethod.Post, $"/initech/clients/{client["handle"]}/refresh", null);
        await AdminAsync(HttpMethod.Delete, $"/initech/clients/{client["handle"]}", null);
        await AdminAsync(HttpMethod.Post, "/initech/unregister", null);
        await AdminAsync(HttpMethod.Delete, "/globex", null);
        Assert.Equal(
            [
                "register initech by admin",
                "update initech",
                "recheck initech",
                "issue acme",
                "principals acme",
                "rotate acme",
                "revoke acme",
                "add initech",
                "clients initech",
                "find initech",
                "refresh initech",
                "remove initech",
                "unregister initech",
                "delete globex",
            ],
            door.Take()
        );

        async Task<System.Text.Json.Nodes.JsonNode> AdminAsync(HttpMethod method, string path, string? body)
        {
            using var response = await server.AdminAsync(method, path, body);
            Assert.True(response.IsSuccessStatusCode, $"{method} {path}: {response.StatusCode}");
            return response.StatusCode == HttpStatusCode.NoContent
                ? new System.Text.Json.Nodes.JsonObject()
                : await McpCalls.ReadAsync(response);
        }
    }

    [Fact]
    public async Task A_fake_can_stand_in_its_place_and_refuse_as_it_does()
    {
        var fake = new Recorder { Refusal = new TenantConflictException("id", "it is taken") };
        await using var server = await TenancyServer.StartAsync(services: services => services.AddSingleton<ITenantAdministration>(fake));
        using var response = await server.AdminAsync(HttpMethod.Post, "", """{"id":"x"}""");
        Assert.Equal(HttpStatusCode.Conflict, response.StatusCode);
        fake.Refusal = new StoreUnavailableException(new TimeoutException());
        using var away = await server.AdminAsync(HttpMethod.Post, "", """{"id":"x"}""");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, away.StatusCode);
    }

    private sealed class Table : ITenantSource
    {
        public async IAsyncEnumerable<TenantRegistration> LoadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
        {
            await Task.Yield();
            yield return new() { Tenant = new() { Id = "sourced" } };
        }

        public Task WaitForChangeAsync(CancellationToken cancellationToken) => Task.Delay(Timeout.Infinite, cancellationToken);
    }

    /// <summary>Notes what goes through the door, and lets it pass to what stands behind it; where that is nothing, it refuses.</summary>
    private sealed class Recorder : ITenantAdministration
    {
        private readonly ConcurrentQueue<string> _notes = [];
        private ITenantAdministration? _behind;

        public Exception Refusal { get; set; } = new InvalidOperationException("There is nothing behind this door.");

        public Recorder Around(ITenantAdministration behind)
        {
            _behind = behind;
            return this;
        }

        public string[] Take()
        {
            var notes = _notes.ToArray();
            _notes.Clear();
            return notes;
        }

        public Task<RegisteredTenant> RegisterAsync(
            TenantRegistration registration,
            TenantRegistrationOptions? options = null,
            CancellationToken cancellationToken = default
        ) =>
            Pass($"register {registration.Tenant.Id} by {options?.Origin}", door =>
                door.RegisterAsync(registration, options, cancellationToken)
            );

        public Task<TenantStatus> UpdateAsync(
            TenantId tenantId,
            Func<TenantConfig, TenantConfig> change,
            TenantUpdateOptions? options = null,
            CancellationToken cancellationToken = default
        ) => Pass($"update {tenantId}", door => door.UpdateAsync(tenantId, change, options, cancellationToken));

        public Task<TenantStatus> RecheckAsync(TenantId tenantId, CancellationToken cancellationToken = default) =>
            Pass($"recheck {tenantId}", door => door.RecheckAsync(tenantId, cancellationToken));

        public Task<bool> UnregisterAsync(TenantId tenantId, CancellationToken cancellationToken = default) =>
            Pass($"unregister {tenantId}", door => door.UnregisterAsync(tenantId, cancellationToken));

        public Task<bool> DeleteAsync(TenantId tenantId, CancellationToken cancellationToken = default) =>
            Pass($"delete {tenantId}", door => door.DeleteAsync(tenantId, cancellationToken));

        public Task<IssuedPrincipal> IssuePrincipalAsync(
            TenantId tenantId,
            PrincipalRegistration principal,
            CancellationToken cancellationToken = default
        ) => Pass($"issue {tenantId}", door => door.IssuePrincipalAsync(tenantId, principal, cancellationToken));

        public Task<IReadOnlyList<TenantPrincipal>> ListPrincipalsAsync(TenantId tenantId, CancellationToken cancellationToken = default) =>
            Pass($"principals {tenantId}", door => door.ListPrincipalsAsync(tenantId, cancellationToken));

        public Task<IssuedPrincipal?> RotatePrincipalAsync(
            TenantId tenantId,
            string principalId,
            TimeSpan overlap = default,
            CancellationToken cancellationToken = default
        ) => Pass($"rotate {tenantId}", door => door.RotatePrincipalAsync(tenantId, principalId, overlap, cancellationToken));

        public Task<bool> RevokePrincipalAsync(TenantId tenantId, string principalId, CancellationToken cancellationToken = default) =>
            Pass($"revoke {tenantId}", door => door.RevokePrincipalAsync(tenantId, principalId, cancellationToken));

        public Task<TenantClient> AddClientAsync(
            TenantId tenantId,
            ClientRegistration client,
            CancellationToken cancellationToken = default
        ) => Pass($"add {tenantId}", door => door.AddClientAsync(tenantId, client, cancellationToken));

        public Task<TenantClientPage> ListClientsAsync(
            TenantId tenantId,
            string? cursor = null,
            int take = 100,
            CancellationToken cancellationToken = default
        ) => Pass($"clients {tenantId}", door => door.ListClientsAsync(tenantId, cursor, take, cancellationToken));

        public Task<TenantClient?> FindClientAsync(TenantId tenantId, string handle, CancellationToken cancellationToken = default) =>
            Pass($"find {tenantId}", door => door.FindClientAsync(tenantId, handle, cancellationToken));

        public Task<TenantClient?> RefreshClientAsync(TenantId tenantId, string handle, CancellationToken cancellationToken = default) =>
            Pass($"refresh {tenantId}", door => door.RefreshClientAsync(tenantId, handle, cancellationToken));

        public Task<bool> RemoveClientAsync(TenantId tenantId, string handle, CancellationToken cancellationToken = default) =>
            Pass($"remove {tenantId}", door => door.RemoveClientAsync(tenantId, handle, cancellationToken));

        private Task<T> Pass<T>(string note, Func<ITenantAdministration, Task<T>> call)
        {
            _notes.Enqueue(note);
            return _behind is { } behind ? call(behind) : Task.FromException<T>(Refusal);
        }
    }
}
