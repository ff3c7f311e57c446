using System.Reflection;
using System.Text.RegularExpressions;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests;

/// <summary>
/// Each class of tests says the tier that follows from the words of its file, and of the files of helpers that it names.
/// </summary>
/// <remarks>Words, because a constant such as <c>StoreKind.Redis</c> leaves no trace in what the compiler writes.</remarks>
public sealed partial class TierTests
{
    private static readonly Dictionary<string, Source> Sources = Directory
        .GetFiles(Path.Combine(Repository.Root, "tests", "Tenancy.Tests"), "*.cs", SearchOption.AllDirectories)
        .ToDictionary(file => file, file => new Source(TextOrComment().Replace(File.ReadAllText(file), "")));

    private static readonly ILookup<string, Source> Declarations = Sources
        .Values.SelectMany(source => Declaration().Matches(source.Text), (source, match) => (Name: match.Groups[1].Value, source))
        .Where(declared => !Servers().IsMatch(declared.Name) && !Processes().IsMatch(declared.Name))
        .ToLookup(declared => declared.Name, declared => declared.source);

    public static TheoryData<string> Classes =>
        [
            .. typeof(TierTests)
                .Assembly.GetTypes()
                .Where(type => type.GetMethods().Any(method => method.IsDefined(typeof(FactAttribute), inherit: true)))
                .Select(type => type.FullName!),
        ];

    [Theory]
    [MemberData(nameof(Classes))]
    public void A_class_says_the_tier_of_what_it_uses(string name)
    {
        var type = typeof(TierTests).Assembly.GetType(name)!;
        var source = Assert.Single(Declarations[type.Name], source =>
            source.Text.Contains($"namespace {type.Namespace};", StringComparison.Ordinal)
        );
        var needed = TierOf(source, []);
        var said = type.GetCustomAttribute<TierAttribute>()?.Tier ?? Tier.Unit;
        Assert.True(said == needed, $"{name} uses what makes it [Tier(Tier.{needed})], and says {said}.");
    }

    private static Tier TierOf(Source source, HashSet<Source> seen)
    {
        if (Processes().IsMatch(source.Text))
        {
            return Tier.Process;
        }

        var own = Servers().IsMatch(source.Text) ? Tier.Server : Tier.Unit;
        return seen.Add(source)
            ? source.Names.SelectMany(name => Declarations[name]).Select(used => TierOf(used, seen)).Append(own).Max()
            : own;
    }

    private sealed class Source(string text)
    {
        public string Text { get; } = text;

        public HashSet<string> Names { get; } = [.. Name().Matches(text).Select(match => match.Value)];
    }

    // Fixtures stand for themselves, however much of what they can do a test asks for: a TenancyServer runs on a Redis only where a test
    // names one.
    [GeneratedRegex(@"\b(?:RedisServer|RedisCluster|TestProcess|TestStores|StoreKinds?|ProcessStartInfo|Process\.Start)\b")]
    private static partial Regex Processes();

    [GeneratedRegex(
        @"\b(?:TenancyServer|BareServer|StubServer|TestIssuer|RegistryHost|TestTenancy|EmbeddedStore|WebApplication|TcpListener)\b"
    )]
    private static partial Regex Servers();

    [GeneratedRegex(@"^(?:\w+ )*(?:class|record|struct|interface|enum) (?:struct |class )?(\w+)", RegexOptions.Multiline)]
    private static partial Regex Declaration();

    [GeneratedRegex(@"\w+")]
    private static partial Regex Name();

    [GeneratedRegex(
        """
            "[^"\n]*"|//.*
            """
    )]
    private static partial Regex TextOrComment();
}
