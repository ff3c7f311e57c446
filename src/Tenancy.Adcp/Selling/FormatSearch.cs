namespace Tenancy.Adcp;

/// <summary>Chooses creative formats as <c>list_creative_formats</c> asks: those that fit all filters.</summary>
public static class FormatSearch
{
    /// <summary>Says whether a format fits a request.</summary>
    public static bool Fits(CreativeFormat format, ListCreativeFormatsRequest request)
    {
        ArgumentNullException.ThrowIfNull(format);
        ArgumentNullException.ThrowIfNull(request);
        return request.FormatIds?.Any(format.FormatId.IsSameAs) is not false
            && (request.NameSearch is null || format.Name.Contains(request.NameSearch, StringComparison.OrdinalIgnoreCase))
            && request.AssetTypes?.Any(type => format.Assets?.Any(asset => asset.AssetType == type) is true) is not false
            && FitsMeasures(format, request)
            && (request.IsResponsive is not { } wanted || IsResponsive(format) == wanted)
            && (request.WcagLevel is not { } level || format.Accessibility?.WcagLevel?.Length >= level.Length)
            && request.DisclosurePositions?.All(position => Discloses(format, at => at.Position == position)) is not false
            && request.DisclosurePersistence?.All(time => Discloses(format, at => at.Persistence.Contains(time))) is not false
            && request.OutputFormatIds?.Any(id => format.OutputFormatIds?.Any(id.IsSameAs) is true) is not false
            && request.InputFormatIds?.Any(id => format.InputFormatIds?.Any(id.IsSameAs) is true) is not false;
    }

    // One part has to fit all measures. A part that fits itself to its place has a least and a most.
    private static bool FitsMeasures(CreativeFormat format, ListCreativeFormatsRequest request) =>
        request is { MinWidth: null, MaxWidth: null, MinHeight: null, MaxHeight: null }
        || format.Renders?.Any(render =>
            Fits(render.Dimensions.Width, render.Dimensions.MinWidth, render.Dimensions.MaxWidth, request.MinWidth, request.MaxWidth)
            && Fits(
                render.Dimensions.Height,
                render.Dimensions.MinHeight,
                render.Dimensions.MaxHeight,
                request.MinHeight,
                request.MaxHeight
            )
        )
            is true;

    private static bool Fits(decimal? size, decimal? least, decimal? most, int? min, int? max) =>
        (min is null && max is null)
        || (
            (size ?? most ?? least) is not null
            && (min is null || (size ?? most ?? decimal.MaxValue) >= min)
            && (max is null || (size ?? least ?? 0) <= max)
        );

    private static bool IsResponsive(CreativeFormat format) =>
        format.Renders?.Any(render => render.Dimensions.Responsive is { } both && (both.Width || both.Height)) is true;

    private static bool Discloses(CreativeFormat format, Func<DisclosureCapability, bool> fits) =>
        format.DisclosureCapabilities?.Any(fits) is true;
}
