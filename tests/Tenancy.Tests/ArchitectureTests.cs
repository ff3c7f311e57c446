using System.Reflection;
using Microsoft.Extensions.DependencyInjection;
using StackExchange.Redis;
using Tenancy.Adcp;
using Tenancy.Configuration;
using Tenancy.Registry;
using Tenancy.State;
using Tenancy.Tests.Docs;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests;

/// <summary>
/// Which libraries the rooms may use, and what nobody can get hold of. Which other rooms a room may use stands in docs/architecture.md.
/// </summary>
[Tier(Tier.Server)]
public sealed class ArchitectureTests
{
    private static readonly string Source = Path.Combine(Repository.Root, "src", "Tenancy");

    [Theory]
    [InlineData("Configuration", "Microsoft.AspNetCore", "StackExchange", "Microsoft.IdentityModel", "System.Net.Http")]
    [InlineData("Diagnostics", "Microsoft.AspNetCore", "StackExchange", "Microsoft.IdentityModel", "System.Net.Http")]
    [InlineData("Validation", "Microsoft.AspNetCore", "StackExchange", "Microsoft.IdentityModel", "System.Net.Http")]
    [InlineData("Outbound", "Microsoft.AspNetCore", "StackExchange")]
    [InlineData("Registry", "Microsoft.AspNetCore", "StackExchange", "Microsoft.IdentityModel", "System.Net.Http")]
    // Of ASP.NET Core it has Data Protection, which knows no request.
    [InlineData(
        "State",
        "Microsoft.AspNetCore.Authentication",
        "Microsoft.AspNetCore.Builder",
        "Microsoft.AspNetCore.Hosting",
        "Microsoft.AspNetCore.Http",
        "Microsoft.AspNetCore.Routing",
        "Microsoft.IdentityModel",
        "System.Net.Http"
    )]
    [InlineData("Administration", "Microsoft.AspNetCore", "StackExchange", "Microsoft.IdentityModel", "System.Net.Http")]
    [InlineData("Fleet", "Microsoft.AspNetCore", "StackExchange", "Microsoft.IdentityModel", "System.Net.Http")]
    [InlineData("Resolution", "StackExchange", "System.Net.Http")]
    [InlineData("Authentication", "StackExchange", "System.Net.Http")]
    [InlineData("Admin", "StackExchange", "Microsoft.IdentityModel", "System.Net.Http")]
    [InlineData("Mcp", "StackExchange", "Microsoft.IdentityModel", "System.Net.Http")]
    public void A_room_does_not_use_a_library_that_is_not_its_business(string room, params string[] foreign)
    {
        using var library = IlReferences.Read(typeof(TenantRegistry).Assembly);
        var types = library.MainModule.Types.Where(type => IsIn(type.Namespace, "Tenancy." + room)).ToArray();
        Assert.NotEmpty(types);
        Assert.Empty(
            from type in types
            from used in IlReferences.Of(type)
            where foreign.Any(name => IsIn(used.Namespace, name))
            select $"{type.FullName} uses {used.FullName}"
        );
    }

    private static bool IsIn(string used, string name) => used == name || used.StartsWith(name + ".", StringComparison.Ordinal);

    // The generator of Microsoft.AspNetCore.OpenApi would put them there: 1.2 MB.
    [Fact]
    public void No_assembly_of_the_library_carries_its_comments() =>
        Assert.DoesNotContain(
            new[] { typeof(TenantRegistry).Assembly, typeof(AdcpOptions).Assembly }.SelectMany(assembly => assembly.GetTypes()),
            type => type.Namespace is "Microsoft.AspNetCore.OpenApi.Generated"
        );

    [Fact]
    public void Only_a_keyspace_makes_keys()
    {
        using var library = IlReferences.Read(typeof(TenantRegistry).Assembly);
        var makers =
            from type in library.MainModule.GetTypes()
            from method in type.Methods
            where method.HasBody && method.Body.Instructions.Any(MakesAKey)
            select type.Name;
        Assert.Equal(["FleetKeyspace", "TenantKeyspace"], makers.Distinct().Order(StringComparer.Ordinal));
        foreach (
            var file in Directory
                .GetFiles(Source, "*.cs", SearchOption.AllDirectories)
                .Where(file => !file.EndsWith("Keyspace.cs", StringComparison.Ordinal))
        )
        {
            Assert.False(File.ReadAllText(file).Contains("\"tenant:", StringComparison.Ordinal), file);
        }
    }

    private static bool MakesAKey(Mono.Cecil.Cil.Instruction instruction) =>
        instruction.Operand is Mono.Cecil.MethodReference { Name: ".ctor", DeclaringType.Name: nameof(StoreKey) };

    [Fact]
    public void The_library_has_no_word_of_the_protocol_on_top_of_it()
    {
        var files = Directory
            .GetFiles(Source, "*", SearchOption.AllDirectories)
            .Where(file => Path.GetExtension(file) is ".cs" or ".lua")
            .ToArray();
        Assert.True(files.Length > 250, $"{files.Length} files");
        Assert.DoesNotContain(files, file => File.ReadAllText(file).Contains("adcp", StringComparison.OrdinalIgnoreCase));
    }

    // What has a constructor is given what it needs. A guard is a convention of endpoints, which has none.
    [Fact]
    public void No_code_but_the_guard_of_endpoints_looks_for_services_in_a_request()
    {
        var files = Directory
            .GetFiles(Path.Combine(Repository.Root, "src"), "*.cs", SearchOption.AllDirectories)
            .Where(file => File.ReadAllText(file).Contains(".RequestServices", StringComparison.Ordinal))
            .Select(Path.GetFileName);
        Assert.Equal(["EndpointGuard.cs"], files);
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
        Assert.True(Exported.Length > 100, "The libraries were not found.");
        Assert.Empty(Exported.SelectMany(VisibleMembers).Where(GivesTooMuch).Select(Name));
    }

    [Fact]
    public void A_member_that_gives_too_much_is_found_however_it_is_wrapped()
    {
        Assert.Equal([], VisibleMembers(typeof(Harmless)).Where(GivesTooMuch).Select(Name));
        Assert.NotEmpty(VisibleMembers(typeof(Harmless)));

        var generous = VisibleMembers(typeof(TooGenerous))
            .Where(member => member is MethodInfo or FieldInfo { IsLiteral: false })
            .ToArray();
        Assert.Equal([], generous.Where(member => !GivesTooMuch(member)).Select(Name));
        Assert.Equal(TooGenerous.Count, generous.Length);
    }

    [Fact]
    public void A_tool_context_is_made_by_the_library_alone() =>
        Assert.Empty(typeof(Tenancy.Mcp.ToolContext).GetConstructors(BindingFlags.Public | BindingFlags.Instance));

    [Fact]
    public void No_public_method_takes_a_tenant_and_a_key_as_two_texts() =>
        Assert.Empty(Exported.SelectMany(VisibleMembers).OfType<MethodInfo>().Where(TakesTenantAndKey).Select(Name));

    // Texts are what a request says, which may be no id at all, and what the tests of a handler write.
    [Fact]
    public void The_id_of_a_tenant_has_one_type()
    {
        var takeTexts = Exported
            .SelectMany(VisibleMembers)
            .OfType<MethodInfo>()
            .Where(method => method.GetParameters().Any(parameter => IsText((parameter.Name!, Plain(parameter.ParameterType)), "tenantId")))
            .Select(Name)
            .Distinct();
        Assert.Equal(
            [
                "Tenancy.Registry.TenantRegistry.Get",
                "Tenancy.Resolution.TenantResolution.Found",
                "Tenancy.Testing.TestTenancy.Begin",
                "Tenancy.Testing.TestToolContext.Begin",
            ],
            takeTexts.Order(StringComparer.Ordinal)
        );
    }

    [Fact]
    public void A_method_that_takes_a_tenant_and_a_key_is_found_whatever_their_types_are()
    {
        var pairs = VisibleMembers(typeof(PairTaker)).OfType<MethodInfo>().ToArray();
        Assert.Equal([], pairs.Where(method => !TakesTenantAndKey(method)).Select(Name));
        Assert.Equal(PairTaker.Count, pairs.Length);
        Assert.Equal([], VisibleMembers(typeof(Harmless)).OfType<MethodInfo>().Where(TakesTenantAndKey).Select(Name));
    }

    private static Assembly[] Libraries =>
        [
            typeof(Tenancy.ITenancyBuilder).Assembly,
            typeof(Tenancy.Adcp.AdcpError).Assembly,
            typeof(EmbeddedStoreTenancyBuilderExtensions).Assembly,
            typeof(Tenancy.Testing.TestToolContext).Assembly,
        ];

    private static Type[] Exported => [.. Libraries.SelectMany(library => library.GetExportedTypes())];

    /// <summary>What a connection, a key or a tenant's state is, beside all that the driver of the store has.</summary>
    private static readonly HashSet<Type> Kept =
    [
        typeof(StoreKey),
        typeof(TenantKeyspace),
        typeof(FleetKeyspace),
        typeof(RedisConnection),
        typeof(TenantState),
        typeof(ITenantStore),
    ];

    private static readonly HashSet<Type> Texts = [typeof(string), typeof(ReadOnlySpan<char>), typeof(ReadOnlyMemory<char>)];

    private static string Name(MemberInfo member) => $"{member.DeclaringType}.{member.Name}";

    private static IEnumerable<MemberInfo> VisibleMembers(Type type) =>
        type.GetMembers(
                BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly
            )
            .Where(IsVisible);

    private static bool GivesTooMuch(MemberInfo member)
    {
        var seen = new HashSet<Type>();
        foreach (var type in Types(member))
        {
            Unwrap(type, seen);
        }

        return seen.Any(type => Kept.Contains(type) || type.Namespace is { } room && IsIn(room, "StackExchange"));
    }

    /// <summary>Collects a type and all that it is made of, down to constraints and to what a delegate takes and gives.</summary>
    private static void Unwrap(Type type, HashSet<Type> seen)
    {
        if (!seen.Add(type))
        {
            return;
        }

        Type?[] parts =
        [
            type.GetElementType(),
            .. type.GetGenericArguments(),
            .. type.IsGenericParameter ? type.GetGenericParameterConstraints() : [],
            .. type.IsSubclassOf(typeof(Delegate)) && type.GetMethod("Invoke") is { } invoke ? Types(invoke) : [],
        ];
        foreach (var part in parts.OfType<Type>())
        {
            Unwrap(part, seen);
        }
    }

    private static bool TakesTenantAndKey(MethodInfo method)
    {
        var parameters = method
            .GetParameters()
            .Select(parameter => (Name: parameter.Name!, Type: Plain(parameter.ParameterType)))
            .ToArray();
        return parameters.Any(parameter => parameter.Type == typeof(TenantId) || IsText(parameter, "tenant"))
            && parameters.Any(parameter => IsText(parameter, "key"));
    }

    private static Type Plain(Type type) => type.IsByRef ? type.GetElementType()! : type;

    private static bool IsText((string Name, Type Type) parameter, string word) =>
        Texts.Contains(parameter.Type) && parameter.Name.Contains(word, StringComparison.OrdinalIgnoreCase);

    private static bool IsVisible(MemberInfo member) =>
        member switch
        {
            MethodBase method => method.IsPublic || method.IsFamily || method.IsFamilyOrAssembly,
            PropertyInfo property => property.GetAccessors(nonPublic: false).Length > 0,
            FieldInfo field => field.IsPublic || field.IsFamily || field.IsFamilyOrAssembly,
            _ => false,
        };

    private static IEnumerable<Type> Types(MemberInfo member) =>
        member switch
        {
            MethodInfo method =>
            [
                method.ReturnType,
                .. method.GetParameters().Select(parameter => parameter.ParameterType),
                .. method.GetGenericArguments(),
            ],
            MethodBase method => method.GetParameters().Select(parameter => parameter.ParameterType),
            PropertyInfo property => [property.PropertyType],
            FieldInfo field => [field.FieldType],
            _ => [],
        };

#pragma warning disable CA1822, S1144, IDE0060 // Samples: nobody calls them.
    private delegate void Receive(IDatabase database);

    private abstract class TooGenerous
    {
        public const int Count = 17;

        public abstract IDatabase Plain();

        public abstract Task<IDatabase> Later();

        public abstract Func<Task<IDatabase>> OnDemand();

        public abstract IDatabase[] Several();

        public abstract IReadOnlyDictionary<string, List<RedisKey[]>> Nested();

        public abstract bool TryGet(out IDatabase database);

        public abstract void Taken(RedisValue? value);

        public abstract void Called(Receive receive);

        public abstract T Constrained<T>()
            where T : IDatabase;

        public abstract StoreKey Key();

        public abstract ref readonly StoreKey KeyByReference();

        public abstract Lazy<TenantKeyspace> Keyspace();

        public abstract (string Name, TenantState State) State();

        public abstract IEnumerable<RedisConnection> Connections();

        public abstract Action<ITenantStore> Store();

        protected internal StoreKey? Field = new StoreKey(default);

        protected abstract ValueTask<RedisConnection> ForHeirs();
    }

    private abstract class PairTaker
    {
        public const int Count = 6;

        public abstract void Texts(string tenant, string key);

        public abstract void Id(TenantId id, string key);

        public abstract void IdByReference(in TenantId id, string storeKey);

        public abstract void Span(string tenantId, ReadOnlySpan<char> key);

        public abstract void IdAndSpan(TenantId tenant, ReadOnlySpan<char> idempotencyKey);

        protected abstract void Memory(ReadOnlySpan<char> tenant, ReadOnlyMemory<char> key);
    }

    private abstract class Harmless
    {
        public abstract Task<IReadOnlyList<TenantId>> Ids();

        public abstract T Compared<T>(T one)
            where T : IComparable<T>;

        public abstract Func<int[], string> Texts(ref int count);

        public abstract void Key(string key);

        public abstract void Tenant(TenantId tenant, string name);

        private protected abstract StoreKey Hidden();
    }
#pragma warning restore CA1822, S1144, IDE0060
}
