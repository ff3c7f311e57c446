using System.Runtime.InteropServices;
using System.Text;

namespace Tenancy.State;

/// <summary>The bytes of a text that comes from outside.</summary>
internal static class StoreText
{
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Gives each text bytes of its own: UTF-8, and something else where a text has half a surrogate pair.</summary>
    public static byte[] Encode(string text)
    {
        try
        {
            return Utf8.GetBytes(text);
        }
        catch (EncoderFallbackException)
        {
            // UTF-8 has the same replacement for every half of a surrogate pair, so that different texts would become one. They go in as
            // UTF-16, after a byte that UTF-8 never has.
            return [0xff, .. MemoryMarshal.AsBytes(text.AsSpan())];
        }
    }

    /// <summary>Writes the same bytes, of which there are <see cref="GetMaxCount"/> at most.</summary>
    /// <returns>How many there are.</returns>
    public static int Encode(string text, Span<byte> destination)
    {
        try
        {
            return Utf8.GetBytes(text, destination);
        }
        catch (EncoderFallbackException)
        {
            var bytes = Encode(text);
            bytes.CopyTo(destination);
            return bytes.Length;
        }
    }

    public static int GetMaxCount(string text) => Utf8.GetMaxByteCount(text.Length);
}
