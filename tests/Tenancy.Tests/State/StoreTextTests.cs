using System.Runtime.InteropServices;
using System.Text;
using CsCheck;
using Tenancy.State;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.State;

public sealed class StoreTextTests
{
    [Theory]
    [InlineData("")]
    [InlineData("acme")]
    [InlineData("é\u0301😂\0")]
    [InlineData("\ufffd")]
    public void A_text_is_kept_as_UTF_8(string text) => Assert.Equal(Encoding.UTF8.GetBytes(text), StoreText.Encode(text));

    [Fact]
    public void Half_a_surrogate_pair_has_bytes_that_no_other_text_has()
    {
        foreach (var text in new[] { "\ud83d", "\ude02", "a\ud83d", "\ude02\ud83d" })
        {
            var bytes = StoreText.Encode(text);
            Assert.Equal(0xff, bytes[0]);
            Assert.Equal(text, new string(MemoryMarshal.Cast<byte, char>(bytes.AsSpan(1))));
        }
    }

    [Fact]
    public void Two_texts_never_have_the_same_bytes() =>
        Gen.Select(HostileText.Gen, HostileText.Gen)
            .Where((one, other) => !one.Equals(other, StringComparison.Ordinal))
            .Sample((one, other) => !StoreText.Encode(one).AsSpan().SequenceEqual(StoreText.Encode(other)), iter: 5_000);

    [Fact]
    public void What_is_written_in_place_is_the_same_and_fits() =>
        HostileText.Gen.Sample(
            text =>
            {
                var place = new byte[StoreText.GetMaxCount(text)];
                var length = StoreText.Encode(text, place);
                return place.AsSpan(0, length).SequenceEqual(StoreText.Encode(text));
            },
            iter: 5_000
        );

    [Fact]
    public void The_longest_form_of_a_text_fits_too()
    {
        foreach (var text in new[] { "", "\ud83d", new string('\ud83d', 7), new string('\uffff', 7) })
        {
            var place = new byte[StoreText.GetMaxCount(text)];
            Assert.Equal(StoreText.Encode(text), place[..StoreText.Encode(text, place)]);
        }
    }
}
