using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;

namespace Tenancy.Mcp.Direct;

/// <summary>
/// What clients say of themselves in every message since 2026-07-28. The MCP SDK refuses what it cannot read; each client says the same
/// every time, so that it is read once.
/// </summary>
internal sealed class KnownClients
{
    private const int MaxKept = 32;
    private const int MaxLength = 1024;
    private readonly Texts _capabilities = new(McpJsonUtilities.DefaultOptions.GetTypeInfo(typeof(ClientCapabilities)));
    private readonly Texts _clients = new(McpJsonUtilities.DefaultOptions.GetTypeInfo(typeof(Implementation)));

    /// <summary>Whether the SDK reads these capabilities.</summary>
    public bool AreCapabilities(ReadOnlySpan<byte> json) => _capabilities.Contains(json);

    /// <summary>Whether the SDK reads this description of a client.</summary>
    public bool IsClient(ReadOnlySpan<byte> json) => _clients.Contains(json);

    private sealed class Texts(JsonTypeInfo type)
    {
        // Replaced as a whole: readers take no lock, and one text too many or too few is read anew.
        private byte[][] _known = [];

        public bool Contains(ReadOnlySpan<byte> json)
        {
            foreach (var known in Volatile.Read(ref _known))
            {
                if (json.SequenceEqual(known))
                {
                    return true;
                }
            }

            return Reads(json);
        }

        private bool Reads(ReadOnlySpan<byte> json)
        {
            try
            {
                JsonSerializer.Deserialize(json, type);
            }
            catch (JsonException)
            {
                return false;
            }

            if (json.Length <= MaxLength)
            {
                // The oldest goes where there are too many: nobody fills the list for good.
                var known = Volatile.Read(ref _known);
                Volatile.Write(ref _known, [.. known[^Math.Min(known.Length, MaxKept - 1)..], json.ToArray()]);
            }

            return true;
        }
    }
}
