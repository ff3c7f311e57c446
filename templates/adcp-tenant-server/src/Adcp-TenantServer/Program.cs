using Adcp_TenantServer;
using Tenancy;
#if (!SampleIsNone)
using Adcp_TenantServer.Inventory;
using Adcp_TenantServer.Selling;
#endif

// What the container's health check runs.
if (await HealthProbe.RunAsync(args) is { } exitCode)
{
    return exitCode;
}

var builder = WebApplication.CreateBuilder(args);
builder.AddTelemetry();

builder
    .Services.AddTenancy(builder.Configuration)
#if (UseEmbedded)
    .AddEmbeddedStore()
#endif
    .AddAdcp()
#if (!SampleIsNone)
    .AddListResolver<TestLists>(testModeOnly: true)
#endif
#if (OnePlatform)
    .AddPlatform<Publisher>("publisher");
#else
    .AddPlatform<Publisher>("publisher")
    .AddPlatform<Retailer>("retailer");
#endif
#if (!SampleIsNone)

// What the handlers use.
builder
    .Services.AddScoped<Catalog>()
    .AddScoped<FormatList>()
    .AddScoped<CreativeLibrary>()
    .AddScoped<Terms>()
    .AddScoped<Order>()
    .AddScoped<Change>()
    .AddScoped<TestFixtures>()
    .AddScoped<TestStates>();
#endif

var app = builder.Build();

app.UseTenancy();
app.MapTenantMcp();
app.MapTenantAdmin();
app.MapTenantHealth();
app.Run();
return 0;

public partial class Program;
