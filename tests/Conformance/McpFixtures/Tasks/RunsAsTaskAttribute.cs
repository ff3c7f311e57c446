namespace McpFixtures.Tasks;

/// <summary>A tool whose calls go on as tasks, for clients that know them.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class RunsAsTaskAttribute : Attribute
{
    /// <summary>Gets whether a client that does not know tasks may not call it.</summary>
    public bool IsRequired { get; init; }

    /// <summary>Gets whether the tool asks the client before it becomes a task.</summary>
    public bool AsksFirst { get; init; }
}
