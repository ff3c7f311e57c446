namespace Tenancy.Template.Tests;

/// <summary>A choice of each of the template's options.</summary>
internal sealed record Combination(string Name, string Auth, string Store, string[] Ways, bool Tests, bool IsPackage, string Sample)
{
    private static readonly string[] Default = ["path", "host", "header"];

    /// <summary>Those that ServerTests and PackedLibraryTests build and run.</summary>
    public static readonly Combination[] Elsewhere =
    [
        new(Scaffold.EmbeddedName, "bearer", "embedded", Default, Tests: true, IsPackage: false, "full"),
        new(Scaffold.RedisName, "jwks", "redis", Default, Tests: true, IsPackage: false, "full"),
        new(Scaffold.OpenName, "none", "embedded", ["host", "header"], Tests: false, IsPackage: false, "full"),
        new(PackedLibrary.Name, "bearer", "embedded", [.. Default, "token"], Tests: true, IsPackage: true, "full"),
    ];

    /// <summary>Those that are built beside them, with packages, which takes the least time.</summary>
    public static readonly Combination[] More =
    [
        new("One.Bearer", "bearer", "redis", ["host", "token"], Tests: false, IsPackage: true, "one"),
        new("One.Jwks", "jwks", "embedded", ["header", "token"], Tests: true, IsPackage: true, "one"),
        new("One.None", "none", "redis", ["path"], Tests: true, IsPackage: true, "one"),
        new("None.Bearer", "bearer", "embedded", ["path", "token"], Tests: true, IsPackage: true, "none"),
        new("None.Jwks", "jwks", "redis", Default, Tests: false, IsPackage: true, "none"),
        new("None.None", "none", "embedded", ["path", "token"], Tests: true, IsPackage: true, "none"),
    ];

    public bool UsesRedis => Store == "redis";

    /// <summary>What dotnet new is told.</summary>
    public string[] Options =>
        ["--auth", Auth, "--store", Store, "--identification", .. Ways, "--tests", Tests ? "true" : "false", "--sample", Sample];

    /// <summary>Its choices, by option.</summary>
    public IEnumerable<(string Option, string Choice)> Choices =>
        [
            ("auth", Auth),
            ("store", Store),
            .. Ways.Select(way => ("identification", way)),
            ("tests", $"{Tests}"),
            ("library", $"{IsPackage}"),
            ("sample", Sample),
        ];

    // Several ways in one scaffold are no pair of choices.
    public IEnumerable<((string, string), (string, string))> Pairs =>
        from first in Choices
        from second in Choices
        where string.CompareOrdinal(first.Option, second.Option) < 0
        select (first, second);
}
