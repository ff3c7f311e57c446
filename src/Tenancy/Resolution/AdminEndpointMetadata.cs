namespace Tenancy.Resolution;

/// <summary>Marks the endpoints of the admin API, which <see cref="AdminMiddleware"/> stands in front of.</summary>
internal sealed class AdminEndpointMetadata
{
    public static AdminEndpointMetadata Instance { get; } = new();
}
