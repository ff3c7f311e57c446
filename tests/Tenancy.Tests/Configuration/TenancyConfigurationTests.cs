using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Tenancy.Configuration;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Configuration;

/// <summary>
/// The short variables win over appsettings; the long ones win over them; lists are replaced whole; the application's configuration stays
/// as it is.
/// </summary>
[Tier(Tier.Process)]
public sealed class TenancyConfigurationTests
{
    private static readonly Dictionary<string, string?> File = new()
    {
        ["Tenancy:Identification:0"] = "path",
        ["Tenancy:Identification:1"] = "header",
        ["Tenancy:Admin:Keys:0"] = "file",
    };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public void Short_variables_win_over_appsettings()
    {
        var options = Read(
            File,
            new()
            {
                ["TENANT_IDENTIFICATION"] = "subdomain",
                ["TENANT_ADMIN_API_KEY"] = "short",
                ["MULTI_TENANT_ENABLED"] = "false",
            }
        );
        Assert.Equal(TenantIdentification.Host, options.Identification);
        Assert.Equal(["short"], options.Admin.Keys);
        Assert.False(options.MultiTenant);
    }

    [Fact]
    public void Long_variables_win_over_short_ones()
    {
        var options = Read([], new() { ["TENANT_IDENTIFICATION"] = "path", ["Tenancy:Identification"] = "header" });
        Assert.Equal(TenantIdentification.Header, options.Identification);
    }

    [Fact]
    public void A_list_in_long_variables_wins_whole_over_a_short_one()
    {
        var options = Read(
            File,
            new()
            {
                ["TENANT_ADMIN_API_KEY"] = "short",
                ["Tenancy:Admin:Keys:0"] = "one",
                ["Tenancy:Admin:Keys:1"] = "two",
            }
        );
        Assert.Equal(["one", "two"], options.Admin.Keys);
    }

    [Fact]
    public void The_command_line_wins_over_both_with_long_names_and_with_short_ones()
    {
        Dictionary<string, string?> variables = new() { ["TENANT_IDENTIFICATION"] = "path", ["Tenancy:MultiTenant"] = "true" };
        var options = Read([], variables, new() { ["Tenancy:Identification"] = "token", ["MULTI_TENANT_ENABLED"] = "false" });
        Assert.Equal(TenantIdentification.Token, options.Identification);
        Assert.False(options.MultiTenant);
    }

    [Fact]
    public void An_empty_short_variable_says_nothing() =>
        Assert.Equal(["file"], Read(File, new() { ["TENANT_ADMIN_API_KEY"] = "" }).Admin.Keys);

    [Fact]
    public void A_list_is_taken_whole_from_the_highest_source()
    {
        var options = Read(
            new()
            {
                ["Tenancy:AnonymousTools:0"] = "a",
                ["Tenancy:AnonymousTools:1"] = "b",
                ["Tenancy:AnonymousTools:2"] = "c",
            },
            new() { ["Tenancy:AnonymousTools:0"] = "z" }
        );
        Assert.Equal(["z"], options.AnonymousTools);
    }

    [Fact]
    public void The_applications_configuration_stays_as_it_is()
    {
        var configuration = Configure(File, new() { ["TENANT_ADMIN_API_KEY"] = "short", ["PORT"] = "8123" });
        var (sources, before) = (configuration.Sources.ToArray(), configuration.AsEnumerable().ToDictionary());
        new ServiceCollection().AddTenancy(configuration);
        Assert.Equal(sources, configuration.Sources);
        Assert.Equal(before, configuration.AsEnumerable().ToDictionary());
        Assert.Null(configuration["urls"]);
    }

    [Fact]
    public void Sections_and_children_are_those_of_all_sources()
    {
        var configuration = new TenancyConfiguration(
            Configure(new() { ["Other:Thing"] = "1", ["Tenancy:BaseDomain"] = "example.com" }, new() { ["MULTI_TENANT_ENABLED"] = "false" })
        );
        Assert.Equal(["BaseDomain", "MultiTenant"], configuration.GetSection("Tenancy").GetChildren().Select(child => child.Key).Order());
        Assert.Equal(
            ["MULTI_TENANT_ENABLED", "Other", "Tenancy"],
            configuration.GetChildren().Select(child => child.Key).Order(StringComparer.Ordinal)
        );
    }

    [Theory]
    [InlineData(null, null, "http://*:8123")]
    [InlineData("http://127.0.0.1:9000", null, null)]
    [InlineData(null, "http://127.0.0.1:9000", null)]
    public void Port_is_where_the_server_listens_unless_the_same_source_or_a_higher_one_has_urls(
        string? variable,
        string? argument,
        string? expected
    )
    {
        Dictionary<string, string?> variables = new() { ["PORT"] = "8123", ["urls"] = variable };
        Assert.Equal(
            expected,
            PortVariable.FindUrl(
                new TenancyConfiguration(Configure(new() { ["urls"] = "http://*:1" }, variables, new() { ["urls"] = argument }))
            )
        );
    }

    [Theory]
    [InlineData("http")]
    [InlineData("0")]
    [InlineData("65536")]
    [InlineData("-1")]
    [InlineData("80;http://*:81")]
    public void A_port_that_is_none_is_refused_with_its_name_and_value(string port)
    {
        var refused = Assert.Throws<InvalidOperationException>(() =>
            PortVariable.FindUrl(new TenancyConfiguration(Configure([], new() { ["PORT"] = port })))
        );
        Assert.StartsWith($"PORT is '{port}': use ", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Without_a_port_the_urls_of_the_configuration_hold() =>
        Assert.Null(PortVariable.FindUrl(new TenancyConfiguration(Configure(new() { ["urls"] = "http://*:1" }, []))));

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_server_listens_on_the_port_unless_the_application_says_otherwise_in_code(bool hasUrlsInCode)
    {
        var port = RedisServer.FreePort();
        await using var app = BareServer.Build(configure: builder =>
            builder.Configuration.AddInMemoryCollection([
                KeyValuePair.Create<string, string?>("urls", null),
                KeyValuePair.Create<string, string?>("PORT", $"{port}"),
            ])
        );
        app.UseTenancy();
        app.MapTenantHealth();
        if (hasUrlsInCode)
        {
            app.Urls.Add("http://127.0.0.1:0");
        }

        await app.StartAsync(Token);
        Assert.Equal(!hasUrlsInCode, app.Urls.Any(url => url.EndsWith($":{port}", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Settings_in_code_win_over_the_configuration_and_leave_what_they_do_not_set()
    {
        await using var app = BareServer.Build(addTenancy: builder =>
            builder.Services.AddTenancy(options => options.BaseDomain = "code.example")
        );
        var options = app.Services.GetRequiredService<IOptions<TenancyOptions>>().Value;
        Assert.Equal("code.example", options.BaseDomain);
        Assert.Equal([TenancyServer.AdminKey], options.Admin.Keys);
        Assert.Equal("acme", Assert.Single(options.Tenants).Tenant.Id);
    }

    [Fact]
    public async Task A_mistake_in_code_stops_the_start_as_one_in_the_configuration_does()
    {
        await using var app = BareServer.Build(addTenancy: builder => builder.Services.AddTenancy(options => options.PublicUrl = "no url"));
        var refused = await Assert.ThrowsAsync<OptionsValidationException>(() => app.StartAsync(Token));
        Assert.Contains("Tenancy:PublicUrl is 'no url'", refused.Message, StringComparison.Ordinal);
    }

    private static TenancyOptions Read(
        Dictionary<string, string?> file,
        Dictionary<string, string?> variables,
        Dictionary<string, string?>? arguments = null
    )
    {
        using var services = new ServiceCollection().AddTenancy(Configure(file, variables, arguments)).Services.BuildServiceProvider();
        var binder = ActivatorUtilities.CreateInstance<SettingsBinder<TenancyOptions>>(services);
        var options = new TenancyOptions();
        binder.Configure(options);
        Assert.True(binder.Validate(null, options).Succeeded);
        return options;
    }

    private static ConfigurationManager Configure(
        Dictionary<string, string?> file,
        Dictionary<string, string?> variables,
        Dictionary<string, string?>? arguments = null
    )
    {
        var configuration = new ConfigurationManager();
        configuration.AddInMemoryCollection(file).AddInMemoryCollection(variables);
        if (arguments is not null)
        {
            configuration.AddInMemoryCollection(arguments);
        }

        return configuration;
    }
}
