using Tenancy.Configuration;
using Tenancy.State;

namespace Tenancy.Tests.State;

/// <summary>That a session is its caller's is believed for a second, and not a moment longer than it is known to be true.</summary>
public sealed class TouchedSessionsTests
{
    private static readonly TenantId Acme = TenantId.Parse("acme");
    private static readonly SessionUse Mine = new("id", new("epoch", "me"));
    private static readonly TimeSpan Now = TimeSpan.FromHours(1);

    private readonly TouchedSessions _sessions = new();

    [Fact]
    public void It_is_believed_for_this_caller_in_this_tenant_and_epoch_and_for_a_second_at_most()
    {
        Add();
        Assert.True(_sessions.IsOwn(Acme, Mine, Now + TimeSpan.FromMilliseconds(800)));
        Assert.False(_sessions.IsOwn(Acme, Mine, Now + TimeSpan.FromSeconds(1)));
        Assert.False(_sessions.IsOwn(TenantId.Parse("globex"), Mine, Now));
        Assert.False(_sessions.IsOwn(Acme, Mine with { Id = "other" }, Now));
        Assert.False(_sessions.IsOwn(Acme, Mine with { Owner = new("epoch", "you") }, Now));
        Assert.False(_sessions.IsOwn(Acme, Mine with { Owner = new("next", "me") }, Now));
    }

    [Fact]
    public void One_that_ends_is_forgotten_at_once_by_its_id_and_by_its_handle()
    {
        Add();
        _sessions.End(Acme, "id");
        Assert.False(_sessions.IsOwn(Acme, Mine, Now));
        Add();
        _sessions.EndByHandle(TenantId.Parse("globex"), "handle");
        Assert.True(_sessions.IsOwn(Acme, Mine, Now));
        _sessions.EndByHandle(Acme, "handle");
        Assert.False(_sessions.IsOwn(Acme, Mine, Now));
    }

    [Fact]
    public void An_answer_that_was_on_its_way_when_a_session_ended_is_not_kept()
    {
        var ends = _sessions.Ends;
        _sessions.End(Acme, "id");
        _sessions.Add(Acme, Mine, "handle", Now, ends);
        Assert.False(_sessions.IsOwn(Acme, Mine, Now));
    }

    [Fact]
    public void Those_that_nobody_uses_do_not_pile_up()
    {
        for (var i = 0; i < 50_000; i++)
        {
            _sessions.Add(Acme, Mine with { Id = $"{i}" }, "handle", Now + TimeSpan.FromMilliseconds(i), _sessions.Ends);
        }

        Assert.InRange(_sessions.Count, 1, 10_000);
    }

    private void Add() => _sessions.Add(Acme, Mine, "handle", Now, _sessions.Ends);
}
