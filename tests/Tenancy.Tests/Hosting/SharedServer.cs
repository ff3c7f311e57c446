namespace Tenancy.Tests.Hosting;

/// <summary>
/// One server with the default settings for all tests of a class that only ask it something. To start one costs more than they do.
/// </summary>
/// <remarks>A test that changes what the others see, as a tenant or a media buy, starts a server of its own.</remarks>
public sealed class SharedServer : IAsyncLifetime
{
    internal TenancyServer Host { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Host = await TenancyServer.StartAsync();

    public ValueTask DisposeAsync() => Host.DisposeAsync();
}
