using System.ComponentModel.DataAnnotations;
using System.Xml.Linq;
using Tenancy.Adcp;
using Tenancy.Configuration;
using Tenancy.Tests.Configuration;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Docs;

/// <summary>The page of the settings says what the server reads. After a change that is meant, UPDATE_SNAPSHOTS=1 writes it anew.</summary>
public sealed class SettingsPageTests
{
    private const string Beginning = """
        # Settings

        This page is made from the types that are read. In the library's repository, `SettingsPageTests` with `UPDATE_SNAPSHOTS=1` writes it
        anew.

        The settings come from the configuration of ASP.NET Core: `appsettings.json`, environment variables (`Tenancy__PublicUrl`) and the
        command line, of which the later wins. A list is taken whole from the highest source that has it; one of texts may be one text with
        commas. What is unknown, cannot be read or is beyond its bounds stops the start, and the message names the setting, its value and
        the fix.

        `ConnectionStrings:Redis` is the store: `host:port`, with the options of StackExchange.Redis. Without it the embedded store is used,
        which forgets everything when the process ends. `PORT` is where the server listens, unless `urls` says otherwise.

        These variables are read, too. They win over `appsettings.json`, and the longer names win over them:
        """;

    private const string Tenant = """
        ## A tenant

        A tenant has the same fields in `Tenancy:Tenants`, in the body of `POST /admin/tenants`, in a merge patch (RFC 7396) of
        `PATCH /admin/tenants/{id}` and in the answers. In the first two, `principals` may be beside them. A change that is validated first
        leaves the old configuration in service until it has passed. All others apply with the next request.
        """;

    [Fact]
    public async Task The_page_of_the_settings_is_what_the_server_reads()
    {
        var variables = string.Join('\n', TenancyConfiguration.Names.Select(name => $"- `{name.Variable}` for `{name.Setting}`"));
        var page =
            new SettingsPage(XmlDocs.Load(typeof(TenancyOptions).Assembly, typeof(AdcpOptions).Assembly))
                .Write(Beginning)
                .Write(variables)
                .WriteSettings(typeof(TenancyOptions), TenancyOptions.SectionName)
                .WriteSettings(typeof(AdcpOptions), AdcpOptions.SectionName)
                .Write(Tenant)
                .WriteFields(TenancyJson.Default.TenantConfig, "Fields of a tenant", ChangeEffects.Stored)
                .WriteFields(TenancyJson.Default.PrincipalRegistration, "`principals`", outer: null)
                .ToString()
                .TrimEnd() + "\n";
        var file = Path.Combine(Repository.Root, "docs", "settings.md");
        if (Environment.GetEnvironmentVariable("UPDATE_SNAPSHOTS") == "1")
        {
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            await File.WriteAllTextAsync(file, page, TestContext.Current.CancellationToken);
        }

        Assert.Equal(await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken), page);
    }

    [Fact]
    public void A_new_property_of_a_record_is_on_the_page()
    {
        var page = new SettingsPage(Comments()).WriteFields(PaintedJson.Default.PaintedTenant, "Painted", ChangeEffects.Stored).ToString();
        Assert.All(
            [
                "| `colour` | text | that of the wall | 1 to 20 characters | ends streams when set to `red` | The colour. |",
                "| `brushes` | list: text | none | at most 2 | is validated first, builds the platform anew | The `Brush`es. |",
                "| `coats` | whole number (coats) | `1` | 1 to 9 | is validated first | How often it is put on. |",
                "| `gloss` | true or false | `false` |  |  | Whether it shines. |",
            ],
            row => Assert.Contains(row + "\n", page, StringComparison.Ordinal)
        );
    }

    [Fact]
    public void A_comment_that_says_another_default_than_the_type_has_is_found()
    {
        var page = new SettingsPage(Comments(coats: "2"));
        var refused = Assert.Throws<InvalidOperationException>(() => page.WriteFields(PaintedJson.Default.Paint, "Paint", outer: null));
        Assert.Equal(
            "The default of Tenancy.Tests.Configuration.Paint.Coats is 1, and its comment says 2: mend one of them.",
            refused.Message
        );
    }

    private static XmlDocs Comments(string coats = "1")
    {
        const string Painted = "P:Tenancy.Tests.Configuration.PaintedTenant.";
        const string Paint = "P:Tenancy.Tests.Configuration.Paint.";
        return new(
            XDocument.Load(Path.Combine(AppContext.BaseDirectory, "Tenancy.xml")),
            XDocument.Parse(
                $"""
                <doc>
                  <member name="{Painted}Colour"><summary>Gets the colour.
                    Default: that of the wall.</summary></member>
                  <member name="{Painted}Paint"><summary>Gets the paint.</summary></member>
                  <member name="{Painted}Brushes"><summary>Gets the <see cref="T:Shop.Brush"/>es.</summary></member>
                  <member name="{Paint}Coats"><summary>How often it is put on. Default: {coats}.</summary></member>
                  <member name="{Paint}Gloss"><summary>Whether it shines.</summary></member>
                </doc>
                """
            )
        );
    }
}
