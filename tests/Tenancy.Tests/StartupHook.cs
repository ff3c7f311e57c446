using System.Diagnostics;
using Tenancy.Tests.Hosting;

/// <summary>
/// What .NET calls before the program of a node begins (DOTNET_STARTUP_HOOKS): the server is the published scaffold, and gets the tools
/// that tests call.
/// </summary>
#pragma warning disable CA1050, S3903 // .NET looks for this name, without a namespace.
internal static class StartupHook
#pragma warning restore CA1050, S3903
{
    public static void Initialize() => DiagnosticListener.AllListeners.Subscribe(new NodeTools.Adder());
}
