using System.Text.Json;
using Tenancy.Configuration;

namespace Tenancy.Tests.Configuration;

/// <summary>The clients of an identity provider that an admin may list.</summary>
public sealed class ClientValidatorTests
{
    [Theory]
    [InlineData("web-app")]
    [InlineData("Web App 7")]
    [InlineData("https://client.example")]
    [InlineData("https://client.example/metadata.json")]
    [InlineData("https://client.example/metadata.json?v=1")]
    [InlineData("ftp://client.example/x")]
    public void An_id_is_what_tokens_have_or_the_URL_of_a_metadata_document(string clientId) =>
        Assert.Empty(Errors(new() { ClientId = clientId }));

    [Theory]
    [InlineData("", "must have 1 to 1024 characters")]
    [InlineData("wéb", "must have visible ASCII characters only")]
    [InlineData("wеb", "must have visible ASCII characters only")]
    [InlineData("a\nb", "must have visible ASCII characters only")]
    [InlineData("a\u007f", "must have visible ASCII characters only")]
    [InlineData(" web", "must not begin or end with a space")]
    [InlineData("web ", "must not begin or end with a space")]
    [InlineData("http://client.example/metadata.json", "must be an https URL")]
    [InlineData("https://me:secret@client.example/m", "must not carry a user name, a password or a fragment")]
    [InlineData("https://client.example/m#a", "must not carry a user name, a password or a fragment")]
    [InlineData("https://CLIENT.example/m", "must be in its normal form")]
    [InlineData("https://client.example:443/m", "must be in its normal form")]
    [InlineData("https://client.example/a/../m", "must be in its normal form")]
    [InlineData("https://client.example/./m", "must be in its normal form")]
    [InlineData("HTTPS://client.example/m", "must be in its normal form")]
    public void An_id_that_no_token_can_have_or_that_has_two_forms_is_refused(string clientId, string reason)
    {
        var error = Assert.Single(Errors(new() { ClientId = clientId }));
        Assert.Equal("clientId", error.Field);
        Assert.StartsWith(reason, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1024, 0)]
    [InlineData(1025, 1)]
    public void An_id_has_1024_letters_at_most(int length, int errors) =>
        Assert.Equal(errors, Errors(new() { ClientId = new string('a', length) }).Length);

    [Theory]
    [InlineData(0, "name must have 1 to 200 characters, or be left out")]
    [InlineData(1, null)]
    [InlineData(200, null)]
    [InlineData(201, "name must have 1 to 200 characters, or be left out")]
    public void A_name_has_bounds(int length, string? error) =>
        Assert.Equal(error, Only(new() { ClientId = "web", Name = new string('a', length) }));

    [Theory]
    [InlineData(59, "expiresIn is 59: use a whole number from 60 to 315360000")]
    [InlineData(60, null)]
    [InlineData(315360000, null)]
    [InlineData(315360001, "expiresIn is 315360001: use a whole number from 60 to 315360000")]
    [InlineData(-1, "expiresIn is -1: use a whole number from 60 to 315360000")]
    public void A_lifetime_has_bounds(int seconds, string? error) =>
        Assert.Equal(error, Only(new() { ClientId = "web", ExpiresIn = seconds }));

    [Theory]
    [InlineData("web", "{}", null)]
    [InlineData("web", "[]", "metadata must be a JSON object of at most 5120 bytes")]
    [InlineData("web", "null", "metadata must be a JSON object of at most 5120 bytes")]
    [InlineData("web", "\"{}\"", "metadata must be a JSON object of at most 5120 bytes")]
    [InlineData("https://client.example/m", "{}", "metadata comes from the document that the client's id is the URL of: leave it out")]
    public void Metadata_is_an_object_and_that_of_a_document_is_fetched(string clientId, string metadata, string? error) =>
        Assert.Equal(error, Only(new() { ClientId = clientId, Metadata = JsonElement.Parse(metadata) }));

    [Theory]
    [InlineData(5120, null)]
    // Bytes count, and not characters.
    [InlineData(5121, "metadata must be a JSON object of at most 5120 bytes")]
    public void Metadata_has_a_bound_in_bytes(int bytes, string? error)
    {
        var metadata = "{\"a\":\"é" + new string('x', bytes - 10) + "\"}";
        Assert.Equal(bytes, System.Text.Encoding.UTF8.GetByteCount(metadata));
        Assert.Equal(error, Only(new() { ClientId = "web", Metadata = JsonElement.Parse(metadata) }));
    }

    [Fact]
    public void Every_mistake_is_said() =>
        Assert.Equal(
            ["clientId", "expiresIn", "metadata", "name"],
            Errors(
                    new()
                    {
                        ClientId = "",
                        Name = "",
                        Metadata = JsonElement.Parse("1"),
                        ExpiresIn = 0,
                    }
                )
                .Select(error => error.Field)
                .Order()
        );

    private static string? Only(ClientRegistration client) =>
        Errors(client) is [.. var errors] && errors.Length > 0 ? $"{Assert.Single(errors).Field} {errors[0].Message}" : null;

    private static TenantConfigError[] Errors(ClientRegistration client) => [.. ClientValidator.Validate(client, new ValidationOptions())];
}
