using System.Text.RegularExpressions;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Hosting.Internal;
using Microsoft.Extensions.Options;
using Tenancy.Adcp;
using Tenancy.Configuration;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Docs;

/// <summary>What the pages point to is there.</summary>
public sealed partial class LinksTests
{
    private const string Scaffold = "templates/adcp-tenant-server/";

    public static TheoryData<string> Pages => [.. Page.All.Select(page => page.Path)];

    [Theory]
    [MemberData(nameof(Pages))]
    public void Every_link_leads_to_a_file_and_a_heading(string path)
    {
        var page = Page.Read(path);
        foreach (var link in page.Links.Where(link => !IsOfTheWeb(link)))
        {
            var (file, anchor) = link.Split('#') is [var target, var heading] ? (target, heading) : (link, null);
            var found = file.Length == 0 ? path : Relative(path, file);
            Assert.True(File.Exists(Path.Combine(Repository.Root, found)) || IsOfScaffold(path, found), $"{path} links to {link}");
            if (anchor is not null)
            {
                Assert.True(Page.Read(found).Anchors.Contains(anchor), $"{path} links to {link}, and there is no such heading");
            }
        }
    }

    // A scaffold has docs/, and nothing else of what lies around it here.
    [Fact]
    public void The_pages_that_a_scaffold_gets_link_to_one_another_only()
    {
        foreach (var page in Page.OfLibrary)
        {
            var elsewhere = page.Links.Where(link => !IsOfTheWeb(link) && link.Contains('/', StringComparison.Ordinal));
            Assert.True(!elsewhere.Any(), $"{page.Path} links to {string.Join(", ", elsewhere)}");
        }
    }

    [Fact]
    public void Every_page_can_be_reached_from_the_readme()
    {
        var listed = Page.Read("README.md").Links.ToHashSet(StringComparer.Ordinal);
        Assert.All(Page.OfLibrary, page => Assert.Contains(page.Path, listed));
    }

    [Theory]
    [MemberData(nameof(Pages))]
    public void Every_path_of_a_source_is_there(string path)
    {
        // Those of the scaffold's own README are its own.
        var isOfScaffold = path.StartsWith(Scaffold, StringComparison.Ordinal);
        foreach (var code in Page.Read(path).Codes.Where(code => SourcePath().IsMatch(code) && !isOfScaffold))
        {
            // Before what stands for any name.
            var found = Path.Combine([Repository.Root, .. code.TrimEnd('/').Split('/').TakeWhile(part => !AnyName().IsMatch(part))]);
            Assert.True(File.Exists(found) || Directory.Exists(found), $"{path} names {code}");
        }
    }

    [Theory]
    [MemberData(nameof(Pages))]
    public void Every_setting_is_one_that_is_read(string path)
    {
        foreach (var setting in Settings(Page.Read(path).Text))
        {
            Assert.True(IsRead(setting), $"{path} names {setting}");
        }
    }

    [Theory]
    [InlineData("Tenancy:NoSuchSetting", false)]
    [InlineData("Tenancy:Admin:NoSuchSetting", false)]
    [InlineData("Tenancy:Adcp:NoSuchSetting", false)]
    [InlineData("Tenancy:Tenants:0:noSuchField", false)]
    [InlineData("Tenancy:Validation:Proxy", true)]
    [InlineData("Tenancy:Adcp:Requests", true)]
    public void A_setting_that_is_not_read_would_be_found(string setting, bool isRead) => Assert.Equal(isRead, IsRead(setting));

    private static bool IsOfTheWeb(string link) => link.Contains("://", StringComparison.Ordinal);

    private static string Relative(string page, string link)
    {
        var found = Path.GetFullPath(Path.Combine(Repository.Root, Path.GetDirectoryName(page)!, link));
        return Path.GetRelativePath(Repository.Root, found).Replace('\\', '/');
    }

    // The scaffold's README lies beside docs/ once it is a scaffold's.
    private static bool IsOfScaffold(string page, string found) =>
        page.StartsWith(Scaffold, StringComparison.Ordinal)
        && found.StartsWith(Scaffold, StringComparison.Ordinal)
        && File.Exists(Path.Combine(Repository.Root, found[Scaffold.Length..]));

    // `Tenancy:X:Y`, and Tenancy__X__Y as environment variables have it.
    private static IEnumerable<string> Settings(string text) =>
        Setting().Matches(text).Select(match => match.Value.Replace("__", ":", StringComparison.Ordinal)).Distinct();

    /// <summary>Whether a server takes the setting for one of its own. What it says of the value does not matter here.</summary>
    internal static bool IsRead(string setting)
    {
        var configuration = new ConfigurationManager();
        configuration.AddInMemoryCollection([KeyValuePair.Create<string, string?>(setting, "1")]);
        var services = new ServiceCollection();
        services.AddLogging().AddSingleton<IHostEnvironment>(new HostingEnvironment { EnvironmentName = "Development" });
        services.AddTenancy(configuration).AddAdcp().AddPlatform<TestPublisher>("publisher");
        using var provider = services.BuildServiceProvider();
        var refusals = new[] { Refusal<TenancyOptions>(provider), Refusal<AdcpOptions>(provider) };
        return !refusals.Any(refusal => Unknown().IsMatch(refusal));
    }

    private static string Refusal<TOptions>(IServiceProvider services)
        where TOptions : class
    {
        try
        {
            _ = services.GetRequiredService<IOptions<TOptions>>().Value;
            return "";
        }
        catch (Exception exception) when (exception is OptionsValidationException or InvalidOperationException)
        {
            return exception.Message;
        }
    }

    [GeneratedRegex(@"^(src|tests|examples|templates|benchmarks|docs|findings)/[\w./*-]+$")]
    private static partial Regex SourcePath();

    [GeneratedRegex(@"\*|^NAME")]
    private static partial Regex AnyName();

    [GeneratedRegex(@"\bTenancy(?:(?::\w+)+|(?:__\w+?)+)(?![\w:])")]
    private static partial Regex Setting();

    [GeneratedRegex("is not a setting|there is no such field")]
    private static partial Regex Unknown();
}
