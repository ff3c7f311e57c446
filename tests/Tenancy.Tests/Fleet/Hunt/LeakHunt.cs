using System.Diagnostics;
using System.Net;
using System.Text.Json.Nodes;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Fleet.Hunt;

/// <summary>
/// Three nodes, many tenants and callers who do all that callers do, admins who change tenants, and everything going wrong meanwhile. Each
/// answer is looked at: whether it is the caller's, whether what was acknowledged is there, once, and whether what an admin changed is
/// seen.
/// </summary>
internal sealed class LeakHunt(ProcessFleet fleet, TestIssuer issuer, int tenants, int workers, TextWriter output)
{
    private const int CallersOfTenant = 2;
    private const int AccountsOfCaller = 2;
    private const string Operator = "agency.example";

    // One of so many has users of an identity provider.
    private const int UsersEach = 10;

    /// <summary>Longer than the claim of a node that was killed is kept.</summary>
    private static readonly TimeSpan ClaimTime = TimeSpan.FromSeconds(90);

    private static readonly TimeSpan SeenTime = TimeSpan.FromSeconds(15);

    /// <summary>How long a node that says that something is away is waited for.</summary>
    private static readonly TimeSpan OutageTime = TimeSpan.FromMinutes(2);

    /// <summary>How long the workers, the admin and the troubles may take to stop.</summary>
    private static readonly TimeSpan EndTime = TimeSpan.FromMinutes(5);

    private readonly HuntFindings _findings = new();
    private readonly HuntedTenant[] _tenants = [.. Enumerable.Range(0, tenants).Select(number => new HuntedTenant(number))];
    private readonly CancellationTokenSource _enough = new();
    private readonly HuntTroubles _troubles = new(fleet, issuer);
    private readonly List<HuntedAccount> _all = [];

    public async Task<HuntFindings> RunAsync(TimeSpan time)
    {
        await Parallel.ForEachAsync(_tenants, new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (tenant, _) =>
            await RegisterAsync(tenant)
        );
        await output.WriteLineAsync($"{tenants} tenants are registered.");
        var clock = Stopwatch.StartNew();
        var work = Enumerable.Range(0, workers).Select(worker => Task.Run(() => WorkAsync(new Random(worker)))).ToArray();
        var admin = Task.Run(() => AdministerAsync(new Random(1000)));
        var troubles = Task.Run(() => _troubles.RunAsync(_findings, output, _enough.Token));
        while (clock.Elapsed < time)
        {
            await Task.Delay(TimeSpan.FromSeconds(Math.Min(30, Math.Max(1, (time - clock.Elapsed).TotalSeconds))));
            await output.WriteLineAsync($"{clock.Elapsed:hh\\:mm\\:ss} {_findings}");
        }

        await _enough.CancelAsync();
        if (await HasEndedAsync(work, admin, troubles))
        {
            await CheckNodesAsync();
            await CheckWritesAsync();
        }

        await output.WriteLineAsync($"{clock.Elapsed:hh\\:mm\\:ss} {_findings}");
        return _findings;
    }

    private async Task<bool> HasEndedAsync(Task[] work, Task admin, Task troubles)
    {
        Task[] all = [.. work, admin, troubles];
        try
        {
            await Task.WhenAll(all).WaitAsync(EndTime);
            return true;
        }
        catch (TimeoutException)
        {
            // Nothing can be checked while they go on. They are left to the end of the process.
            _findings.Find(
                HuntFindings.Stuck,
                $"Within {EndTime} {work.Count(worker => !worker.IsCompleted)} workers did not end"
                    + $" (has ended: admin {admin.IsCompleted}, troubles {troubles.IsCompleted})."
            );
            return false;
        }
    }

    private static int Any(Random random, int count) => random.Next(count);

    private HuntClient Client => field ??= new(fleet, _findings);

    // The admin's side.

    private async Task RegisterAsync(HuntedTenant tenant)
    {
        tenant.Life++;
        var hasUsers = tenant.Number % UsersEach == UsersEach - 1;
        var audience = $"https://{tenant.Id}.hunt.example";
        object? authentication = hasUsers
            ? new
            {
                kind = "jwks",
                issuer = issuer.Url,
                audiences = new[] { audience },
            }
            : null;
        var answer = await InsistAsync(
            HttpMethod.Post,
            "/tenants",
            new
            {
                id = tenant.Id,
                platform = "publisher",
                settings = new { domain = tenant.Domain },
                limits = new
                {
                    rateLimit = 6_000_000,
                    idempotencyInserts = 1000,
                    maxIdempotencyRecords = 1_000_000,
                },
                principals = hasUsers ? null : Enumerable.Range(0, CallersOfTenant).Select(i => new { name = $"c{i}" }),
                authentication,
            },
            // Where the answer was lost, the same request is answered without the tokens, which are shown once: then they are issued anew.
            HttpStatusCode.Created,
            HttpStatusCode.OK
        );
        var principals = hasUsers ? null : await PrincipalsAsync(tenant, answer);
        tenant.Callers =
        [
            .. Enumerable
                .Range(0, CallersOfTenant)
                .Select(i => new HuntedCaller(
                    tenant,
                    i,
                    principals?[i].Id,
                    principals is { } all ? () => all[i].Token : () => issuer.Mint(audience, claims => claims["sub"] = $"u{i}")
                )
                {
                    Identity = principals is { } one ? $"principal:{one[i].Id}" : $"user:{issuer.Url}|u{i}",
                    Accounts =
                    [
                        .. Enumerable.Range(0, AccountsOfCaller).Select(number => new HuntedAccount(tenant, tenant.Life, i, number)),
                    ],
                }),
        ];
        var isSeen = await Task.WhenAll(Enumerable.Range(0, 3).Select(node => SeenAsync(node, tenant, tenant.Callers[0], 200)));
        if (isSeen.Contains(false))
        {
            throw new HuntTimeoutException($"{tenant.Id} is registered, and not all nodes serve it:\n{_findings}");
        }

        lock (_all)
        {
            _all.AddRange(tenant.Callers.SelectMany(caller => caller.Accounts));
        }

        tenant.IsThere = true;
    }

    private async Task<(string Id, string Token)[]> PrincipalsAsync(HuntedTenant tenant, JsonNode answer)
    {
        if (answer["principals"]?.AsArray() is { Count: CallersOfTenant } shown && shown.All(principal => principal!["token"] is not null))
        {
            return [.. shown.Select(principal => (principal!["id"]!.ToString(), principal["token"]!.ToString()))];
        }

        var listed = await InsistAsync(HttpMethod.Get, $"/tenants/{tenant.Id}/principals", null, HttpStatusCode.OK);
        var found = new List<(string, string)>();
        foreach (var principal in listed["principals"]!.AsArray())
        {
            var id = principal!["id"]!.ToString();
            var rotated = await InsistAsync(
                HttpMethod.Post,
                $"/tenants/{tenant.Id}/principals/{id}/rotate",
                null,
                HttpStatusCode.OK,
                HttpStatusCode.Created
            );
            found.Add((id, rotated["token"]!.ToString()));
        }

        return [.. found];
    }

    private async Task AdministerAsync(Random random)
    {
        while (!_enough.IsCancellationRequested)
        {
            var tenant = _tenants[Any(random, _tenants.Length)];
            try
            {
                using (await tenant.ChangeAsync())
                {
                    await (
                        Any(random, 5) switch
                        {
                            0 => SuspendAsync(tenant),
                            1 => RenameAsync(tenant),
                            2 when tenant.Callers[0].PrincipalId is not null => RevokeAsync(tenant),
                            3 => ReplaceAsync(tenant),
                            _ => RenameAsync(tenant),
                        }
                    );
                }
            }
            catch (HuntTimeoutException exception)
            {
                _findings.Find(HuntFindings.Stuck, exception.Message);
                return;
            }
        }
    }

    private async Task SuspendAsync(HuntedTenant tenant)
    {
        await InsistAsync(HttpMethod.Patch, $"/tenants/{tenant.Id}", new { status = "suspended" }, HttpStatusCode.OK);
        await AllSeeAsync(tenant, tenant.Callers[1], 404);
        await InsistAsync(HttpMethod.Patch, $"/tenants/{tenant.Id}", new { status = "active" }, HttpStatusCode.OK);
        await AllSeeAsync(tenant, tenant.Callers[1], 200);
    }

    private async Task RenameAsync(HuntedTenant tenant)
    {
        var name = Guid.NewGuid().ToString("N");
        await InsistAsync(HttpMethod.Patch, $"/tenants/{tenant.Id}", new { name }, HttpStatusCode.OK);
        var shown = await InsistAsync(HttpMethod.Get, $"/tenants/{tenant.Id}", null, HttpStatusCode.OK);
        if (shown["name"]!.ToString() != name)
        {
            _findings.Find(HuntFindings.Lost, $"{tenant.Id} is named {shown["name"]}, and not {name}");
        }
    }

    private async Task RevokeAsync(HuntedTenant tenant)
    {
        var gone = tenant.Callers[0];
        await InsistAsync(
            HttpMethod.Delete,
            $"/tenants/{tenant.Id}/principals/{gone.PrincipalId}",
            null,
            HttpStatusCode.NoContent,
            HttpStatusCode.NotFound
        );
        await AllSeeAsync(tenant, gone, 401);
        var made = await InsistAsync(HttpMethod.Post, $"/tenants/{tenant.Id}/principals", new { name = "c0" }, HttpStatusCode.Created);
        var (id, token) = (made["id"]!.ToString(), made["token"]!.ToString());
        tenant.Callers =
        [
            new(tenant, 0, id, () => token)
            {
                // It is another caller, although it has the same name: it has none of the buys.
                Identity = $"principal:{id}",
                Accounts = [.. Enumerable.Range(0, AccountsOfCaller).Select(number => new HuntedAccount(tenant, tenant.Life, 0, number))],
            },
            tenant.Callers[1],
        ];
        lock (_all)
        {
            _all.AddRange(tenant.Callers[0].Accounts);
        }
    }

    /// <summary>Deletes a tenant, and gives its id to somebody else.</summary>
    private async Task ReplaceAsync(HuntedTenant tenant)
    {
        var before = tenant.Callers;
        tenant.IsThere = false;
        await InsistAsync(HttpMethod.Delete, $"/tenants/{tenant.Id}", null, HttpStatusCode.NoContent, HttpStatusCode.NotFound);
        await AllSeeAsync(tenant, before[1], 404);
        lock (_all)
        {
            _all.RemoveAll(account => before.Any(caller => caller.Accounts.Contains(account)));
        }

        await RegisterAsync(tenant);
        if (before[0].PrincipalId is not null)
        {
            await AllSeeAsync(tenant, before[1], 401);
        }
    }

    private Task<bool[]> AllSeeAsync(HuntedTenant tenant, HuntedCaller caller, int status) =>
        Task.WhenAll(Enumerable.Range(0, 3).Select(node => SeenAsync(node, tenant, caller, status)));

    /// <summary>Waits until a node answers as it should. The time counts while nothing is wrong with it.</summary>
    /// <param name="node">The node.</param>
    /// <param name="tenant">The tenant that it is asked for.</param>
    /// <param name="caller">Who asks.</param>
    /// <param name="status">What it should answer.</param>
    /// <param name="clock">Since when its outages count, where that is not now.</param>
    /// <returns>False where it does not, which is a finding then.</returns>
    private async Task<bool> SeenAsync(int node, HuntedTenant tenant, HuntedCaller caller, int status, Stopwatch? clock = null)
    {
        var (since, all) = (Stopwatch.StartNew(), clock ?? Stopwatch.StartNew());
        while (true)
        {
            var (answered, body, _) = await Client.CallAsync(node, caller, "whoami");
            if (answered == status)
            {
                return true;
            }

            if (!_troubles.MayTrouble(node) && !fleet.Nodes[node].IsRunning)
            {
                _findings.Find(
                    HuntFindings.Stuck,
                    $"node {node} has ended by itself:\n{string.Join('\n', fleet.Nodes[node].Log.TakeLast(20))}"
                );
                return false;
            }

            if (_troubles.MayTrouble(node) || HuntClient.IsOutage(answered) && all.Elapsed < OutageTime)
            {
                since.Restart();
            }

            if (since.Elapsed > SeenTime)
            {
                _findings.Find(HuntFindings.Unseen, $"node {node} answers {answered} for {tenant.Id}, and not {status}: {body}");
                return false;
            }

            await Task.Delay(20);
        }
    }

    /// <summary>Sends an admin's request until it is answered.</summary>
    private async Task<JsonNode> InsistAsync(HttpMethod method, string path, object? body, params HttpStatusCode[] done)
    {
        for (var clock = Stopwatch.StartNew(); ; )
        {
            var node = Random.Shared.Next(3);
            try
            {
                var (status, answer) = await fleet.Nodes[node].AdminAsync(method, path, body);
                _findings.Count("admin", (int)status);
                if (done.Contains(status))
                {
                    return answer ?? new JsonObject();
                }

                // A purge goes on, a validation waits for the identity provider, a change was faster; else it is odd.
                if (status is not (HttpStatusCode.ServiceUnavailable or HttpStatusCode.Conflict or HttpStatusCode.TooManyRequests))
                {
                    _findings.Find(HuntFindings.Odd, $"{method} {path} at node {node}: {(int)status} {answer}");
                }
            }
            catch (Exception exception) when (exception is HttpRequestException or OperationCanceledException or IOException)
            {
                _findings.Count("admin", 0);
            }

            if (clock.Elapsed > TimeSpan.FromMinutes(3))
            {
                throw new HuntTimeoutException($"{method} {path} was not answered within three minutes.");
            }

            await Task.Delay(100);
        }
    }

    // The callers' side.

    private async Task WorkAsync(Random random)
    {
        while (!_enough.IsCancellationRequested)
        {
            var tenant = _tenants[Any(random, _tenants.Length)];
            if (!tenant.TryEnter())
            {
                continue;
            }

            try
            {
                var caller = tenant.Callers[Any(random, tenant.Callers.Length)];
                await (
                    Any(random, 100) switch
                    {
                        < 50 => WhoAmIAsync(random, caller),
                        < 60 => ProductsAsync(random, caller),
                        < 70 => BuyAsync(random, caller),
                        < 82 => ReadAsync(random, caller),
                        < 92 => SessionAsync(random, caller),
                        < 95 => AskAsync(random, caller),
                        < 96 => IntrudeAsync(random, caller),
                        _ => WhoAmIAsync(random, caller),
                    }
                );
            }
            finally
            {
                tenant.Leave();
            }
        }
    }

    private async Task WhoAmIAsync(Random random, HuntedCaller caller)
    {
        var generation = Any(random, 2) == 0 ? Generation.Stateless : Generation.Sessions;
        var (status, body, _) = await Client.CallAsync(Any(random, 3), caller, "whoami", null, null, generation);
        CheckIdentity(caller, status, body);
    }

    private void CheckIdentity(HuntedCaller caller, int status, string body)
    {
        if (status == 200 && !body.Contains($"{caller.Tenant.Id}|{caller.Identity}|", StringComparison.Ordinal))
        {
            _findings.Find(HuntFindings.Foreign, $"{caller.Tenant.Id} {caller.Identity}: {body}");
        }

        CheckStatus(caller, status, body);
    }

    private void CheckStatus(HuntedCaller caller, int status, string body)
    {
        // All callers here have one address, so that bad tokens of some can keep good ones out that were not shown lately.
        if (status is not (200 or 429) && !HuntClient.IsOutage(status))
        {
            _findings.Find(HuntFindings.Odd, $"{caller.Tenant.Id} {caller.Identity}: {status} {body}");
        }
    }

    private async Task ProductsAsync(Random random, HuntedCaller caller)
    {
        var (status, body, _) = await Client.CallAsync(Any(random, 3), caller, "get_products", new() { ["brief"] = "any" });
        if (status == 200 && !body.Contains(caller.Tenant.Domain, StringComparison.Ordinal))
        {
            _findings.Find(HuntFindings.Foreign, $"{caller.Tenant.Domain}: {body}");
        }

        CheckStatus(caller, status, body);
    }

    private async Task BuyAsync(Random random, HuntedCaller caller)
    {
        var account = caller.Accounts[Any(random, caller.Accounts.Length)];
        if (!account.IsOpen && !await OpenAsync(random, caller, account))
        {
            return;
        }

        var budget = account.Budget();
        var buy = McpCalls.CreateBuy(budget);
        buy["account"] = Reference(account);
        buy["packages"]![0]!["product_id"] = "homepage_display";
        buy["packages"]![0]!["pricing_option_id"] = "cpm_usd";
        if (await CompleteAsync(random, caller, "create_media_buy", buy) is { } made)
        {
            account.Bought[budget] = made["media_buy_id"]!.ToString();
            if ((decimal)made["packages"]![0]!["budget"]! != budget)
            {
                _findings.Find(HuntFindings.Foreign, $"{budget}: {made}");
            }

            // The same request again is the same buy.
            if (Any(random, 4) == 0 && await CompleteAsync(random, caller, "create_media_buy", buy) is { } again)
            {
                if (again["media_buy_id"]!.ToString() != account.Bought[budget])
                {
                    _findings.Find(HuntFindings.Double, $"{made} and {again}");
                }
            }
        }
    }

    private async Task<bool> OpenAsync(Random random, HuntedCaller caller, HuntedAccount account)
    {
        var request = new JsonObject
        {
            ["idempotency_key"] = Guid.NewGuid().ToString("N"),
            ["accounts"] = new JsonArray(
                new JsonObject
                {
                    ["brand"] = new JsonObject { ["domain"] = account.Brand },
                    ["operator"] = Operator,
                    ["billing"] = "operator",
                }
            ),
        };
        return account.IsOpen = await CompleteAsync(random, caller, "sync_accounts", request) is not null;
    }

    private static JsonObject Reference(HuntedAccount account) =>
        new()
        {
            ["brand"] = new JsonObject { ["domain"] = account.Brand },
            ["operator"] = Operator,
        };

    /// <summary>Sends a keyed request until it is answered, to any node; a node that was killed keeps its claim for a while.</summary>
    private async Task<JsonNode?> CompleteAsync(Random random, HuntedCaller caller, string tool, JsonObject arguments)
    {
        for (var clock = Stopwatch.StartNew(); ; )
        {
            var (status, body, _) = await Client.CallAsync(Any(random, 3), caller, tool, (JsonObject)arguments.DeepClone());
            if (status == 200 && HuntClient.Read(body) is { } answer)
            {
                return answer;
            }

            var isInFlight =
                status == 200
                && (
                    body.Contains("IDEMPOTENCY_IN_FLIGHT", StringComparison.Ordinal)
                    || body.Contains("SERVICE_UNAVAILABLE", StringComparison.Ordinal)
                    || body.Contains("CONFLICT", StringComparison.Ordinal)
                );
            if (!isInFlight && status != 429 && !HuntClient.IsOutage(status))
            {
                _findings.Find(HuntFindings.Odd, $"{tool} of {caller.Tenant.Id}: {status} {body}");
                return null;
            }

            if (clock.Elapsed > ClaimTime && !_troubles.AreGoingOn)
            {
                _findings.Find(HuntFindings.Stuck, $"{tool} of {caller.Tenant.Id} was not answered within {ClaimTime}: {status} {body}");
                return null;
            }

            if (_enough.IsCancellationRequested && clock.Elapsed > ClaimTime)
            {
                return null;
            }

            await Task.Delay(isInFlight ? 500 : 50);
        }
    }

    private async Task ReadAsync(Random random, HuntedCaller caller)
    {
        var account = caller.Accounts[Any(random, caller.Accounts.Length)];
        var known = account.Bought.ToArray();
        if (known.Length == 0)
        {
            return;
        }

        random.Shuffle(known);
        var wanted = known.Take(10).ToArray();
        var (status, body, _) = await Client.CallAsync(
            Any(random, 3),
            caller,
            "get_media_buys",
            new()
            {
                ["account"] = Reference(account),
                ["media_buy_ids"] = new JsonArray([.. wanted.Select(buy => JsonValue.Create(buy.Value))]),
            }
        );
        if (status == 200 && HuntClient.Read(body) is { } answer)
        {
            var shown = answer["media_buys"]!.AsArray();
            CheckBuys(account, shown);
            foreach (var (budget, id) in wanted)
            {
                if (shown.All(buy => buy!["media_buy_id"]!.ToString() != id))
                {
                    _findings.Find(HuntFindings.Lost, $"{id} of {caller.Tenant.Id}, {budget}: {body}");
                }
            }
        }
        else if (status != 200 || !body.Contains("SERVICE_UNAVAILABLE", StringComparison.Ordinal))
        {
            CheckStatus(caller, status == 200 ? -1 : status, body);
        }
    }

    private void CheckBuys(HuntedAccount account, JsonArray shown)
    {
        foreach (var buy in shown)
        {
            if (!account.IsMine((decimal)buy!["total_budget"]!))
            {
                _findings.Find(HuntFindings.Foreign, buy.ToJsonString());
            }
        }
    }

    private async Task SessionAsync(Random random, HuntedCaller caller)
    {
        if (!caller.Sessions.TryDequeue(out var session))
        {
            (_, _, var begun) = await Client.SendAsync(
                Any(random, 3),
                "initialize",
                HuntClient.Request(caller.Tenant.Id, caller.Token(), McpCalls.Initialize())
            );
            if (begun is null)
            {
                return;
            }

            session = begun;
        }

        var (status, body, _) = await Client.CallAsync(Any(random, 3), caller, "whoami", null, session);
        CheckIdentity(caller, status, body);

        // Another caller of the same tenant, and another tenant's, do not find it.
        var other = Any(random, 2) == 0 ? caller.Tenant.Callers[1 - caller.Number] : Stranger(random, caller);
        (status, body, _) = await Client.SendAsync(
            Any(random, 3),
            "foreign session",
            HuntClient.Request(other.Tenant.Id, other.Token(), McpCalls.Call("whoami"), session)
        );
        if (status == 200)
        {
            _findings.Find(HuntFindings.Foreign, $"The session of {caller.Tenant.Id} {caller.Identity} serves {other.Tenant.Id}: {body}");
        }

        if (Any(random, 10) > 0)
        {
            caller.Sessions.Enqueue(session);
            return;
        }

        var ending = new HttpRequestMessage(HttpMethod.Delete, $"http://{NodeProcess.Host}/{caller.Tenant.Id}/mcp");
        ending.Headers.Add("Mcp-Session-Id", session);
        ending.Headers.TryAddWithoutValidation("Authorization", "Bearer " + caller.Token());
        (status, _, _) = await Client.SendAsync(Any(random, 3), "end session", ending);
        if (status is 200 or 204)
        {
            // At the node that ended it at once, at the others within the second for which they believe that it is there.
            await Task.Delay(1500);
            (status, body, _) = await Client.CallAsync(Any(random, 3), caller, "whoami", null, session);
            if (status == 200 && !_troubles.AreGoingOn)
            {
                _findings.Find(HuntFindings.Unseen, $"A session of {caller.Tenant.Id} that was ended goes on: {body}");
            }
        }
    }

    private HuntedCaller Stranger(Random random, HuntedCaller caller)
    {
        while (true)
        {
            var other = _tenants[Any(random, _tenants.Length)];
            if (other.Id != caller.Tenant.Id && other.Callers.Length > 0)
            {
                return other.Callers[Any(random, other.Callers.Length)];
            }
        }
    }

    /// <summary>A tool that asks its caller: asked at one node, answered at another.</summary>
    private async Task AskAsync(Random random, HuntedCaller caller)
    {
        var (asks, answers, nonce) = (Any(random, 3), Any(random, 3), Guid.NewGuid().ToString("N"));
        var initialize = JsonNode.Parse(McpCalls.Initialize())!;
        initialize["params"]!["capabilities"]!["elicitation"] = new JsonObject();
        var (_, _, session) = await Client.SendAsync(
            asks,
            "initialize",
            HuntClient.Request(caller.Tenant.Id, caller.Token(), initialize.ToJsonString())
        );
        if (session is null)
        {
            return;
        }

        try
        {
            using var enough = new CancellationTokenSource(TimeSpan.FromSeconds(10));
            using var request = NodeProcess.Post(
                caller.Tenant.Id,
                caller.Token(),
                McpCalls.Call("ask", new() { ["question"] = nonce }),
                session
            );
            using var response = await fleet.Nodes[asks].Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, enough.Token);
            using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(enough.Token));
            while (await reader.ReadLineAsync(enough.Token) is { } line)
            {
                if (!line.StartsWith("data:", StringComparison.Ordinal))
                {
                    continue;
                }

                var message = JsonNode.Parse(line["data:".Length..])!;
                if (message["method"] is not null)
                {
                    if (message["params"]!["message"]!.ToString() != nonce)
                    {
                        _findings.Find(HuntFindings.Foreign, $"{nonce}: {line}");
                    }

                    var answer = new JsonObject
                    {
                        ["jsonrpc"] = "2.0",
                        ["id"] = message["id"]!.DeepClone(),
                        ["result"] = new JsonObject
                        {
                            ["action"] = "accept",
                            ["content"] = new JsonObject { ["name"] = nonce },
                        },
                    };
                    await Client.SendAsync(
                        answers,
                        "answer",
                        HuntClient.Request(caller.Tenant.Id, caller.Token(), answer.ToJsonString(), session)
                    );
                }
                else
                {
                    _findings.Count("ask", (int)response.StatusCode);
                    if (
                        message["result"] is not null
                        && !line.Contains($"{caller.Tenant.Id}|{caller.Identity}|accept {nonce}", StringComparison.Ordinal)
                    )
                    {
                        _findings.Find(HuntFindings.Foreign, $"{nonce}: {line}");
                    }

                    return;
                }
            }
        }
        catch (Exception exception) when (exception is HttpRequestException or OperationCanceledException or IOException)
        {
            // The node that asked is gone, or nobody could pass the answer on.
            _findings.Count("ask", 0);
        }
    }

    /// <summary>Tries the token of one tenant at another.</summary>
    private async Task IntrudeAsync(Random random, HuntedCaller caller)
    {
        var stranger = Stranger(random, caller);
        var (status, body, _) = await Client.SendAsync(
            Any(random, 3),
            "foreign token",
            HuntClient.Request(caller.Tenant.Id, stranger.Token(), McpCalls.Call("whoami"))
        );
        if (status is not (401 or 429) && !HuntClient.IsOutage(status))
        {
            _findings.Find(HuntFindings.Foreign, $"{stranger.Tenant.Id} at {caller.Tenant.Id}: {status} {body}");
        }
    }

    // At the end.

    private async Task CheckNodesAsync()
    {
        for (var node = 0; node < 3; node++)
        {
            // A node that is broken is broken for all tenants: the first one that it does not serve says so.
            var clock = Stopwatch.StartNew();
            foreach (var tenant in _tenants.Where(tenant => tenant.IsThere))
            {
                if (!await SeenAsync(node, tenant, tenant.Callers[1], 200, clock))
                {
                    break;
                }

                if (clock.Elapsed > OutageTime)
                {
                    _findings.Find(HuntFindings.Stuck, $"node {node} has not answered for all tenants within {OutageTime}.");
                    break;
                }
            }
        }
    }

    private async Task CheckWritesAsync()
    {
        foreach (var caller in _tenants.Where(tenant => tenant.IsThere).SelectMany(tenant => tenant.Callers))
        {
            foreach (var account in caller.Accounts.Where(account => account.IsOpen))
            {
                if (!await CheckWritesAsync(caller, account))
                {
                    return;
                }
            }
        }
    }

    /// <returns>False where the node does not say what there is: then it is not asked for the other accounts, either.</returns>
    private async Task<bool> CheckWritesAsync(HuntedCaller caller, HuntedAccount account)
    {
        // Twice the pages of the buys that were answered, and some: others may have been made, but not so many.
        var pages = 10 + (account.Bought.Count / 50);
        var seen = new List<(string Id, decimal Budget)>();
        string? cursor = null;
        do
        {
            if (pages-- == 0)
            {
                _findings.Find(HuntFindings.Odd, $"The buys of {caller.Tenant.Id} do not end: {seen.Count}, the cursor is {cursor}");
                return false;
            }

            var arguments = new JsonObject
            {
                ["account"] = Reference(account),
                ["status_filter"] = new JsonArray("pending_creatives", "pending_start", "active"),
                ["pagination"] = cursor is null
                    ? new JsonObject { ["max_results"] = 100 }
                    : new JsonObject { ["max_results"] = 100, ["cursor"] = cursor },
            };
            var (status, body, _) = await Client.CallAsync(0, caller, "get_media_buys", arguments);
            if (status != 200 || HuntClient.Read(body) is not { } page)
            {
                _findings.Find(HuntFindings.Odd, $"{status} {body}");
                return false;
            }

            var shown = page["media_buys"]!.AsArray();
            CheckBuys(account, shown);
            seen.AddRange(shown.Select(buy => (buy!["media_buy_id"]!.ToString(), (decimal)buy["total_budget"]!)));
            cursor = (bool?)page["pagination"]?["has_more"] is true ? page["pagination"]!["cursor"]!.ToString() : null;
        } while (cursor is not null);

        foreach (var twice in seen.CountBy(buy => buy.Budget).Where(buys => buys.Value > 1))
        {
            _findings.Find(HuntFindings.Double, $"{caller.Tenant.Id} has {twice.Value} buys of {twice.Key}");
        }

        foreach (var (budget, id) in account.Bought)
        {
            if (!seen.Contains((id, budget)))
            {
                _findings.Find(HuntFindings.Lost, $"{caller.Tenant.Id} has no {id} of {budget}");
            }
        }

        return true;
    }
}

/// <summary>Something was not answered for so long that the hunt cannot go on with it.</summary>
internal sealed class HuntTimeoutException(string message) : Exception(message);
