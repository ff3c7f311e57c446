using Adcp_TenantServer;

var builder = WebApplication.CreateBuilder(args);

builder.Services.AddTenancy(builder.Configuration)
#if (UseEmbedded)
    .AddEmbeddedStore()
#endif
    .AddAdcp()
    .AddPlatform<Publisher>("publisher")
    .AddPlatform<Retailer>("retailer");

var app = builder.Build();

app.UseTenancy();
app.MapTenantMcp();
app.MapTenantAdmin();
app.MapTenantHealth();
app.Run();

public partial class Program;
