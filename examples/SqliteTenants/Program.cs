using SqliteTenants;

var builder = WebApplication.CreateBuilder(args);
var database = builder.Configuration.GetConnectionString("Tenants") ?? "Data Source=tenants.db";

builder
    .Services.AddTenancy(builder.Configuration)
    .AddEmbeddedStore()
    .AddPlatform<Shop>("shop")
    .AddTenantSource(services => new SqliteTenantSource(database, services.GetRequiredService<TimeProvider>()));

var app = builder.Build();

await SampleTable.CreateAsync(database);
app.UseTenancy();
app.MapTenantMcp();
app.MapTenantHealth();
app.Run();
