using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using StackExchange.Redis;
using StackExchange.Redis.Profiling;
using Tenancy.Configuration;
using Tenancy.Diagnostics;
using Tenancy.Registry;

namespace Tenancy.State;

/// <summary>
/// The connections to the store: one for everybody's small commands, and one for reads that may be large, which the small ones do not wait
/// for. Nothing outside this room reaches Redis, and nothing here takes a key that no keyspace made.
/// </summary>
internal sealed class RedisConnection : IAsyncDisposable
{
    /// <summary>What is larger goes over the connection that small commands do not wait for.</summary>
    public const int LargeBytes = 64 * 1024;

    // A replica may lag behind: what is older than what is known would look like a store that has lost it. While no primary is known the
    // store is away.
    private const CommandFlags Primary = CommandFlags.DemandMaster;

    private const string Script = "EVALSHA";

    private const int RedisTimeout = 750;

    // An embedded store cannot be away. On a busy machine it can be slow.
    private const int EmbeddedTimeout = 10_000;

    private static readonly int DefaultConfigCheckSeconds = new ConfigurationOptions().ConfigCheckSeconds;

    private readonly ConfigurationOptions _settings;
    private readonly TimeProvider _time;
    private readonly Lazy<Task<IConnectionMultiplexer>> _connection;
    private readonly Lazy<Task<IConnectionMultiplexer>> _large;
    private readonly StoreAbsence _absence;

    public RedisConnection(
        IConfiguration configuration,
        IHostEnvironment environment,
        IOptions<TenancyOptions> options,
        TimeProvider time,
        ILogger<RedisConnection> logger,
        IEmbeddedStore? embedded = null
    )
    {
        _time = time;
        Remembered = new(this, time);
        IsEmbedded = string.IsNullOrWhiteSpace(configuration.GetConnectionString("Redis"));
        _settings = Settings(configuration.GetConnectionString("Redis"), environment, options.Value, embedded, logger);
        _connection = new(() => ConnectAsync("tenancy"));
        _large = new(() => ConnectAsync("tenancy-large"));
        _absence = new(async () => await (await _connection.Value.ConfigureAwait(false)).GetDatabase().PingAsync().ConfigureAwait(false));
    }

    /// <summary>Gets what this process is called among those that share the store.</summary>
    public string NodeId { get; } = Guid.NewGuid().ToString("N");

    /// <summary>Counts and times what goes to the store; null, the default, watches nothing.</summary>
    public Func<ProfilingSession?>? Profiler { get; init; }

    /// <summary>Gets what counts and times what goes to the store; null where nobody can listen.</summary>
    public TenancyMetrics? Metrics { get; init; }

    /// <summary>Gets what this process remembers of documents.</summary>
    public RememberedDocuments Remembered { get; }

    /// <summary>Whether the store is inside this process.</summary>
    public bool IsEmbedded { get; }

    /// <summary>How far the clock of tests is from the store's, in milliseconds; 0 with the system's clock.</summary>
    public RedisValue ClockOffset =>
        ReferenceEquals(_time, TimeProvider.System)
            ? 0
            : (long)Math.Round((_time.GetUtcNow() - TimeProvider.System.GetUtcNow()).TotalMilliseconds);

    /// <summary>Is told what others tell on a channel, from now on and whenever the connection is there.</summary>
    /// <exception cref="RedisException">The store does not let this node listen, or does not answer.</exception>
    public async Task ListenAsync(string channel, Action<string> onMessage)
    {
        var subscriber = (await _connection.Value.ConfigureAwait(false)).GetSubscriber();
        Action<RedisChannel, RedisValue> handler = (_, message) => onMessage(message.ToString());
        try
        {
            await subscriber.SubscribeAsync(RedisChannel.Literal(channel), handler).ConfigureAwait(false);
        }
        catch
        {
            // The client keeps a handler also where the subscription failed: whoever tries again would be told of each message once for
            // each try.
            await subscriber
                .UnsubscribeAsync(RedisChannel.Literal(channel), handler)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            throw;
        }
    }

    /// <summary>Tells all who listen on a channel. Nobody waits for it, and nobody learns whether it arrived.</summary>
    public void Tell(string channel, string message)
    {
        if (_connection is not { IsValueCreated: true, Value: { IsCompletedSuccessfully: true } connection })
        {
            return;
        }

        try
        {
            _ = connection.Result.GetSubscriber().PublishAsync(RedisChannel.Literal(channel), message, CommandFlags.FireAndForget);
        }
        catch (Exception exception) when (exception is RedisException or ObjectDisposedException or TimeoutException)
        {
            // Those who would have heard of it find out by asking.
        }
    }

    /// <summary>Runs a script. The arguments are its own from then on.</summary>
    /// <param name="script">The script.</param>
    /// <param name="keys">Its keys.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <param name="isLarge">Whether others' commands should not wait for it to be sent.</param>
    public Task<RedisResult> EvaluateAsync(StoreScript script, StoreKey[] keys, RedisValue[] arguments, bool isLarge = false)
    {
        foreach (ref var argument in arguments.AsSpan())
        {
            argument = Encode(argument);
        }

        return RunAsync(isLarge ? _large : _connection, new(Script, script.Name), database =>
            EvaluateAsync(database, script, Array.ConvertAll(keys, static key => key.Value), arguments)
        );
    }

    /// <summary>Runs a script that names the generation of its tenant, and gives -1 where the tenant is at another one.</summary>
    /// <exception cref="StoreUnavailableException">The store is away, or the generation ended.</exception>
    public async Task<RedisResult> EvaluateFencedAsync(StoreScript script, StoreKey[] keys, RedisValue[] arguments, bool isLarge = false)
    {
        var answer = await EvaluateAsync(script, keys, arguments, isLarge).ConfigureAwait(false);
        var status = answer.Length > 0 ? answer[0] : answer;
        return answer.Length != 0 && (string?)status == "-1" ? throw new StoreUnavailableException(new GenerationEndedException()) : answer;
    }

    /// <summary>A section of what the server says of itself.</summary>
    /// <exception cref="StoreUnavailableException">It does not answer, or no primary is known, as in a failover.</exception>
    public async Task<string> GetInfoAsync(string section) =>
        await RunAsync("INFO", database =>
                database.Multiplexer.GetServers().FirstOrDefault(server => !server.IsReplica) is { } primary
                    ? primary.InfoRawAsync(section)
                    : throw new RedisException("No primary is known.")
            )
            .ConfigureAwait(false)
        ?? "";

    public Task<RedisValue> GetAsync(StoreKey key) => RunAsync("GET", database => database.StringGetAsync(key, Primary));

    public Task<RedisValue[]> GetFieldsAsync(StoreKey key, params RedisValue[] fields) =>
        RunAsync("HMGET", database => database.HashGetAsync(key, fields, Primary));

    public Task<HashEntry[]> GetHashAsync(StoreKey key) => RunAsync("HGETALL", database => database.HashGetAllAsync(key, Primary));

    /// <summary>Sets a field of a hash.</summary>
    public Task<bool> SetFieldAsync(StoreKey key, RedisValue field, RedisValue value) =>
        RunAsync("HSET", database => database.HashSetAsync(key, field, value, When.Always, Primary));

    /// <summary>Fields of one hash that may be large.</summary>
    public Task<RedisValue[]> GetLargeFieldsAsync(StoreKey key, params RedisValue[] fields) =>
        RunAsync(_large, "HMGET", database => database.HashGetAsync(key, fields, Primary));

    /// <summary>Fields of several hashes, read at once.</summary>
    public Task<RedisValue[][]> GetFieldsAsync(IEnumerable<StoreKey> keys, params RedisValue[] fields) =>
        RunAsync(_large, "HMGET", database => Task.WhenAll(keys.Select(key => database.HashGetAsync(key, fields, Primary))));

    /// <summary>A page of the members of a sorted set whose scores are all equal, in the order of their bytes.</summary>
    public Task<RedisValue[]> GetRangeByMemberAsync(StoreKey key, RedisValue from, RedisValue to, int take) =>
        RunAsync(_large, "ZRANGEBYLEX", database =>
            database.SortedSetRangeByValueAsync(key, from, to, Exclude.Start, Order.Ascending, 0, take, Primary)
        );

    /// <summary>Runs a script that only reads, and whose answer may be large.</summary>
    public Task<RedisResult> ReadAsync(StoreScript script, StoreKey[] keys, RedisValue[] arguments) =>
        RunAsync(_large, new(Script, script.Name), database =>
            EvaluateAsync(database, script, Array.ConvertAll(keys, static key => key.Value), arguments)
        );

    /// <summary>The scores of members of a sorted set; null for those that are not in it.</summary>
    public Task<double?[]> GetScoresAsync(StoreKey key, RedisValue[] members) =>
        RunAsync(_large, "ZMSCORE", database => database.SortedSetScoresAsync(key, members, Primary));

    /// <summary>Adds a member to a sorted set.</summary>
    public Task<bool> AddAsync(StoreKey key, RedisValue member, double score) =>
        RunAsync("ZADD", database => database.SortedSetAddAsync(key, member, score, SortedSetWhen.Always, Primary));

    /// <summary>Takes members out of a sorted set.</summary>
    public Task<long> RemoveAsync(StoreKey key, RedisValue[] members) =>
        RunAsync("ZREM", database => database.SortedSetRemoveAsync(key, members, Primary));

    /// <summary>The members of a sorted set whose scores are within bounds.</summary>
    public Task<RedisValue[]> GetByScoreAsync(StoreKey key, double least, double most) =>
        RunAsync(_large, "ZRANGEBYSCORE", database => database.SortedSetRangeByScoreAsync(key, least, most, flags: Primary));

    /// <summary>Members of a sorted set up to a score, the lowest first.</summary>
    public Task<RedisValue[]> GetUpToAsync(StoreKey key, double score, int skip, int take) =>
        RunAsync("ZRANGEBYSCORE", database =>
            database.SortedSetRangeByScoreAsync(key, stop: score, skip: skip, take: take, flags: Primary)
        );

    /// <summary>How many members of a sorted set have a score, or more.</summary>
    public Task<long> CountFromAsync(StoreKey key, double score) =>
        RunAsync("ZCOUNT", database => database.SortedSetLengthAsync(key, score, flags: Primary));

    /// <summary>The first members of a sorted set.</summary>
    public Task<RedisValue[]> GetFirstAsync(StoreKey key, int take) =>
        RunAsync("ZRANGE", database => database.SortedSetRangeByRankAsync(key, 0, take - 1, flags: Primary));

    public async ValueTask DisposeAsync()
    {
        _absence.Dispose();
        Remembered.Dispose();
        foreach (var connection in new[] { _connection, _large })
        {
            if (connection is { IsValueCreated: true, Value.IsCompletedSuccessfully: true })
            {
                await (await connection.Value.ConfigureAwait(false)).DisposeAsync().ConfigureAwait(false);
            }
        }
    }

    // By its text the client finds a script only after it has hashed all of it, at each call and under the lock of the connection.
    private static async Task<RedisResult> EvaluateAsync(IDatabase database, StoreScript script, RedisKey[] keys, RedisValue[] arguments)
    {
        try
        {
            return await database.ScriptEvaluateAsync(script.Hash, keys, arguments, Primary).ConfigureAwait(false);
        }
        catch (RedisServerException exception) when (exception.Kind == RedisErrorKind.NoScript)
        {
            // The server is new, or began anew: the client gives it the script.
            return await database.ScriptEvaluateAsync(script.Text, keys, arguments, Primary).ConfigureAwait(false);
        }
    }

    // The client counts the bytes of a text with half a surrogate pair wrongly, and gives up the connection that all tenants share.
    private static RedisValue Encode(RedisValue value) =>
        !value.IsInteger && value.Box() is string text && text.AsSpan().ContainsAnyInRange('\ud800', '\udfff')
            ? StoreText.Encode(text)
            : value;

    private async Task<IConnectionMultiplexer> ConnectAsync(string name)
    {
        var settings = _settings.Clone();
        settings.ClientName ??= name;
        var connection = await ConnectionMultiplexer.ConnectAsync(settings).ConfigureAwait(false);
        if (Profiler is { } profiler)
        {
            connection.RegisterProfiler(profiler);
        }

        return connection;
    }

    private Task<T> RunAsync<T>(StoreCommand name, Func<IDatabase, Task<T>> command) => RunAsync(_connection, name, command);

    private async Task<T> RunAsync<T>(Lazy<Task<IConnectionMultiplexer>> connection, StoreCommand name, Func<IDatabase, Task<T>> command)
    {
        var observation = StoreObservation.Begin(Metrics, name);
        var call = _absence.Begin();
        try
        {
            _absence.ThrowIfKnown();
            var answer = await command((await connection.Value.ConfigureAwait(false)).GetDatabase()).ConfigureAwait(false);
            call.Answered();
            observation.End();
            return answer;
        }
        catch (StoreUnavailableException exception)
        {
            // Known to be away: it is counted as a failure as long as that lasts, so that whoever watches sees how long.
            observation.End(exception);
            throw;
        }
        catch (RedisServerException exception)
        {
            call.Answered();
            observation.End(exception);
            throw new StoreUnavailableException(exception);
        }
        catch (Exception exception) when (exception is RedisTimeoutException or TimeoutException)
        {
            call.TimedOut();
            observation.End(exception);
            throw new StoreUnavailableException(exception);
        }
        catch (Exception exception) when (exception is RedisException or ObjectDisposedException)
        {
            observation.End(exception);
            throw new StoreUnavailableException(exception);
        }
    }

    private static ConfigurationOptions Settings(
        string? connectionString,
        IHostEnvironment environment,
        TenancyOptions options,
        IEmbeddedStore? embedded,
        ILogger logger
    )
    {
        if (!string.IsNullOrWhiteSpace(connectionString))
        {
            return Tune(
                Parse(connectionString),
                timeout: connectionString.Contains("Timeout", StringComparison.OrdinalIgnoreCase) ? null : RedisTimeout
            );
        }

        if (embedded is null)
        {
            throw Mistake(
                "ConnectionStrings:Redis is not set and there is no embedded store: set it, such as to localhost:6379, or call "
                    + "AddEmbeddedStore()."
            );
        }

        if (!options.AcceptEmbeddedStore && !DevelopmentValues.AreAllowed(environment, options))
        {
            throw Mistake(
                "ConnectionStrings:Redis is not set, and the embedded store forgets everything when the process ends: set it, or set "
                    + "Tenancy:AcceptEmbeddedStore to true."
            );
        }

        var settings = embedded.Start();
        logger.EmbeddedStore();
        return Tune(settings, EmbeddedTimeout);
    }

    private static ConfigurationOptions Parse(string connectionString)
    {
        try
        {
            return ConfigurationOptions.Parse(connectionString);
        }
        catch (ArgumentException exception)
        {
            throw Mistake(
                $"ConnectionStrings:Redis cannot be read ({exception.Message}): use host:port, and options such as password=... after "
                    + "commas."
            );
        }
    }

    // Measured: with the defaults a store that stops is noticed after 5.5 s, and every caller waits for it; with these after 1 s or at
    // once. A timeout that the connection string names stays.
    private static ConfigurationOptions Tune(ConfigurationOptions settings, int? timeout)
    {
        settings.AbortOnConnectFail = false;

        // INFO, which tells how durable the store is, is an admin's command to the client; the server's ACL decides what it may do.
        settings.AllowAdmin = true;
        settings.BacklogPolicy = BacklogPolicy.FailFast;
        if (timeout is { } milliseconds)
        {
            settings.AsyncTimeout = settings.SyncTimeout = milliseconds;
            settings.ConnectTimeout = 2 * milliseconds;
        }

        // A replica that is promoted tells nobody, and the client asks for roles once a minute: writes would be refused for that long.
        if (settings.ConfigCheckSeconds == DefaultConfigCheckSeconds)
        {
            settings.ConfigCheckSeconds = 1;
        }

        settings.ConnectRetry = 1;
        settings.HeartbeatInterval = TimeSpan.FromMilliseconds(250);
        settings.ReconnectRetryPolicy = new LinearRetry(250);
        settings.KeepAlive = 5;
        settings.Protocol = RedisProtocol.Resp3;
        settings.IncludeDetailInExceptions = false;
        return settings;
    }

    private static OptionsValidationException Mistake(string message) => new("ConnectionStrings", typeof(TenancyOptions), [message]);
}
