using System.Reflection;
using StackExchange.Redis;
using Tenancy.Configuration;
using Tenancy.State;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Docs;

/// <summary>docs/state.md has every key and every script.</summary>
public sealed class StatePageTests
{
    private static readonly Page Page = Page.Read("docs/state.md");
    private static readonly TenantId Id = TenantId.Parse("id-of-tenant");

    [Fact]
    public void Every_script_has_a_row_and_every_row_a_script()
    {
        var scripts = Directory
            .GetFiles(Path.Combine(Repository.Root, "src", "Tenancy", "State", "Scripts"), "*.lua")
            .Select(file => Path.GetFileNameWithoutExtension(file)!);
        Assert.Equal(scripts.Order(StringComparer.Ordinal), FirstCells("| script | does").Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Every_key_has_a_row_and_every_row_a_key()
    {
        var keys = Keys(typeof(FleetKeyspace), null).Concat(Keys(typeof(TenantKeyspace), new TenantKeyspace(Id)));
        Assert.Equal(keys.Order(StringComparer.Ordinal), FirstCells("| key | type").Order(StringComparer.Ordinal));
    }

    private static IEnumerable<string> FirstCells(string head) => Page.Rows(head).Select(row => row[0].Trim('`'));

    /// <summary>The keys that a keyspace makes, with the names of parameters for what they are given.</summary>
    private static IEnumerable<string> Keys(Type keyspace, object? instance)
    {
        const BindingFlags All = BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;
        // What reads a property is a method, too, and has no parameters.
        return keyspace
            .GetMethods(All)
            .Where(method => method.ReturnType == typeof(StoreKey))
            .Select(method => (StoreKey)method.Invoke(instance, [.. method.GetParameters().Select(Sample)])!)
            .Select(key => key.Value.ToString().Replace(Id.Value, "<id>", StringComparison.Ordinal));
    }

    private static object Sample(ParameterInfo parameter) =>
        parameter.ParameterType == typeof(TenantId) ? Id
        : parameter.ParameterType == typeof(DocumentPlace) ? new DocumentPlace("<account>", "<collection>", "<idHash>")
        : parameter.ParameterType == typeof(RedisKey) ? (RedisKey)$"<{parameter.Name}>"
        : $"<{parameter.Name}>";
}
