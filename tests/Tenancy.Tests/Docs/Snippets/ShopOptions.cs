using System.ComponentModel.DataAnnotations;

namespace Tenancy.Tests.Docs.Snippets;

internal sealed class ShopOptions
{
    [Range(1, 24)]
    public int OpenHours { get; set; } = 8;

    public IReadOnlyList<string> Holidays { get; set; } = [];
}
