using System.Security.Cryptography;
using System.Text;
using ModelContextProtocol;

namespace McpFixtures.Handlers;

/// <summary>What a call wants to know when it is made again. The client carries it, and cannot change it.</summary>
internal static class CallState
{
    private static readonly byte[] Key = RandomNumberGenerator.GetBytes(32);

    public static string Write(string value) => $"{value}.{Sign(value)}";

    /// <exception cref="McpProtocolException">The state is not one that was written here.</exception>
    public static string? Read(string? state)
    {
        if (state is null)
        {
            return null;
        }

        var end = state.LastIndexOf('.');
        var value = state[..Math.Max(end, 0)];
        return CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(state[(end + 1)..]), Encoding.UTF8.GetBytes(Sign(value)))
            ? value
            : throw new McpProtocolException("The requestState is not one that this server wrote.", McpErrorCode.InvalidParams);
    }

    private static string Sign(string value) => Convert.ToHexString(HMACSHA256.HashData(Key, Encoding.UTF8.GetBytes(value)));
}
