namespace Tenancy.Mcp;

/// <summary>A call of a tool whose arguments were read: ready to run, or answered already.</summary>
public abstract class ToolRun
{
    /// <summary>Gets the answer where the arguments were enough for one, such as that they are malformed; else null.</summary>
    internal virtual ToolAnswer? Answer => null;

    /// <summary>A call that is answered without its handler, because of its arguments.</summary>
    public static ToolRun Answered(ToolAnswer answer) => new AnsweredRun(answer);

    /// <summary>Runs the handler.</summary>
    /// <param name="call">The call, with the tenant's context and services.</param>
    /// <param name="cancellationToken">Cancelled when nobody waits for the answer any more.</param>
    public abstract ValueTask<ToolAnswer> RunAsync(Call call, CancellationToken cancellationToken);

    /// <summary>Says what is answered where <see cref="RunAsync"/> threw, or its answer could not be written.</summary>
    /// <param name="exception">What was thrown.</param>
    /// <param name="call">The call.</param>
    /// <returns>The answer; null, the default, where it is the MCP protocol's own.</returns>
    public virtual ToolAnswer? Fail(Exception exception, Call call) => null;

    /// <summary>Says whether what <see cref="RunAsync"/> threw tells the caller of a mistake of its own.</summary>
    /// <param name="exception">What was thrown.</param>
    /// <returns>False by default. What the MCP SDK tells callers (<c>McpException</c>) counts as such without being asked.</returns>
    public virtual bool IsCallersMistake(Exception exception) => false;

    private sealed class AnsweredRun(ToolAnswer answer) : ToolRun
    {
        internal override ToolAnswer Answer => answer;

        public override ValueTask<ToolAnswer> RunAsync(Call call, CancellationToken cancellationToken) => new(answer);
    }
}
