using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Tenancy.Tests.Hosting;

/// <summary>A server whose pipeline and settings are the test's own: one tenant <c>acme</c> that everybody may call.</summary>
internal static class BareServer
{
    /// <summary>Builds the application; the test adds middlewares and endpoints, and starts it.</summary>
    /// <param name="log">What the server says.</param>
    /// <param name="environment">The name of the environment.</param>
    /// <param name="before">What the application adds before AddTenancy.</param>
    /// <param name="configure">What it adds after it.</param>
    /// <param name="addTenancy">How it adds Tenancy, where not by its configuration.</param>
    public static WebApplication Build(
        LogRecorder? log = null,
        string environment = "Development",
        Action<WebApplicationBuilder>? before = null,
        Action<WebApplicationBuilder>? configure = null,
        Func<WebApplicationBuilder, ITenancyBuilder>? addTenancy = null
    )
    {
        var builder = WebApplication.CreateBuilder(
            new WebApplicationOptions { EnvironmentName = environment, ApplicationName = typeof(BareServer).Assembly.GetName().Name }
        );
        builder.Configuration.AddInMemoryCollection(
            new Dictionary<string, string?>
            {
                ["Tenancy:BaseDomain"] = "localhost",
                ["Tenancy:Admin:Keys:0"] = TenancyServer.AdminKey,
                ["Tenancy:Tenants:0:id"] = "acme",
                ["Tenancy:Tenants:0:authentication:kind"] = "none",
            }
        );
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders().AddProvider(TestLog.Provider);
        if (log is not null)
        {
            builder.Logging.AddProvider(log);
        }

        before?.Invoke(builder);
        var tenancy = addTenancy?.Invoke(builder) ?? builder.Services.AddTenancy(builder.Configuration);
        tenancy.AddEmbeddedStore().AddAdcp().AddPlatform<TestPublisher>("publisher");
        configure?.Invoke(builder);
        return builder.Build();
    }
}
