using CsCheck;

namespace Tenancy.Tests.Hosting;

/// <summary>Texts that would leave their place in a key if nothing kept them in.</summary>
internal static class HostileText
{
    private static readonly string[] Pieces =
    [
        ":",
        "::",
        "{",
        "}",
        "{}",
        "}{",
        "{acme}",
        "tenant:{globex}:session:x",
        "}:session:",
        "*",
        "?",
        "[a-z]",
        "\\",
        "\"",
        "'",
        "\r\n",
        "\n",
        "\0",
        " ",
        "",
        "/",
        "..",
        "%00",
        "$0",
        "a",
        "A",
        "а",
        "ａ",
        "a\u0301",
        "á",
        "\u200b",
        "\u202e",
        "\u212a",
        "k",
        "ı",
        "ß",
        "ss",
        "😂",
        "\ud83d",
        "\ude02",
        "\ufffd",
        "é",
        "e\u0301",
        "EVAL",
        "return 1",
        "1e9",
        "-1",
        "nil",
    ];

    /// <summary>Gets one to six pieces in a row; one in ten ends after 10 KB more.</summary>
    public static Gen<string> Gen { get; } =
        from pieces in CsCheck.Gen.Int[0, Pieces.Length - 1].Select(piece => Pieces[piece]).Array[1, 6]
        from isLong in CsCheck.Gen.Int[0, 9]
        let text = string.Concat(pieces)
        select isLong == 0 ? text + new string('x', 10 * 1024) + text : text;
}
