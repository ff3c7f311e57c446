namespace Tenancy.Benchmarks.Load;

/// <summary>The tools that are called.</summary>
internal enum LoadTool
{
    /// <summary>A tool with two arguments and an answer of three numbers: what serving costs, without a job.</summary>
    Quote,

    /// <summary>A write of one document, beside its idempotency record.</summary>
    CreateMediaBuy,

    /// <summary>The tool that sellers are called for most, with an answer of some kilobytes.</summary>
    GetProducts,
}
