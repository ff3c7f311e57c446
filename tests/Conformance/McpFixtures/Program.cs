using McpFixtures;
using McpFixtures.Tasks;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;
using Tenancy.Mcp;

// A server for MCP's conformance suite: one platform, whose handlers are what the suite calls. tests/Conformance/mcp makes its tenant.
var builder = WebApplication.CreateBuilder(args);
builder.Services.AddTenancy(builder.Configuration).AddEmbeddedStore().AddPlatform<Fixtures>("fixtures");

// What no attribute says is the MCP SDK's own option, as in a server without tenants.
builder.Services.Configure<McpServerOptions>(options =>
{
    options.Handlers.SetLoggingLevelHandler = (_, _) => ValueTask.FromResult(new EmptyResult());

    // Nothing here changes, so that there is nothing to tell: but without these a subscription is refused.
    options.Handlers.SubscribeToResourcesHandler = (_, _) => ValueTask.FromResult(new EmptyResult());
    options.Handlers.UnsubscribeFromResourcesHandler = (_, _) => ValueTask.FromResult(new EmptyResult());
    options.Handlers.CompleteHandler = (request, _) =>
        ValueTask.FromResult(
            new CompleteResult
            {
                Completion = new()
                {
                    Values = [$"{request.Params.Argument.Value} at {request.Services!.GetRequiredService<ToolContext>().TenantId}"],
                    Total = 1,
                },
            }
        );
});

// So are extensions of the protocol.
builder.Services.AddHttpContextAccessor();
builder.Services.AddSingleton<TaskTable>();
builder.Services.ConfigureOptions<TasksExtension>();

var app = builder.Build();
app.UseTenancy();
app.MapTenantMcp();
app.MapTenantAdmin();
app.MapTenantHealth();
app.Run();
