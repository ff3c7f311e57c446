namespace Tenancy.CommandLine;

/// <summary>Something that the person at the command line can mend; its message says how.</summary>
internal sealed class ToolException(string message) : Exception(message);
