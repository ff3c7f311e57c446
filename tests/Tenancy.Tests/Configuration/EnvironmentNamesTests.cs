using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Tenancy.Configuration;

namespace Tenancy.Tests.Configuration;

/// <summary>The short variables win over appsettings; the long ones win over them; lists are replaced whole.</summary>
public sealed class EnvironmentNamesTests
{
    [Fact]
    public void Short_variables_win_over_appsettings()
    {
        var options = Read(
            new() { ["Tenancy:Identification:0"] = "path", ["Tenancy:Identification:1"] = "header", ["Tenancy:Admin:Keys:0"] = "file" },
            new() { ["TENANT_IDENTIFICATION"] = "subdomain", ["TENANT_ADMIN_API_KEY"] = "short", ["MULTI_TENANT_ENABLED"] = "false" });
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
    public void A_list_is_taken_whole_from_the_highest_source()
    {
        var options = Read(
            new() { ["Tenancy:AnonymousTools:0"] = "a", ["Tenancy:AnonymousTools:1"] = "b", ["Tenancy:AnonymousTools:2"] = "c" },
            new() { ["Tenancy:AnonymousTools:0"] = "z" });
        Assert.Equal(["z"], options.AnonymousTools);
    }

    [Theory]
    [InlineData(null, "http://*:8123")]
    [InlineData("http://127.0.0.1:9000", "http://127.0.0.1:9000")]
    public void Port_is_where_the_server_listens_unless_urls_say_otherwise(string? urls, string expected)
    {
        var variables = new Dictionary<string, string?> { ["PORT"] = "8123" };
        if (urls is not null)
        {
            variables["urls"] = urls;
        }

        Assert.Equal(expected, Configure([], variables)["urls"]);
    }

    private static TenancyOptions Read(Dictionary<string, string?> file, Dictionary<string, string?> variables)
    {
        var options = new TenancyOptions();
        SettingsSection section = new(typeof(TenancyOptions), TenancyOptions.SectionName);
        var binder = new SettingsBinder<TenancyOptions>(Configure(file, variables), [section]);
        binder.Configure(options);
        Assert.Null(binder.Validate(Options.DefaultName, options).FailureMessage);
        return options;
    }

    // Environment variables with a prefix of the test's own stand for those of the process.
    private static ConfigurationManager Configure(Dictionary<string, string?> file, Dictionary<string, string?> variables)
    {
        var configuration = new ConfigurationManager();
        configuration.AddInMemoryCollection(file);
        configuration.Sources.Add(new Variables(variables));
        new ServiceCollection().AddTenancy(configuration);
        return configuration;
    }

    private sealed class Variables(Dictionary<string, string?> values) : Microsoft.Extensions.Configuration.EnvironmentVariables.EnvironmentVariablesConfigurationSource, IConfigurationSource
    {
        IConfigurationProvider IConfigurationSource.Build(IConfigurationBuilder builder) =>
            new Microsoft.Extensions.Configuration.Memory.MemoryConfigurationProvider(new() { InitialData = values });
    }
}
