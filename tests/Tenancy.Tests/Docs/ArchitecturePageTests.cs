using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Docs;

/// <summary>docs/architecture.md names the rooms that there are, and its picture and its table say the same.</summary>
public sealed class ArchitecturePageTests
{
    private static readonly Page Page = Page.Read("docs/architecture.md");
    private static readonly string Source = Path.Combine(Repository.Root, "src", "Tenancy");

    private static IEnumerable<string[]> Rooms => Page.Rows("| room | what it is for");

    private static IEnumerable<string[]> Folders => Page.Rows("| folder | what it is for");

    [Fact]
    public void Every_folder_is_a_room_of_the_table_and_every_room_a_folder()
    {
        var folders = Directory
            .GetDirectories(Source)
            .Select(folder => Path.GetFileName(folder)!)
            .Where(name => name is not ("bin" or "obj"));
        Assert.Equal(folders.Order(StringComparer.Ordinal), Rooms.Select(row => row[0].Trim('`')).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Every_folder_of_the_endpoints_is_in_its_table()
    {
        var folders = Directory.GetDirectories(Path.Combine(Source, "Mcp")).Select(folder => "Mcp/" + Path.GetFileName(folder));

        // The first row is for the room itself.
        var rows = Folders.Skip(1).Select(row => row[0].Trim('`'));
        Assert.Equal(folders.Order(StringComparer.Ordinal), rows.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void The_types_to_start_with_are_in_their_rooms()
    {
        var types = typeof(ITenancyBuilder).Assembly.GetTypes().ToLookup(type => type.Name.Split('`')[0]);
        foreach (var row in Rooms.Concat(Folders))
        {
            var room = $"Tenancy.{row[0].Split(' ')[0].Trim('`').Replace('/', '.')}.";
            Assert.All(row[2].Split(',').Select(name => name.Trim().Trim('`')), name =>
                Assert.Contains(types[name], type => $"{type.Namespace}.".StartsWith(room, StringComparison.Ordinal))
            );
        }
    }

    // Nearly every room uses the two: the picture leaves them out.
    [Fact]
    public void The_picture_has_the_arrows_of_the_table()
    {
        var rooms = Page.Between("<!-- rooms -->", "<!-- /rooms -->");
        var picture = rooms.Split('\n').Where(line => line.Contains("-->", StringComparison.Ordinal)).Select(line => line.Trim());
        var rows = Page.Rows("| from | to | why").ToArray();
        var table = rows.Where(row => row[1] is not ("`Configuration`" or "`Diagnostics`"))
            .Select(row => $"{row[0].Trim('`')} --> {row[1].Trim('`')}");
        Assert.Equal(table.Order(StringComparer.Ordinal), picture.Order(StringComparer.Ordinal));
        Assert.All(rows, row => Assert.NotEmpty(row[2]));
    }
}
