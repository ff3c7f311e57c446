using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Docs;

/// <summary>
/// docs/architecture.md names the rooms that there are. Its table is the list of the arrows that are allowed: a new one is a decision,
/// whose reason is written there.
/// </summary>
public sealed class ArchitecturePageTests
{
    private static readonly Page Page = Page.Read("docs/architecture.md");
    private static readonly string Source = Path.Combine(Repository.Root, "src", "Tenancy");

    private static IEnumerable<string[]> Rooms => Page.Rows("| room | what it is for");

    private static readonly RoomGraph Graph = RoomGraph.Read();

    private static readonly RoomGraph Inside = RoomGraph.ReadInside("Mcp");

    private static IEnumerable<string[]> Arrows => Page.Rows("| from | to | why");

    private static IEnumerable<string> Table => Arrows.Select(ToArrow);

    private static IEnumerable<string> TableInside => Page.Rows("| folder | uses | why").Select(ToArrow);

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

    [Fact]
    public void The_table_has_the_arrows_that_the_code_has()
    {
        var unlisted = Graph.Arrows.Except(Table).Select(Graph.Explain).ToArray();
        Assert.True(unlisted.Length == 0, $"docs/architecture.md does not allow: {string.Join("; ", unlisted)}");
        Assert.Empty(Table.Except(Graph.Arrows));
        Assert.Distinct(Table);
    }

    [Fact]
    public void The_table_of_the_endpoints_has_the_arrows_that_the_code_has()
    {
        var unlisted = Inside.Arrows.Except(TableInside).Select(Inside.Explain).ToArray();
        Assert.True(unlisted.Length == 0, $"docs/architecture.md does not allow: {string.Join("; ", unlisted)}");
        Assert.Empty(TableInside.Except(Inside.Arrows));
        Assert.Distinct(TableInside);
        Assert.Empty(RoomGraph.FindCycle(Inside.Arrows));
    }

    [Fact]
    public void No_room_uses_itself_by_way_of_others() => Assert.Empty(RoomGraph.FindCycle(Graph.Arrows));

    [Fact]
    public void No_room_uses_what_puts_the_rooms_together() => Assert.Empty(Graph.UsesOfRoot);

    private static string ToArrow(string[] row) => $"{row[0].Trim('`')} --> {row[1].Trim('`')}";

    [Theory]
    [InlineData("", "A --> B", "B --> C", "A --> C")]
    [InlineData("A B A", "A --> B", "B --> A")]
    [InlineData("B C D B", "A --> B", "B --> C", "C --> D", "D --> B", "C --> E")]
    public void A_cycle_is_found(string cycle, params string[] arrows) =>
        Assert.Equal(cycle, string.Join(' ', RoomGraph.FindCycle(arrows)));

    // Nearly every room uses the two: the picture leaves them out.
    [Fact]
    public void The_picture_has_the_arrows_of_the_table()
    {
        var rooms = Page.Between("<!-- rooms -->", "<!-- /rooms -->");
        var picture = rooms.Split('\n').Where(line => line.Contains("-->", StringComparison.Ordinal)).Select(line => line.Trim());
        var table = Table.Where(arrow => RoomGraph.Ends(arrow).To is not ("Configuration" or "Diagnostics"));
        Assert.Equal(table.Order(StringComparer.Ordinal), picture.Order(StringComparer.Ordinal));
        Assert.All(Arrows, row => Assert.NotEmpty(row[2]));
    }
}
