using System.Collections.Concurrent;
using CsCheck;
using Tenancy.Configuration;
using Tenancy.Registry;
using Tenancy.Tests.Hosting;
using Tenancy.Validation;

namespace Tenancy.Tests.Registry;

/// <summary>
/// Random sequences of operations against a model that is simple enough to be right. A failure prints its seed; CsCheck_Seed repeats it.
/// </summary>
[Tier(Tier.Server)]
public sealed class RegistryModelTests
{
    private static readonly string[] Ids = ["t0", "t1", "t2", "t3"];
    private static readonly string[] Urls = ["https://a.example", "https://b.example", "https://a.example/x/y", "https://b.example/z/z"];

    private enum Result
    {
        Valid,
        Transient,
        Permanent,
    }

    private abstract record Operation(string Id)
    {
        public sealed record Register(string Id, string[] Urls, int Product) : Operation(Id);

        public sealed record Change(string Id, string[] Urls, int Product, bool Suspend, bool Force) : Operation(Id);

        public sealed record Unregister(string Id, bool Purge) : Operation(Id);

        public sealed record Recheck(string Id) : Operation(Id);

        public sealed record Provider(string Id, Result Result) : Operation(Id);
    }

    private static Gen<string> Id { get; } = Gen.Int[0, 3].Select(i => Ids[i]);

    private static Gen<string[]> UrlSet { get; } = Gen.Int[0, 15].Select(bits => Urls.Where((_, i) => (bits >> i & 1) == 1).ToArray());

    private static Gen<Operation> AnyOperation { get; } =
        Gen.Frequency(
            (3, Gen.Select(Id, UrlSet, Gen.Int[0, 2], (id, urls, product) => (Operation)new Operation.Register(id, urls, product))),
            (
                4,
                Gen.Select(Id, UrlSet, Gen.Int[0, 2], Gen.Bool, Gen.Int[0, 9], (id, urls, product, suspend, force) =>
                    (Operation)new Operation.Change(id, urls, product, suspend, force == 0)
                )
            ),
            (1, Gen.Select(Id, Gen.Bool, (id, purge) => (Operation)new Operation.Unregister(id, purge))),
            (3, Id.Select(id => (Operation)new Operation.Recheck(id))),
            (2, Gen.Select(Id, Gen.Enum<Result>(), (id, result) => (Operation)new Operation.Provider(id, result)))
        );

    [Fact]
    public async Task A_hundred_thousand_operations_do_what_the_model_says()
    {
        var validator = new ProviderValidator();
        await using var host = await RegistryHost.CreateAsync(validator);
        var operations = 0;
        await AnyOperation
            .Array[100]
            .SampleAsync(
                async sequence =>
                {
                    await ClearAsync(host, validator);
                    var model = new Model();
                    foreach (var operation in sequence)
                    {
                        var expected = model.Apply(operation);
                        var actual = await ApplyAsync(host, validator, operation);
                        if (expected != actual || model.Describe() != Describe(host))
                        {
                            return false;
                        }

                        operations++;
                    }

                    return true;
                },
                iter: 700,
                threads: 1,
                print: sequence => string.Join("\n", sequence.Select(operation => operation.ToString()))
            );
        Assert.Equal(70_000, operations);
    }

    [Fact]
    public async Task Operations_of_many_at_once_leave_store_and_memory_as_one()
    {
        await using var host = await RegistryHost.CreateAsync();
        var operations = 0;
        await AnyOperation
            .Array[1000]
            .SampleAsync(
                async sequence =>
                {
                    await Task.WhenAll(
                        sequence
                            .Chunk(125)
                            .Select(part =>
                                Task.Run(async () =>
                                {
                                    foreach (var operation in part)
                                    {
                                        await ApplyAsync(host, null, operation);
                                        AssertRoutesAreWhole(host);
                                        Interlocked.Increment(ref operations);
                                    }
                                })
                            )
                    );
                    await host.Registry.Checks.FlushAsync();
                    return Describe(host) == await DescribeStoreAsync(host);
                },
                iter: 32,
                threads: 1,
                print: sequence => $"{sequence.Length} operations"
            );
        Assert.Equal(32_000, operations);
    }

    /// <summary>At any moment a URL leads to a tenant that has it, and to no other.</summary>
    private static void AssertRoutesAreWhole(RegistryHost host)
    {
        foreach (var url in Urls)
        {
            var parsed = Parse(url);
            if (host.Registry.TryFindUrl(parsed.Host, parsed.Path, out var tenant, out var found) && found.Key == parsed.Key)
            {
                // The tenant may have changed between the two looks; then it has a newer version.
                var now = host.Registry.Get(tenant.Id.Value);
                Assert.True(
                    tenant.Urls.Any(own => own.Key == found.Key)
                        || now is null
                        || now.Version != tenant.Version
                        || !ReferenceEquals(now, tenant)
                );
            }
        }
    }

    private static async Task<string> ApplyAsync(RegistryHost host, ProviderValidator? validator, Operation operation)
    {
        try
        {
            switch (operation)
            {
                case Operation.Register(var id, var urls, var product):
                    await host.Registry.RegisterAsync(Config(id, urls, product, suspend: false), awaitFirstValidation: true);
                    return "done";
                case Operation.Change(var id, var urls, var product, var suspend, var force):
                    await host.Registry.Changes.UpdateAsync(
                        TenantId.Parse(id),
                        _ => Config(id, urls, product, suspend),
                        expectedVersion: null,
                        force,
                        CancellationToken.None
                    );
                    return "done";
                case Operation.Unregister(var id, var purge):
                    var done = await host.Registry.Changes.RemoveAsync(TenantId.Parse(id), purge);
                    if (purge)
                    {
                        await Microsoft
                            .Extensions.DependencyInjection.ServiceProviderServiceExtensions.GetRequiredService<Tenancy.State.TenantPurge>(
                                host.Services
                            )
                            .RunAsync(TenantId.Parse(id), waits: true, CancellationToken.None);
                    }

                    return done ? "done" : "missing";
                case Operation.Recheck(var id):
                    await host.Registry.Checks.RecheckAsync(TenantId.Parse(id));
                    return "done";
                case Operation.Provider(var id, var result):
                    validator?.Results[id] = result;
                    return "done";
                default:
                    throw new InvalidOperationException();
            }
        }
        catch (TenantNotFoundException)
        {
            return "missing";
        }
        catch (TenantConflictException exception)
        {
            return "conflict " + exception.Field;
        }
        catch (TenantValidationException exception)
        {
            return exception.IsTransient ? "transient" : "permanent";
        }
    }

    private static async Task ClearAsync(RegistryHost host, ProviderValidator validator)
    {
        validator.Results.Clear();
        foreach (var id in Ids)
        {
            await ApplyAsync(host, validator, new Operation.Unregister(id, Purge: true));
        }
    }

    private static TenantConfig Config(string id, string[] urls, int product, bool suspend) =>
        RegistryHost.Config(id, $"p{product}", null, urls) with
        {
            Status = suspend ? TenantAdminStatus.Suspended : TenantAdminStatus.Active,
        };

    private static string Describe(RegistryHost host)
    {
        var tenants = host
            .Registry.List()
            .OrderBy(tenant => tenant.Config.Id, StringComparer.Ordinal)
            .Select(tenant =>
                $"{tenant.Config.Id} {tenant.Config.Status} {tenant.Health} {tenant.Config.Settings} {string.Join(',', tenant.Config.Urls)}"
            );
        var routes = Urls.Select(url =>
            host.Registry.TryFindUrl(Parse(url).Host, Parse(url).Path, out var tenant, out var found)
                ? $"{url} -> {tenant.Id} by {found.Key}"
                : $"{url} -> nobody"
        );
        return string.Join('\n', [.. tenants, .. routes]);
    }

    private static async Task<string> DescribeStoreAsync(RegistryHost host)
    {
        var store = Microsoft.Extensions.DependencyInjection.ServiceProviderServiceExtensions.GetRequiredService<ITenantStore>(
            host.Services
        );
        var records = await store
            .LoadAsync(CancellationToken.None)
            .OrderBy(record => record.Config.Id, StringComparer.Ordinal)
            .ToListAsync();
        var tenants = records.Select(record =>
            $"{record.Config.Id} {record.Config.Status} {record.Check.Health} {record.Config.Settings} "
            + $"{string.Join(',', record.Config.Urls)}"
        );
        var routes = Urls.Select(url =>
        {
            var wanted = Parse(url);
            var owner = records
                .SelectMany(record => record.Config.Urls, (record, text) => (record.Config.Id, Parse(text).Key))
                .Where(route => wanted.Key == route.Key || wanted.Key.StartsWith(route.Key + "/", StringComparison.Ordinal))
                .OrderByDescending(route => route.Key.Length)
                .FirstOrDefault();
            return owner.Id is null ? $"{url} -> nobody" : $"{url} -> {owner.Id} by {owner.Key}";
        });
        return string.Join('\n', [.. tenants, .. routes]);
    }

    private static TenantUrl Parse(string url) =>
        TenantUrl.TryParse(url, out var parsed, out var reason) ? parsed : throw new InvalidOperationException(reason);

    private sealed class ProviderValidator : ITenantValidator
    {
        public ConcurrentDictionary<string, Result> Results { get; } = new(StringComparer.Ordinal);

        public ValueTask<TenantValidation> ValidateAsync(TenantConfig tenant, CancellationToken cancellationToken) =>
            new(
                Results.GetValueOrDefault(tenant.Id) switch
                {
                    Result.Valid => TenantValidation.Valid.Instance,
                    Result.Transient => new TenantValidation.Transient("down"),
                    _ => new TenantValidation.Permanent("wrong"),
                }
            );
    }

    /// <summary>The registry as a table and a few rules.</summary>
    private sealed class Model
    {
        private readonly SortedDictionary<string, Row> _rows = new(StringComparer.Ordinal);
        private readonly HashSet<string> _kept = [];
        private readonly Dictionary<string, Result> _providers = [];

        private sealed record Row(string[] Urls, int Product, bool Suspended, TenantHealth Health);

        public string Apply(Operation operation)
        {
            var id = operation.Id;
            var provider = _providers.GetValueOrDefault(id);
            var row = _rows.GetValueOrDefault(id);
            switch (operation)
            {
                case Operation.Provider(_, var result):
                    _providers[id] = result;
                    return "done";
                case Operation.Unregister(_, var purge):
                    _ = purge ? _kept.Remove(id) : row is not null && _kept.Add(id);
                    return _rows.Remove(id) ? "done" : "missing";
                case Operation.Recheck when row is null:
                    return "missing";
                case Operation.Recheck:
                    _rows[id] = row with { Health = Next(row.Health, provider) };
                    return "done";
                case Operation.Register(_, var urls, var product) when row is not null:
                    return row.Product == product && !row.Suspended && row.Urls.SequenceEqual(urls) ? "done" : "conflict id";
                case Operation.Register when _kept.Contains(id):
                    return "conflict id";
                case Operation.Register(_, var urls, var product):
                    if (IsTaken(id, urls))
                    {
                        return "conflict urls";
                    }

                    _rows[id] = new(urls, product, false, Next(TenantHealth.Pending, provider));
                    return "done";
                case Operation.Change when row is null:
                    return "missing";
                case Operation.Change(_, var urls, var product, var suspend, var force):
                    return Change(id, row, new(urls, product, suspend, row.Health), provider, force);
                default:
                    throw new InvalidOperationException();
            }
        }

        public string Describe()
        {
            var tenants = _rows.Select(row =>
                $"{row.Key} {(row.Value.Suspended ? "Suspended" : "Active")} {row.Value.Health} "
                + $"{Config(row.Key, [], row.Value.Product, false).Settings} {string.Join(',', row.Value.Urls)}"
            );
            var routes = Urls.Select(url =>
            {
                var owner = _rows
                    .SelectMany(row => row.Value.Urls, (row, own) => (row.Key, Url: own))
                    .Where(route => url == route.Url || url.StartsWith(route.Url + "/", StringComparison.Ordinal))
                    .OrderByDescending(route => route.Url.Length)
                    .FirstOrDefault();
                return owner.Key is null ? $"{url} -> nobody" : $"{url} -> {owner.Key} by {owner.Url["https://".Length..]}";
            });
            return string.Join('\n', [.. tenants, .. routes]);
        }

        private string Change(string id, Row row, Row next, Result provider, bool force)
        {
            var behaves = row.Product == next.Product;
            if (behaves && row.Suspended == next.Suspended && row.Urls.SequenceEqual(next.Urls))
            {
                return "done";
            }

            if (!behaves && !force && provider != Result.Valid)
            {
                return provider == Result.Transient ? "transient" : "permanent";
            }

            if (IsTaken(id, next.Urls))
            {
                return "conflict urls";
            }

            // A tenant that still waits for its first success is asked again after every change.
            var health =
                behaves ? row.Health
                : force ? TenantHealth.Pending
                : TenantHealth.Healthy;
            _rows[id] = next with { Health = health == TenantHealth.Pending ? Next(health, provider) : health };
            return "done";
        }

        private bool IsTaken(string id, string[] urls) => _rows.Any(row => row.Key != id && row.Value.Urls.Intersect(urls).Any());

        private static TenantHealth Next(TenantHealth health, Result result) =>
            result switch
            {
                Result.Valid => TenantHealth.Healthy,
                Result.Permanent => TenantHealth.Disabled,
                _ => health == TenantHealth.Healthy ? TenantHealth.Unverified : health,
            };
    }
}
