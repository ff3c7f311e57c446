using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;
using Tenancy.Configuration;
using Tenancy.Registry;

namespace Tenancy.Admin;

/// <summary>
/// Reads what an admin sends. A mistake is thrown, and <see cref="AdminProblems"/> words it: what ASP.NET Core binds answers with an empty
/// body.
/// </summary>
internal static class AdminRequest
{
    /// <summary>Reads the body.</summary>
    /// <param name="context">The request.</param>
    /// <param name="type">What it is read as.</param>
    /// <param name="expected">Says what the body must be.</param>
    public static async Task<T> ReadAsync<T>(HttpContext context, JsonTypeInfo<T> type, string expected)
        where T : class
    {
        try
        {
            return await context.Request.ReadFromJsonAsync(type, context.RequestAborted) ?? throw new JsonException(expected);
        }
        catch (JsonException exception)
        {
            throw new TenantConfigException([new(FieldPath.Of(exception), JsonErrors.Explain(exception, type))]);
        }
        catch (InvalidOperationException)
        {
            // The media type is another one, or the charset is unknown.
            throw new AdminRequestException(
                StatusCodes.Status415UnsupportedMediaType,
                "Content-Type",
                $"The Content-Type is '{context.Request.ContentType}': send the body as JSON, with the header Content-Type: "
                    + "application/json."
            );
        }
    }

    /// <summary>Reads a parameter of the query that is true or false; false where it is left out.</summary>
    public static bool ReadFlag(HttpContext context, string name) =>
        Find(context, name) is { } text && (bool.TryParse(text, out var flag) ? flag : throw Invalid(name, text, "true or false"));

    /// <summary>Reads a parameter of the query that is a whole number.</summary>
    /// <param name="context">The request.</param>
    /// <param name="name">The parameter.</param>
    /// <param name="absent">Its value where it is left out.</param>
    /// <param name="least">The least that it may be.</param>
    /// <param name="most">The most that it may be.</param>
    /// <param name="unit">What it counts.</param>
    public static int ReadNumber(HttpContext context, string name, int absent, int least, int most, string unit) =>
        Find(context, name) is not { } text ? absent
        : int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
        && number >= least
        && number <= most
            ? number
        : throw Invalid(name, text, $"{least} to {most}, a whole number of {unit}");

    /// <summary>Reads a parameter of the query that is one of some words; null where it is left out.</summary>
    public static T? ReadWord<T>(HttpContext context, string name)
        where T : struct, Enum
    {
        if (Find(context, name) is not { } text)
        {
            return null;
        }

        var words = Enum.GetNames<T>();
        var found = Array.FindIndex(words, word => JsonNamingPolicy.CamelCase.ConvertName(word) == text);
        return found >= 0
            ? Enum.GetValues<T>()[found]
            : throw Invalid(name, text, string.Join(" or ", words.Select(JsonNamingPolicy.CamelCase.ConvertName)));
    }

    /// <summary>Reads a parameter of the query that is a text; null where it is left out.</summary>
    /// <param name="context">The request.</param>
    /// <param name="name">The parameter.</param>
    /// <param name="isGood">Whether the parameter may have a value.</param>
    /// <param name="form">The values that it may have.</param>
    public static string? ReadText(HttpContext context, string name, Func<string, bool> isGood, string form) =>
        Find(context, name) is not { } text ? null
        : isGood(text) ? text
        : throw Invalid(name, text, form);

    /// <summary>Refuses parameters of the query that an endpoint does not have.</summary>
    public static void ThrowIfUnknown(HttpContext context, string[] known)
    {
        var errors = context
            .Request.Query.Keys.Where(name => !known.Contains(name, StringComparer.OrdinalIgnoreCase))
            .Select(name => new TenantConfigError(name, Explain(name, known)))
            .ToArray();
        if (errors.Length > 0)
        {
            throw new TenantConfigException(errors);
        }
    }

    /// <summary>Refuses a condition that an endpoint does not look at: whoever sends one relies on it.</summary>
    public static void ThrowIfUnheeded(HttpContext context, AdminOperation operation)
    {
        if (context.Request.Headers.IfMatch.Count > 0 && !operation.IsConditional)
        {
            throw new TenantConfigException([
                new("If-Match", "is a condition of PATCH /admin/tenants/{id} alone: take it out, as this request applies to any version"),
            ]);
        }
    }

    private static string Explain(string name, string[] known) =>
        known.Length == 0
            ? "is in the query, and this request has no parameters there: take it out"
            : $"is no parameter of this request, which has {string.Join(" and ", known)}{Spelling.Suggest(name, known)}";

    private static string? Find(HttpContext context, string name) =>
        context.Request.Query.TryGetValue(name, out var values) ? values.ToString() : null;

    private static TenantConfigException Invalid(string name, string text, string form) =>
        new([new(name, $"is '{text}' in the query: use {form}")]);
}

/// <summary>A request cannot be read.</summary>
internal sealed class AdminRequestException(int status, string field, string message) : Exception(message)
{
    public int Status { get; } = status;

    public string Field { get; } = field;
}
