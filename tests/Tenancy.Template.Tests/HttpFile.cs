using System.Text;
using System.Text.RegularExpressions;

namespace Tenancy.Template.Tests;

/// <summary>Reads an .http file as editors do: variables, requests, comments.</summary>
internal static partial class HttpFile
{
    public static IEnumerable<(string Title, HttpRequestMessage Request)> Read(string text)
    {
        var variables = new Dictionary<string, string>();
        string Fill(string line) =>
            Variable()
                .Replace(line, match => match.Groups[1].Value == "$guid" ? Guid.NewGuid().ToString() : variables[match.Groups[1].Value]);

        var parts = text.ReplaceLineEndings("\n").Split("\n###");
        foreach (var line in parts[0].Split('\n').Where(line => line.StartsWith('@')))
        {
            var (name, value) = (
                line[1..line.IndexOf('=', StringComparison.Ordinal)].Trim(),
                line[(line.IndexOf('=', StringComparison.Ordinal) + 1)..].Trim()
            );
            variables[name] = Fill(value);
        }

        return parts.Skip(1).Select(part => (part.Split('\n')[0].Trim(), ReadRequest(Fill(part).Split('\n')[1..])));
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
