using System.Reflection;

namespace Tenancy.Admin.Console;

/// <summary>The files of the console, which are part of the assembly. They are served as they are written.</summary>
internal static class ConsoleFile
{
    public const string PageName = "index.html";

    private const string Folder = "Console/";

    private static readonly Assembly Assembly = typeof(ConsoleFile).Assembly;

    /// <summary>Gets the names of the files that the page asks for.</summary>
    public static IReadOnlyList<string> Names { get; } =
    [
        .. from resource in Assembly.GetManifestResourceNames()
        where resource.StartsWith(Folder, StringComparison.Ordinal)
        let name = resource[Folder.Length..]
        where name != PageName
        select name,
    ];

    /// <summary>Reads a file.</summary>
    public static ReadOnlyMemory<byte> Read(string name)
    {
        using var stream = Assembly.GetManifestResourceStream(Folder + name)!;
        var content = new byte[stream.Length];
        stream.ReadExactly(content);
        return content;
    }
}
