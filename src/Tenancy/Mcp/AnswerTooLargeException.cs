using Tenancy.State;

namespace Tenancy.Mcp;

/// <summary>What a tool answers has more bytes than an answer may have, 4 MiB: nothing of it is sent, and nothing was written.</summary>
public sealed class AnswerTooLargeException : CallRefusedException
{
    private AnswerTooLargeException(int bytes, int most)
        : base(
            $"The answer has {bytes} bytes: {most} are the most. Answer less, or in pages.",
            "The answer would be larger than one may be: ask for less."
        ) { }

    internal static void ThrowIf(int bytes, int most)
    {
        if (bytes > most)
        {
            throw new AnswerTooLargeException(bytes, most);
        }
    }
}
