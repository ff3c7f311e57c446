using ModelContextProtocol.Server;
using Tenancy.Mcp;
using Tenancy.State;

namespace Tenancy.Tests.Docs.Snippets;

[Document("notes", IdPrefix = "note_")]
internal sealed record Note : TenantDocument
{
    public required string Text { get; init; }
}

internal sealed class NoteTools
{
    [McpServerTool(Name = "add_note")]
    public static async Task<string> AddAsync(string text, ToolContext context, CancellationToken cancellationToken) =>
        (await context.Documents<Note>().CreateAsync(new() { Text = text }, cancellationToken: cancellationToken)).Id;

    [McpServerTool(Name = "list_notes")]
    public static async Task<string[]> ListAsync(ToolContext context, CancellationToken cancellationToken) =>
        [.. (await context.Documents<Note>().ListAsync(limit: 50, cancellationToken: cancellationToken)).Items.Select(note => note.Text)];

    [McpServerTool(Name = "count_notes")]
    public static async Task<int> CountAsync(ToolContext context, CancellationToken cancellationToken) =>
        await context.Cache.GetOrCreateAsync(
            "count",
            async token => (await context.Documents<Note>().ListAsync(limit: 200, cancellationToken: token)).Items.Count,
            CacheSharing.Caller,
            TimeSpan.FromSeconds(30),
            cancellationToken
        );
}
