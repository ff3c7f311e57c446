using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Tenancy.Adcp;
using Tenancy.Authentication;
using Tenancy.Configuration;
using Tenancy.Fleet;
using Tenancy.Mcp;
using Tenancy.Registry;
using Tenancy.Resolution;
using Tenancy.Tests.Hosting;
using Tenancy.Validation;

namespace Tenancy.Tests;

/// <summary>Every place where a server can be extended has a verb on the builder.</summary>
[Tier(Tier.Server)]
public sealed class TenancyBuilderExtensionsTests
{
    [Fact]
    public async Task Classes_of_ones_own_are_added_by_verbs_and_get_services_through_their_constructors()
    {
        await using var app = BareServer.Build(addTenancy: builder =>
        {
            builder.Services.AddSingleton<Notes>();
            return builder
                .Services.AddTenancy(options => options.Tenants = [])
                .AddTenantResolver<FixedResolver>()
                .AddTokenValidator<AnyToken>()
                .AddTenantValidator<Inspector>()
                .AddTenantSource<Table>()
                .AddTenantChangeListener<Witness>()
                .AddAccountResolver<OneAccount>();
        });
        app.UseTenancy();
        app.MapTenantMcp();
        await app.StartAsync(TestContext.Current.CancellationToken);
        var notes = app.Services.GetRequiredService<Notes>();

        // BareServer adds AdCP after all of these: what was added stays.
        Assert.IsType<OneAccount>(app.Services.GetRequiredService<IAccountResolver>());
        using var client = new HttpClient { BaseAddress = new Uri(app.Urls.First()) };
        using var request = new HttpRequestMessage(HttpMethod.Post, "/mcp");
        request.Content = new StringContent(McpCalls.Call("whoami"), System.Text.Encoding.UTF8, "application/json");
        request.Headers.Add("Authorization", "Bearer anything");
        request.Headers.Add("Accept", "application/json");
        using var response = await client.SendAsync(request, TestContext.Current.CancellationToken);
        Assert.Contains(
            "sourced|principal:anything",
            await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken),
            StringComparison.Ordinal
        );
        Assert.Subset(notes.ToHashSet(), new HashSet<string> { "inspected sourced", "registered sourced" });
    }

    [Fact]
    public void What_there_is_one_of_is_replaced_and_what_there_may_be_several_of_is_added()
    {
        var services = new ServiceCollection();
        services
            .AddTenancy(options => options.MultiTenant = true)
            .AddAdcp()
            .AddTenantResolver<FixedResolver>()
            .AddTenantResolver(_ => new FixedResolver())
            .AddTokenValidator<AnyToken>()
            .AddRefusalData<Silence>()
            .AddAccountResolver<OneAccount>()
            .AddTenantValidator<Inspector>()
            .AddTenantValidator(_ => new Inspector([]))
            .AddTenantSource<Table>()
            .AddTenantSource(_ => new Table());
        Assert.NotNull(Assert.Single(services, service => service.ServiceType == typeof(ITenantResolver)).ImplementationFactory);
        Assert.Equal(typeof(Silence), Assert.Single(services, service => service.ServiceType == typeof(IRefusalData)).ImplementationType);
        Assert.Equal(
            typeof(AnyToken),
            Assert.Single(services, service => service.ServiceType == typeof(ITokenValidator)).ImplementationType
        );
        Assert.Equal(
            typeof(OneAccount),
            Assert.Single(services, service => service.ServiceType == typeof(IAccountResolver)).ImplementationType
        );

        // The library's own check of identity providers stays.
        Assert.Equal(3, services.Count(service => service.ServiceType == typeof(ITenantValidator)));
        Assert.Equal(2, services.Count(service => service.ServiceType == typeof(ITenantSource)));
    }

    private sealed class Notes : ConcurrentBag<string>;

    private sealed class FixedResolver : ITenantResolver
    {
        public ValueTask<TenantResolution> ResolveAsync(HttpContext context) => new(TenantResolution.Found("sourced"));
    }

    private sealed class AnyToken : ITokenValidator
    {
        public ValueTask<TokenPrincipal?> ValidateAsync(TenantModel tenant, string token, CancellationToken cancellationToken) =>
            new(new TokenPrincipal(token));
    }

    private sealed class Inspector(Notes notes) : ITenantValidator
    {
        public ValueTask<TenantValidation> ValidateAsync(TenantConfig tenant, CancellationToken cancellationToken)
        {
            notes.Add($"inspected {tenant.Id}");
            return new(TenantValidation.Valid.Instance);
        }
    }

    private sealed class Witness(Notes notes) : ITenantChangeListener
    {
        public void OnTenantChanged(TenantChange change)
        {
            if (change.Kind == TenantChangeKind.Registered)
            {
                notes.Add($"registered {change.TenantId}");
            }
        }
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

    private sealed class Silence : IRefusalData
    {
        public JsonObject Describe(RefusalReason reason, string message, int? retryAfter) => [];
    }
}
