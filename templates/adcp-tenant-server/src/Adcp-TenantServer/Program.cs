using Adcp_TenantServer;
using Adcp_TenantServer.Inventory;
using Adcp_TenantServer.Selling;
using Tenancy;

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
    .AddListResolver<TestLists>(testModeOnly: true)
    .AddPlatform<Publisher>("publisher")
    .AddPlatform<Retailer>("retailer");

// What the handlers use.
builder
    .Services.AddScoped<Catalog>()
    .AddScoped<FormatList>()
    .AddScoped<CreativeLibrary>()
    .AddScoped<Order>()
    .AddScoped<Change>()
    .AddScoped<TestFixtures>()
    .AddScoped<TestStates>();

var app = builder.Build();

app.UseTenancy();
app.MapTenantMcp();
app.MapTenantAdmin();
app.MapTenantHealth();
app.Run();
return 0;

public partial class Program;
