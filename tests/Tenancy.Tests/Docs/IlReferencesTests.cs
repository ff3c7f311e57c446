using Mono.Cecil;
using Tenancy.Tests.Docs.IlReferenceSamples;

namespace Tenancy.Tests.Docs;

/// <summary>The reader on which the graph of the rooms rests misses no kind of use.</summary>
public sealed class IlReferencesTests
{
    private static readonly AssemblyDefinition Here = IlReferences.Read(typeof(IlReferencesTests).Assembly);

    [Theory]
    [InlineData(nameof(InBase), nameof(Used))]
    [InlineData(nameof(InInterface), nameof(IUsed))]
    [InlineData(nameof(InField), nameof(Used))]
    [InlineData(nameof(InGenericArgument), nameof(Used))]
    [InlineData(nameof(InParameter), nameof(Used))]
    [InlineData("InConstraint`1", nameof(IUsed))]
    [InlineData(nameof(InAttribute), nameof(UsedAttribute))]
    [InlineData(nameof(InAttributeArgument), nameof(Used))]
    [InlineData(nameof(InBody), nameof(Used))]
    [InlineData(nameof(InProperty), nameof(Used))]
    [InlineData(nameof(InTypeOf), nameof(Used))]
    [InlineData(nameof(InMethodArgument), nameof(Used))]
    [InlineData(nameof(InCatch), nameof(UsedException))]
    [InlineData(nameof(InLambda), nameof(Used))]
    [InlineData(nameof(InAsync), nameof(Used))]
    [InlineData(nameof(InIterator), nameof(Used))]
    [InlineData(nameof(InNested), nameof(Used))]
    public void A_use_is_seen_wherever_it_stands(string type, string used)
    {
        var found = IlReferences
            .Of(Here.MainModule.GetType($"{typeof(Used).Namespace}.{type}"))
            .Where(reference => reference.Namespace == typeof(Used).Namespace)
            .Select(reference => reference.Name)
            .ToArray();
        Assert.Contains(used, found);
        Assert.DoesNotContain(nameof(Unused), found);
    }
}
