using System.Security.Claims;
using System.Security.Cryptography.X509Certificates;
using ClientCertificates;
using Microsoft.AspNetCore.Authentication.Certificate;
using Microsoft.AspNetCore.Server.Kestrel.Https;

var builder = WebApplication.CreateBuilder(args);

// Yours come from wherever your certificates come from, and your tenants from the admin API.
using var samples = SampleCertificates.Create("certificates");
builder.Configuration.AddInMemoryCollection(samples.Settings);

builder.WebHost.ConfigureKestrel(kestrel =>
    kestrel.ConfigureHttpsDefaults(https =>
    {
        https.ServerCertificate = samples.Server;

        // Asked for, not required: a third tenant of this server may have tokens. Which ones are good is the tenant's to say, and it is not
        // known yet.
        https.ClientCertificateMode = ClientCertificateMode.AllowCertificate;
        https.AllowAnyClientCertificate();
    })
);

builder
    .Services.AddAuthentication()
    .AddCertificate(options =>
    {
        options.AllowedCertificateTypes = CertificateTypes.SelfSigned;
        options.RevocationMode = X509RevocationMode.NoCheck;
        options.Events = new() { OnCertificateValidated = TenantClients.CheckAsync };
    });

builder
    .Services.AddTenancy(builder.Configuration)
    .AddEmbeddedStore()
    .AddPlatform<Shop>("shop")
    .AddTenantScheme(CertificateAuthenticationDefaults.AuthenticationScheme, ClaimTypes.NameIdentifier);

var app = builder.Build();

app.UseTenancy();
app.MapTenantMcp();
app.MapTenantAdmin();
app.Run();
