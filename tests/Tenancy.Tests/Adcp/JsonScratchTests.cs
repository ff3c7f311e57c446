using System.Text;
using System.Text.Json;
using Tenancy.Adcp;

namespace Tenancy.Tests.Adcp;

/// <summary>A buffer that is used again has nothing in it of whoever had it before, or has it meanwhile.</summary>
public sealed class JsonScratchTests
{
    [Fact]
    public void Who_rents_one_within_another_gets_another()
    {
        for (var round = 0; round < 3; round++)
        {
            using var outer = JsonScratch.Rent();
            outer.Writer.WriteStartArray();
            outer.Writer.WriteStringValue("outer");
            using (var inner = JsonScratch.Rent())
            {
                Assert.NotSame(outer, inner);
                using (var innermost = JsonScratch.Rent())
                {
                    Write(innermost, "innermost");
                    Assert.Equal("\"innermost\"", Text(innermost));
                }

                Write(inner, "inner");
                Assert.Equal("\"inner\"", Text(inner));
            }

            outer.Writer.WriteEndArray();
            outer.Writer.Flush();
            Assert.Equal("[\"outer\"]", Text(outer));
        }
    }

    [Fact]
    public void What_broke_off_leaves_nothing_to_the_next()
    {
        JsonScratch first;
        using (first = JsonScratch.Rent())
        {
            first.Writer.WriteStartObject();
            first.Writer.WriteStartArray("half");
        }

        using var next = JsonScratch.Rent();
        Assert.Same(first, next);
        Write(next, "x");
        Assert.Equal("\"x\"", Text(next));
    }

    [Fact]
    public void One_that_became_large_is_not_kept()
    {
        JsonScratch large;
        using (large = JsonScratch.Rent())
        {
            Write(large, new('x', 100_000));
        }

        using var next = JsonScratch.Rent();
        Assert.NotSame(large, next);
    }

    [Fact]
    public async Task Each_thread_has_its_own()
    {
        using var start = new Barrier(4);
        await Task.WhenAll(
            Enumerable
                .Range(0, 4)
                .Select(thread =>
                    Task.Factory.StartNew(
                        () =>
                        {
                            start.SignalAndWait(TestContext.Current.CancellationToken);
                            for (var i = 0; i < 10_000; i++)
                            {
                                using var scratch = JsonScratch.Rent();
                                Write(scratch, $"{thread} {i}");
                                Assert.Equal($"\"{thread} {i}\"", Text(scratch));
                            }
                        },
                        TestContext.Current.CancellationToken,
                        TaskCreationOptions.LongRunning,
                        TaskScheduler.Default
                    )
                )
        );
    }

    private static void Write(JsonScratch scratch, string text)
    {
        JsonSerializer.Serialize(scratch.Writer, text);
        scratch.Writer.Flush();
    }

    private static string Text(JsonScratch scratch) => Encoding.UTF8.GetString(scratch.Written);
}
