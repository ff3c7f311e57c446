namespace Tenancy.Adcp;

/// <summary>Collects what is wrong with a request, so that a buyer can mend all of it at once.</summary>
public sealed class Mistakes
{
    private readonly List<AdcpException> _found = [];

    /// <summary>Adds mistakes.</summary>
    public void Add(params IEnumerable<AdcpException> mistakes) => _found.AddRange(mistakes);

    /// <summary>Takes a step that may be refused, and remembers the refusal.</summary>
    /// <returns>What the step gives; its type's default where it was refused.</returns>
    public T? Collect<T>(Func<T> step)
    {
        ArgumentNullException.ThrowIfNull(step);
        try
        {
            return step();
        }
        catch (AdcpException refusal)
        {
            _found.Add(refusal);
            return default;
        }
    }

    /// <summary>Takes a step that may be refused, and remembers the refusal.</summary>
    /// <returns>What the step gives; its type's default where it was refused.</returns>
    public async Task<T?> CollectAsync<T>(Func<Task<T>> step)
    {
        ArgumentNullException.ThrowIfNull(step);
        try
        {
            return await step();
        }
        catch (AdcpException refusal)
        {
            _found.Add(refusal);
            return default;
        }
    }

    /// <summary>Refuses the request where something was found.</summary>
    /// <exception cref="AdcpException">There are mistakes; the first one stands for all.</exception>
    public void Refuse()
    {
        if (_found.Count > 0)
        {
            throw new AdcpException(_found);
        }
    }
}
