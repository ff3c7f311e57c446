using System.Text.Json;
using Tenancy.Configuration;

namespace Tenancy.Tests.Configuration;

/// <summary>Records print all that they have, in a log or in the message of an exception. Those that have credentials do not.</summary>
public sealed class SecretTextsTests
{
    private const string Secret = "hunter2hunter2hunter2hunter2hunter2hunter2hunter2";

    private static readonly PrincipalRegistration Principal = new() { Name = "buyer", Token = "acme." + Secret };

    private static readonly TenantConfig Tenant = new()
    {
        Id = "acme",
        Settings = JsonSerializer.SerializeToElement(new Dictionary<string, string> { ["apiKey"] = Secret }),
    };

    public static TheoryData<object, string> Records =>
        new()
        {
            { Principal, "buyer" },
            { new IssuedPrincipal("7", "buyer", "acme." + Secret, []), "7 (buyer)" },
            { Tenant, "acme" },
            {
                new TenantRegistration { Tenant = Tenant, Principals = [Principal] },
                "acme"
            },
            {
                new TenantWire
                {
                    Id = "acme",
                    Settings = Tenant.Settings,
                    Principals = [Principal],
                },
                "acme"
            },
        };

    [Theory]
    [MemberData(nameof(Records))]
    public void A_record_with_credentials_says_who_it_is_and_nothing_else(object record, string expected)
    {
        Assert.Equal(expected, record.ToString());
        Assert.Equal($"It is {expected}.", $"It is {record}.");
    }
}
