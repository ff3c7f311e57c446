using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Tenancy.Adcp;

/// <summary>A buffer of the thread's own to write JSON into. Whoever rents it awaits nothing until it is given back.</summary>
internal sealed class JsonScratch : IDisposable
{
    // A buffer stays with its thread unless an answer made it large.
    private const int MaxKept = 64 * 1024;

    [ThreadStatic]
    private static JsonScratch? t_free;

    private readonly ArrayBufferWriter<byte> _buffer = new(4096);

    // Texts are for models and programs, not for HTML pages: only what JSON itself asks for is escaped.
    private JsonScratch() => Writer = new(_buffer, new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true });

    public Utf8JsonWriter Writer { get; }

    /// <summary>Gets what was written and flushed.</summary>
    public ReadOnlySpan<byte> Written => _buffer.WrittenSpan;

    public static JsonScratch Rent()
    {
        var scratch = t_free ?? new();
        t_free = null;
        scratch._buffer.ResetWrittenCount();
        scratch.Writer.Reset();
        return scratch;
    }

    public void Dispose()
    {
        if (_buffer.Capacity <= MaxKept)
        {
            t_free = this;
        }
    }
}
