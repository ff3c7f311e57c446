using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using ModelContextProtocol.Server;
using Tenancy.Adcp;
using Tenancy.Resolution;

namespace Tenancy.Tests.Docs;

/// <summary>docs/request-path.md speaks of what there is.</summary>
public sealed partial class RequestPathPageTests
{
    private static readonly Page Page = Page.Read("docs/request-path.md");

    private static readonly Type[] Libraries =
    [
        typeof(ITenancyBuilder),
        typeof(AdcpError),
        typeof(McpServer),
        typeof(AuthenticationMiddleware),
        typeof(AuthorizationMiddleware),
    ];

    [Fact]
    public void Every_box_of_the_diagram_is_a_type()
    {
        var types = Libraries
            .SelectMany(type => type.Assembly.GetTypes())
            .Select(type => type.Name.Split('`')[0])
            .ToHashSet(StringComparer.Ordinal);
        var boxes = Page.Blocks("mermaid")
            .SelectMany(block => block.Lines)
            .SelectMany(line => Box().Matches(Label().Replace(line, "")))
            .Select(match => match.Value)
            .Where(box => box is not ("flowchart" or "TD"))
            .Distinct()
            .ToArray();
        Assert.True(boxes.Length > 20, string.Join(' ', boxes));
        Assert.All(boxes, box => Assert.Contains(box, types));
    }

    [Fact]
    public void Every_refusal_has_the_status_and_the_code_that_the_table_says()
    {
        var rows = Page.Rows("| # | asked by").Where(row => row[3].StartsWith('`')).ToArray();
        Assert.True(rows.Length > 20, $"{rows.Length} rows");
        foreach (var row in rows)
        {
            var refusal = Find(row[3].Trim('`'));
            Assert.Equal((row[0], row[4]), (row[0], refusal.StatusCode.ToString(CultureInfo.InvariantCulture)));
            Assert.Equal((row[0], row[5]), (row[0], refusal.JsonRpcCode?.ToString(CultureInfo.InvariantCulture) ?? ""));
        }
    }

    [Fact]
    public void Every_refusal_that_there_is_has_a_row()
    {
        // Not of a call of a tool: OAuth's metadata and the admin API have their own. The page speaks of four below the table.
        string[] elsewhere =
        [
            nameof(Refusal.NoMetadata),
            nameof(Refusal.ForeignAdminHost),
            nameof(Refusal.ForeignAdminOrigin),
            nameof(Refusal.AdminFailed),
            nameof(Refusal.BadAdminRequest),
            nameof(Refusal.IssuerUnavailable),
            nameof(Refusal.NotSetUp),
            nameof(Refusal.NotAllowed),
            nameof(Refusal.NoEndpoint),
        ];
        var rows = Page.Rows("| # | asked by").Select(row => row[3].Trim('`')).ToHashSet(StringComparer.Ordinal);
        Assert.All(Members().Select(member => member.Name).Except(elsewhere), name => Assert.Contains(name, rows));
    }

    private static MemberInfo[] Members()
    {
        const BindingFlags Ours = BindingFlags.Public | BindingFlags.Static | BindingFlags.DeclaredOnly;
        return
        [
            .. typeof(Refusal).GetProperties(Ours).Where(property => property.PropertyType == typeof(Refusal)),
            .. typeof(Refusal).GetMethods(Ours).Where(method => method.ReturnType == typeof(Refusal) && !method.IsSpecialName),
        ];
    }

    private static Refusal Find(string name) =>
        Members().Single(member => member.Name == name) is MethodInfo method
            ? (Refusal)method.Invoke(null, [.. method.GetParameters().Select(parameter => Sample(parameter.ParameterType))])!
            : (Refusal)typeof(Refusal).GetProperty(name)!.GetValue(null)!;

    private static object Sample(Type type) =>
        type == typeof(int) ? 1
        : type == typeof(string) ? "reason"
        : Array.Empty<string>();

    [GeneratedRegex(@"\|""[^""]*""\|")]
    private static partial Regex Label();

    [GeneratedRegex(@"[A-Za-z]\w+")]
    private static partial Regex Box();
}
