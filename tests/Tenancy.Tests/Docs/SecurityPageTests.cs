namespace Tenancy.Tests.Docs;

/// <summary>Each promise of docs/security.md names a test that there is.</summary>
public sealed class SecurityPageTests
{
    private static readonly Page Page = Page.Read("docs/security.md");

    [Fact]
    public void Every_promise_names_a_test()
    {
        var rows = Page.Rows("| promise | test").ToArray();
        Assert.True(rows.Length > 50, $"{rows.Length} rows");
        foreach (var (promise, name) in rows.SelectMany(row => row[1].Split(", ").Select(name => (row[0], name.Trim('`')))))
        {
            Assert.True(IsTest(name), $"\"{promise}\" is shown by {name}, which is no test");
        }
    }

    private static bool IsTest(string name) =>
        name.Split('.') is [var type, var method]
        && typeof(SecurityPageTests)
            .Assembly.GetTypes()
            .Where(found => found.Name == type)
            .Any(found => found.GetMethod(method)?.IsDefined(typeof(FactAttribute), inherit: true) is true);
}
