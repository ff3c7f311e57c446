using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Tenancy.Template.Tests;

/// <summary>Reads an .http file as editors do: variables, requests, comments, and what a named request was answered.</summary>
internal static partial class HttpFile
{
    private const string Named = "# @name ";

    /// <param name="text">The file.</param>
    /// <param name="answers">The answers so far, by the names of their requests: a request is read when those before it were sent.</param>
    public static IEnumerable<(string Title, string? Name, HttpRequestMessage Request)> Read(
        string text,
        IReadOnlyDictionary<string, JsonNode> answers
    )
    {
        var variables = new Dictionary<string, string>();
        string Fill(string line) => Variable().Replace(line, match => Value(match.Groups[1].Value));
        string Value(string name) =>
            name == "$guid" ? Guid.NewGuid().ToString()
            : name.Split(".response.body.$.") is [var request, var member]
                ? member.Split('.', '[').Aggregate(answers[request], Member).ToString()
            : variables[name];

        static JsonNode Member(JsonNode node, string part) =>
            part.EndsWith(']') ? node[int.Parse(part.TrimEnd(']'), CultureInfo.InvariantCulture)]! : node[part]!;

        var parts = text.ReplaceLineEndings("\n").Split("\n###");
        foreach (var line in parts[0].Split('\n').Where(line => line.StartsWith('@')))
        {
            var (name, value) = (
                line[1..line.IndexOf('=', StringComparison.Ordinal)].Trim(),
                line[(line.IndexOf('=', StringComparison.Ordinal) + 1)..].Trim()
            );
            variables[name] = Fill(value);
        }

        return parts.Skip(1).Select(part => Read(Fill(part).Split('\n')));
    }

    private static (string Title, string? Name, HttpRequestMessage Request) Read(string[] lines)
    {
        var name = lines[1].StartsWith(Named, StringComparison.Ordinal) ? lines[1][Named.Length..].Trim() : null;
        return (lines[0].Trim(), name, ReadRequest(lines[(name is null ? 1 : 2)..]));
    }

    private static HttpRequestMessage ReadRequest(string[] lines)
    {
        var end = Array.IndexOf(lines, "") is var index and >= 0 ? index : lines.Length;
        var request = new HttpRequestMessage(new(lines[0].Split(' ')[0]), lines[0].Split(' ')[1]);
        var body = string.Join('\n', lines.Skip(end)).Trim();
        if (body.Length > 0)
        {
            request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        }

        foreach (var header in lines[1..end].Select(line => line.Split(':', 2)).Where(header => header[0] != "Content-Type"))
        {
            request.Headers.Add(header[0], header[1].Trim());
        }

        return request;
    }

    [GeneratedRegex(@"\{\{([^}]+)\}\}")]
    private static partial Regex Variable();
}
