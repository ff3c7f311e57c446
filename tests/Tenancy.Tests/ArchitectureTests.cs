using System.Reflection;
using System.Text.RegularExpressions;
using Microsoft.Extensions.DependencyInjection;
using StackExchange.Redis;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests;

/// <summary>
/// Which libraries the rooms may use, and what nobody can get hold of. Which other rooms a room may use stands in docs/architecture.md.
/// </summary>
[Tier(Tier.Server)]
public sealed partial class ArchitectureTests
{
    private static readonly string Source = Path.Combine(Repository.Root, "src", "Tenancy");

    [Theory]
    [InlineData("Configuration", "Microsoft.AspNetCore", "StackExchange", "Microsoft.IdentityModel", "System.Net.Http")]
    [InlineData("Diagnostics", "Microsoft.AspNetCore", "StackExchange", "Microsoft.IdentityModel", "System.Net.Http")]
    [InlineData("Validation", "Microsoft.AspNetCore", "StackExchange", "Microsoft.IdentityModel", "System.Net.Http")]
    [InlineData("Outbound", "Microsoft.AspNetCore", "StackExchange")]
    [InlineData("Registry", "Microsoft.AspNetCore", "StackExchange", "Microsoft.IdentityModel", "System.Net.Http")]
    [InlineData("State", "Microsoft.AspNetCore", "Microsoft.IdentityModel", "System.Net.Http")]
    [InlineData("Administration", "Microsoft.AspNetCore", "StackExchange", "Microsoft.IdentityModel", "System.Net.Http")]
    [InlineData("Fleet", "Microsoft.AspNetCore", "StackExchange", "Microsoft.IdentityModel", "System.Net.Http")]
    [InlineData("Resolution", "StackExchange", "System.Net.Http")]
    [InlineData("Authentication", "StackExchange", "System.Net.Http")]
    [InlineData("Admin", "StackExchange", "Microsoft.IdentityModel", "System.Net.Http")]
    [InlineData("Mcp", "StackExchange", "Microsoft.IdentityModel", "System.Net.Http")]
    public void A_room_does_not_use_a_library_that_is_not_its_business(string room, params string[] foreign)
    {
        var files = Directory.GetFiles(Path.Combine(Source, room), "*.cs", SearchOption.AllDirectories);
        Assert.NotEmpty(files);
        foreach (var file in files)
        {
            foreach (Match match in Using().Matches(File.ReadAllText(file)))
            {
                Assert.False(foreign.Any(name => IsIn(match.Groups[1].Value, name)), $"{Path.GetFileName(file)} has {match.Value}");
            }
        }
    }

    private static bool IsIn(string used, string name) => used == name || used.StartsWith(name + ".", StringComparison.Ordinal);

    [Fact]
    public void Only_a_keyspace_makes_keys()
    {
        foreach (
            var file in Directory
                .GetFiles(Source, "*.cs", SearchOption.AllDirectories)
                .Where(file => !file.EndsWith("Keyspace.cs", StringComparison.Ordinal))
        )
        {
            var text = File.ReadAllText(file);
            Assert.False(
                text.Contains("new StoreKey(", StringComparison.Ordinal) || text.Contains("\"tenant:", StringComparison.Ordinal),
                file
            );
        }
    }

    [Fact]
    public async Task No_connection_to_the_store_is_in_the_container()
    {
        await using var server = await TenancyServer.StartAsync();
        foreach (
            var type in new[]
            {
                typeof(IConnectionMultiplexer),
                typeof(ConnectionMultiplexer),
                typeof(IDatabase),
                typeof(IDatabaseAsync),
                typeof(IServer),
                typeof(ISubscriber),
                typeof(ConfigurationOptions),
            }
        )
        {
            Assert.Null(server.Services.GetService(type));
        }
    }

    [Fact]
    public void No_public_member_gives_a_connection_a_key_or_a_tenants_state()
    {
        foreach (var type in Libraries.SelectMany(library => library.GetExportedTypes()))
        {
            foreach (
                var member in type.GetMembers(
                        BindingFlags.Public
                            | BindingFlags.NonPublic
                            | BindingFlags.Instance
                            | BindingFlags.Static
                            | BindingFlags.DeclaredOnly
                    )
                    .Where(IsVisible)
            )
            {
                Assert.DoesNotContain(Types(member), used => used.Namespace?.StartsWith("StackExchange", StringComparison.Ordinal) is true);
            }
        }
    }

    [Fact]
    public void A_tool_context_is_made_by_the_library_alone() =>
        Assert.Empty(typeof(Tenancy.Mcp.ToolContext).GetConstructors(BindingFlags.Public | BindingFlags.Instance));

    [Fact]
    public void No_public_method_takes_a_tenant_and_a_key_as_two_texts()
    {
        foreach (
            var method in Libraries
                .SelectMany(library => library.GetExportedTypes())
                .SelectMany(type =>
                    type.GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly)
                )
        )
        {
            var texts = method
                .GetParameters()
                .Where(parameter => parameter.ParameterType == typeof(string))
                .Select(parameter => parameter.Name!)
                .ToArray();
            Assert.False(
                texts.Any(name => name.Contains("tenant", StringComparison.OrdinalIgnoreCase))
                    && texts.Any(name => name.Contains("key", StringComparison.OrdinalIgnoreCase)),
                $"{method.DeclaringType}.{method.Name}"
            );
        }
    }

    private static Assembly[] Libraries =>
        [
            typeof(Tenancy.ITenancyBuilder).Assembly,
            typeof(Tenancy.Adcp.AdcpError).Assembly,
            typeof(EmbeddedStoreTenancyBuilderExtensions).Assembly,
            typeof(Tenancy.Testing.TestToolContext).Assembly,
        ];

    private static bool IsVisible(MemberInfo member) =>
        member switch
        {
            MethodBase method => method.IsPublic || method.IsFamily || method.IsFamilyOrAssembly,
            PropertyInfo property => property.GetAccessors(nonPublic: false).Length > 0,
            FieldInfo field => field.IsPublic || field.IsFamily,
            _ => false,
        };

    private static IEnumerable<Type> Types(MemberInfo member) =>
        member switch
        {
            MethodInfo method => [method.ReturnType, .. method.GetParameters().Select(parameter => parameter.ParameterType)],
            MethodBase method => method.GetParameters().Select(parameter => parameter.ParameterType),
            PropertyInfo property => [property.PropertyType],
            FieldInfo field => [field.FieldType],
            _ => [],
        };

    [GeneratedRegex(@"^(?:global )?using (?:static )?([\w.]+)(?: = .*)?;", RegexOptions.Multiline)]
    private static partial Regex Using();
}
