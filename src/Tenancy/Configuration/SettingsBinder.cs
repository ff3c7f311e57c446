using Microsoft.Extensions.Options;

namespace Tenancy.Configuration;

/// <summary>The section of the configuration from which a class of settings is read.</summary>
internal sealed record SettingsSection(Type Type, string Path);

/// <summary>Reads a class of settings, and stops the start where a setting has a mistake.</summary>
internal sealed class SettingsBinder<TOptions>(TenancyConfiguration configuration, IEnumerable<SettingsSection> sections)
    : IConfigureOptions<TOptions>,
        IValidateOptions<TOptions>
    where TOptions : class, new()
{
    private readonly string _section = sections.First(section => section.Type == typeof(TOptions)).Path;

    public void Configure(TOptions options) => Read(options);

    // The options do not show which settings could not be read. So the section is read a second time to find the mistakes, and nothing has
    // to be kept between the two calls.
    public ValidateOptionsResult Validate(string? name, TOptions options)
    {
        string[] mistakes = [.. Read(new()), .. SettingsBounds.Check(options, _section)];
        return mistakes.Length > 0 ? ValidateOptionsResult.Fail(mistakes) : ValidateOptionsResult.Success;
    }

    private IReadOnlyList<string> Read(TOptions options)
    {
        var reader = new SettingsReader(configuration, [.. sections.Select(section => section.Path)]);
        reader.Read(options, _section);
        return reader.Mistakes;
    }
}
