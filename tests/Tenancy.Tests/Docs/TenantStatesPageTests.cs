using Tenancy.Registry;
using Tenancy.Validation;

namespace Tenancy.Tests.Docs;

/// <summary>docs/tenant-states.md has the health that a check makes.</summary>
public sealed class TenantStatesPageTests
{
    private static readonly Page Page = Page.Read("docs/tenant-states.md");

    [Fact]
    public void The_table_of_health_is_the_policy()
    {
        TenantValidation[] results =
        [
            TenantValidation.Valid.Instance,
            new TenantValidation.Transient("x"),
            new TenantValidation.Doubtful("x"),
            new TenantValidation.Permanent("x"),
        ];
        var policy = Enum.GetValues<TenantHealth>()
            .Select(health =>
                new[] { Word(health) }
                    .Concat(results.Select(result => Word(TenantHealthPolicy.Next(new(health, null, null), result, default).Health)))
                    .ToArray()
            );
        Assert.Equal(policy, Page.Rows("| health before"));
    }

    // What leaves the health as it is is no arrow.
    [Fact]
    public void The_diagram_has_the_changes_of_the_table()
    {
        var table = Page.Rows("| health before")
            .SelectMany(row => row[1..].Where(after => after != row[0]).Select(after => $"{row[0]} --> {after}"))
            .Distinct();
        var diagram = Page.Blocks("mermaid")
            .First()
            .Lines.Select(line => line.Trim().Split(':')[0])
            .Where(line => line.Contains("-->", StringComparison.Ordinal) && line[0] != '[');
        Assert.Equal(table.Order(StringComparer.Ordinal), diagram.Order(StringComparer.Ordinal));
    }

    private static string Word(TenantHealth health) => health.ToString().ToLowerInvariant();
}
