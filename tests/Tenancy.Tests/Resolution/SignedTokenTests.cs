using System.Buffers.Text;
using System.Text;
using CsCheck;
using Tenancy.Resolution;

namespace Tenancy.Tests.Resolution;

/// <summary>Anybody can send anything as a token: it is read, or it is none, and it costs nobody an exception.</summary>
public sealed class SignedTokenTests
{
    private const string Header = """{"alg":"RS256","kid":"1"}""";
    private const string Payload = """{"iss":"https://auth.example.com","aud":["acme","globex"],"sub":"a"}""";

    [Fact]
    public void What_a_token_says_of_itself_is_read_whoever_signed_it()
    {
        Assert.True(SignedToken.TryRead(Token(Header, Payload), out var token, out var flaw));
        Assert.Equal(TokenFlaw.None, flaw);
        Assert.Equal("https://auth.example.com", SignedToken.Text(token.Claims, "iss"));
        Assert.Equal(["acme", "globex"], token.Audiences);
    }

    [Theory]
    [InlineData("")]
    [InlineData("acme.secret")]
    [InlineData("..")]
    [InlineData("a.b.c")]
    [InlineData("a.b.c.d.e")]
    [InlineData("e30.e30.e30.")]
    [InlineData("e30.!.e30")]
    [InlineData("e30.é.e30")]
    public void What_is_no_token_is_none(string token)
    {
        Assert.False(SignedToken.TryRead(token, out var read, out var flaw));
        Assert.Null(read);
        Assert.NotEqual(TokenFlaw.None, flaw);
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("\"x\"")]
    [InlineData("5")]
    [InlineData("{")]
    [InlineData("""{"a":\ud800}""")]
    public void A_part_that_is_no_object_makes_none(string part)
    {
        Assert.False(SignedToken.TryRead(Token(part, Payload), out _, out _));
        Assert.False(SignedToken.TryRead(Token(Header, part), out _, out _));
    }

    [Theory]
    [InlineData("\"acme\"", 1)]
    [InlineData("[]", 0)]
    [InlineData("null", 0)]
    [InlineData("[\"acme\",7]", null)]
    [InlineData("{\"acme\":1}", null)]
    public void Audiences_are_texts_or_cannot_be_read(string audience, int? count)
    {
        Assert.True(SignedToken.TryRead(Token(Header, $$"""{"aud":{{audience}}}"""), out var token, out _));
        Assert.Equal(count, token.Audiences?.Count);
    }

    [Fact]
    public void A_token_that_is_too_long_is_not_looked_at()
    {
        var token = Token(Header, $$"""{"iss":"{{new string('a', BearerToken.MaxLength)}}"}""");
        Assert.False(SignedToken.TryRead(token, out _, out _));
    }

    [Fact]
    public void Objects_within_objects_without_end_break_nothing()
    {
        var deep = string.Concat(Enumerable.Repeat("{\"a\":", 1000)) + "1" + new string('}', 1000);
        Assert.Null(Record.Exception(() => SignedToken.TryRead(Token(Header, deep), out _, out _)));
        Assert.Null(Record.Exception(() => SignedToken.TryRead(Token(Header, new string('[', 1000)), out _, out _)));
    }

    [Fact]
    public void No_text_with_two_dots_throws() =>
        Gen.Select(Part(Header), Part(Payload), Gen.String[Gen.Char['\0', '\u00ff'], 0, 30])
            .Sample(
                (header, payload, signature) =>
                {
                    SignedToken.TryRead($"{header}.{payload}.{signature}", out _, out _);
                    return true;
                },
                iter: 20_000
            );

    // The JSON of a part with up to four characters written over, or any text at all.
    private static Gen<string> Part(string json) =>
        Gen.OneOf(
            Gen.Select(Gen.Int[0, json.Length - 1], Gen.Char['\0', '\u00ff'])
                .Array[0, 4]
                .Select(changes =>
                    Encode(changes.Aggregate(json, (text, change) => text[..change.Item1] + change.Item2 + text[(change.Item1 + 1)..]))
                ),
            Gen.String[Gen.Char['!', '~'], 0, 30].Select(text => text.Replace('.', '-'))
        );

    private static string Token(string header, string payload) => $"{Encode(header)}.{Encode(payload)}.c2ln";

    private static string Encode(string text) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(text));
}
