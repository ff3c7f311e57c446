using System.IO.Compression;
using System.Reflection;

namespace Tenancy.Admin.Console;

/// <summary>A file of the console, as it is written and as it is sent. All are part of the assembly.</summary>
/// <param name="ContentType">Its media type.</param>
/// <param name="Content">What it holds.</param>
/// <param name="Packed">The same, by gzip: less than half.</param>
internal sealed record ConsoleFile(string ContentType, ReadOnlyMemory<byte> Content, ReadOnlyMemory<byte> Packed)
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
    public static ConsoleFile Read(string name)
    {
        using var stream = Assembly.GetManifestResourceStream(Folder + name)!;
        var content = new byte[stream.Length];
        stream.ReadExactly(content);
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.SmallestSize, leaveOpen: true))
        {
            gzip.Write(content);
        }

        return new(TypeOf(name), content, packed.ToArray());
    }

    private static string TypeOf(string name) =>
        Path.GetExtension(name) switch
        {
            ".html" => "text/html; charset=utf-8",
            ".css" => "text/css; charset=utf-8",
            _ => "text/javascript; charset=utf-8",
        };
}
