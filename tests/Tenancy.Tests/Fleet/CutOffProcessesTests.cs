using System.Diagnostics;
using System.Net;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using StackExchange.Redis;
using Tenancy.Configuration;
using Tenancy.State;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Fleet;

/// <summary>
/// A node whose connection is cut, or which is killed, after each single command of a change: the change is whole or not there, on every
/// node, and the same request finishes it.
/// </summary>
/// <remarks>
/// All changes are cut off on one Redis, and finished by either node. To the store a node that is killed after a command is as one that was
/// cut off after it, and a cluster is as one Redis but for the slots of its keys. So a delete, which is the longest change and goes to
/// several slots, stands for the others where a node is killed, or where six servers have to be started.
/// </remarks>
[Tier(Tier.Process)]
public sealed class CutOffProcessesTests
{
    private const int MaxCommands = 40;

    /// <summary>After how long one change is given up.</summary>
    private static readonly TimeSpan MaxTime = TimeSpan.FromMinutes(4);

    public static TheoryData<bool, string> Changes
    {
        get
        {
            var data = new TheoryData<bool, string>();
            foreach (var change in new[] { "create", "patch", "unregister", "delete" })
            {
                data.Add(false, change);
            }

            if (Environment.GetEnvironmentVariable("TENANCY_FULL") is "1")
            {
                data.Add(true, "delete");
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Changes))]
    public async Task A_change_that_is_cut_off_anywhere_is_whole_or_not_there_and_the_same_request_finishes_it(
        bool isCluster,
        string change
    )
    {
        // The first node asks for changes so seldom that the commands which are counted are those of the change.
        await using var fleet = await StartAsync(isCluster);
        var clock = Stopwatch.StartNew();
        foreach (var isAfter in new[] { false, true })
        {
            for (var number = 1; ; number++)
            {
                var tenant = $"{change}-{(isAfter ? "a" : "b")}-{number}";
                var token = await PrepareAsync(fleet, change, tenant);
                fleet.Links[0].Arm(number, isAfter);
                var (status, _) = await TryAsync(fleet, 0, change, tenant);
                var isCut = fleet.Links[0].Seen >= number;
                fleet.Links[0].Arm(0, afterIt: false);
                await AssertWholeOrNotThereAsync(fleet, change, tenant);
                await EndLeaseAsync(fleet, tenant);
                await FinishAsync(fleet, node: number % 2, change, tenant);
                await UntilStoreIsThereAsync(fleet, node: 0);
                await AssertDoneAsync(fleet, change, tenant, token);
                if (!isCut)
                {
                    Assert.True((int)status < 300, $"{status}");
                    Assert.True(number > 1, "Nothing was cut off.");
                    break;
                }

                AssertEnds(number, clock);
            }
        }
    }

    [Fact]
    public async Task Where_its_node_is_killed_a_delete_is_whole_or_not_there_and_the_same_request_finishes_it_elsewhere()
    {
        const string change = "delete";
        await using var fleet = await StartAsync(isCluster: false);
        var clock = Stopwatch.StartNew();
        for (var number = 1; ; number++)
        {
            var tenant = $"{change}-{number}";
            var token = await PrepareAsync(fleet, change, tenant);
            fleet.Links[0].Arm(number, afterIt: true, fleet.Nodes[0].Kill);
            await TryAsync(fleet, 0, change, tenant);
            if (fleet.Links[0].Seen < number)
            {
                fleet.Links[0].Arm(0, afterIt: false);
                Assert.True(number > 1, "Nobody was killed.");
                break;
            }

            // It may be a command that the node sends by itself, such as what it counted: then its reply, and with it the end, may be yet
            // to come.
            await fleet.Nodes[0].UntilGoneAsync();
            fleet.Links[0].Arm(0, afterIt: false);
            await AssertWholeOrNotThereAsync(fleet, change, tenant);

            // Once it is waited for as long as callers wait.
            if (number != 2)
            {
                await EndLeaseAsync(fleet, tenant);
            }

            await FinishAsync(fleet, node: 1, change, tenant);
            await fleet.Nodes[0].RestartAsync();
            await AssertDoneAsync(fleet, change, tenant, token);
            AssertEnds(number, clock);
        }
    }

    private static void AssertEnds(int number, Stopwatch clock)
    {
        Assert.True(number < MaxCommands, "It does not end.");
        Assert.True(clock.Elapsed < MaxTime, $"It was cut off {number} times in {clock.Elapsed}, and has not ended.");
    }

    // As if the time had passed for which a node that began to delete, and does not go on, keeps others from it.
    private static async Task EndLeaseAsync(ProcessFleet fleet, string tenant)
    {
        await using var connection = await ConnectionMultiplexer.ConnectAsync(fleet.Store);
        var (raw, metadata) = (connection.GetDatabase(), FleetKeyspace.Metadata(TenantId.Parse(tenant)));
        if (await raw.HashExistsAsync(metadata, "purger-until"))
        {
            await raw.HashSetAsync(metadata, "purger-until", 0);
        }
    }

    // A node that was cut off connects again by itself. Until then it shows what it knew before.
    private static Task UntilStoreIsThereAsync(ProcessFleet fleet, int node) =>
        Poll.UntilAsync(async () => (await fleet.Nodes[node].AdminAsync(HttpMethod.Get, "/nodes")).Status == HttpStatusCode.OK);

    private static async Task<ProcessFleet> StartAsync(bool isCluster)
    {
        var fleet = await ProcessFleet.StartAsync(2, isCluster, pollInterval: "00:01:00");

        // The scripts are known to the store, and are not sent anew in the middle.
        await PrepareAsync(fleet, "patch", "first");
        await fleet.AdminAsync(0, HttpMethod.Patch, "/tenants/first", """{"name":"A"}""");
        await fleet.AdminAsync(0, HttpMethod.Post, "/tenants/first/unregister");
        await fleet.AdminAsync(0, HttpMethod.Delete, "/tenants/first");
        return fleet;
    }

    private static async Task<string?> PrepareAsync(ProcessFleet fleet, string change, string tenant)
    {
        if (change == "create")
        {
            return null;
        }

        var token = await fleet.RegisterAsync(0, tenant);
        for (var node = 0; node < fleet.Nodes.Count; node++)
        {
            await fleet.UntilAsync(node, tenant, token, HttpStatusCode.OK);
        }

        return token;
    }

    private static (HttpMethod Method, string Path, string? Body) Request(string change, string tenant) =>
        change switch
        {
            "create" => (
                HttpMethod.Post,
                "/tenants",
                // With a token of the caller's choice: one that the server makes is shown once, and the same request cannot be known again.
                $$"""{"id":"{{tenant}}","urls":["https://{{tenant}}.example"],"principals":[{"name":"a","token":"{{TokenOf(tenant)}}"}]}"""
            ),
            "patch" => (
                HttpMethod.Patch,
                $"/tenants/{tenant}",
                """{"name":"Changed","urls":["https://changed.example"]}""".Replace("changed.", $"{tenant}.", StringComparison.Ordinal)
            ),
            "unregister" => (HttpMethod.Post, $"/tenants/{tenant}/unregister", null),
            _ => (HttpMethod.Delete, $"/tenants/{tenant}", null),
        };

    private static string TokenOf(string tenant) =>
        $"{tenant}.{Convert.ToHexString(SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(tenant)))}";

    private static async Task<(HttpStatusCode Status, JsonNode? Body)> TryAsync(ProcessFleet fleet, int node, string change, string tenant)
    {
        var (method, path, body) = Request(change, tenant);
        try
        {
            return await fleet.Nodes[node].AdminAsync(method, path, body);
        }
        catch (HttpRequestException)
        {
            return (0, null);
        }
    }

    private static async Task FinishAsync(ProcessFleet fleet, int node, string change, string tenant)
    {
        // The connection comes back by itself.
        HttpStatusCode[] done = change switch
        {
            "create" => [HttpStatusCode.Created, HttpStatusCode.OK],
            "patch" => [HttpStatusCode.OK],
            _ => [HttpStatusCode.OK, HttpStatusCode.NoContent, HttpStatusCode.NotFound],
        };
        await Poll.UntilAsync(async () =>
        {
            var (status, body) = await TryAsync(fleet, node, change, tenant);
            Assert.True(done.Contains(status) || status is HttpStatusCode.ServiceUnavailable, $"{status} {body}");
            return done.Contains(status);
        });
    }

    /// <summary>What one node shows the other shows, too, and it is the tenant before the change or after it.</summary>
    private static async Task AssertWholeOrNotThereAsync(ProcessFleet fleet, string change, string tenant)
    {
        for (var node = 0; node < fleet.Nodes.Count; node++)
        {
            if (!fleet.Nodes[node].IsRunning)
            {
                continue;
            }

            var shown = await ShowAsync(fleet, node, tenant);
            if (shown is not null && shown["deletion"] is null)
            {
                var (name, urls) = (shown["name"]?.ToString(), shown["urls"]!.AsArray().Count);
                Assert.Contains(
                    (name, urls),
                    change switch
                    {
                        "patch" => [(tenant, 0), ("Changed", 1)],
                        "create" => [(tenant, 1)],
                        _ => new (string?, int)[] { (tenant, 0) },
                    }
                );
                if (change == "create")
                {
                    var principals = await ShowAsync(fleet, node, $"{tenant}/principals");
                    Assert.Single(principals!["principals"]!.AsArray());
                }
            }
        }
    }

    private static async Task AssertDoneAsync(ProcessFleet fleet, string change, string tenant, string? token)
    {
        for (var node = 0; node < fleet.Nodes.Count; node++)
        {
            var shown = await ShowAsync(fleet, node, tenant);
            switch (change)
            {
                case "create":
                    Assert.Equal("active", shown!["status"]!.ToString());
                    await fleet.UntilAsync(node, tenant, TokenOf(tenant), HttpStatusCode.OK);
                    break;
                case "patch":
                    Assert.Equal("Changed", shown!["name"]!.ToString());
                    await fleet.UntilAsync(node, tenant, token!, HttpStatusCode.OK);
                    break;
                default:
                    Assert.Null(shown);
                    await fleet.UntilAsync(node, tenant, token!, HttpStatusCode.NotFound);
                    break;
            }
        }
    }

    // The connection to the store that was cut comes back by itself.
    private static async Task<JsonNode?> ShowAsync(ProcessFleet fleet, int node, string tenant)
    {
        JsonNode? shown = null;
        await Poll.UntilAsync(async () =>
        {
            var (status, body) = await fleet.Nodes[node].AdminAsync(HttpMethod.Get, $"/tenants/{tenant}");
            shown = status == HttpStatusCode.OK ? body : null;
            return status is HttpStatusCode.OK or HttpStatusCode.NotFound;
        });
        return shown;
    }
}
