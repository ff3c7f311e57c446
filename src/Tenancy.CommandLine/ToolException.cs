namespace Tenancy.CommandLine;

/// <summary>Something that the person at the command line can mend; its message says how.</summary>
internal class ToolException(string message) : Exception(message);

/// <summary>A server's refusal of a request.</summary>
/// <param name="status">The status of the answer.</param>
/// <param name="fields">The fields that it names.</param>
/// <param name="message">What it says.</param>
internal sealed class RefusedException(int status, IReadOnlyCollection<string> fields, string message) : ToolException(message)
{
    public int Status { get; } = status;

    public IReadOnlyCollection<string> Fields { get; } = fields;
}
