#!/usr/bin/env bash
# ModelContextProtocol 2.4.0 on .NET 10: a tool with a parameter of type IEnumerable<string>.
#
# One would guess an argument that is a list, as string[], List<string> and IReadOnlyList<string> give one. To the container of
# Microsoft.Extensions.DependencyInjection every IEnumerable<T> is a service, if only an empty one, and the SDK asks it first: the schema
# has no such argument, what a client sends for it is dropped without an error, and the method gets an empty sequence. Where the tool is
# made without services, the same method has the argument.
#
# It needs the .NET SDK. It fails where the behaviour is another one.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

cat >sequence.csproj <<'PROJECT'
<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup>
    <OutputType>Exe</OutputType>
    <TargetFramework>net10.0</TargetFramework>
    <ImplicitUsings>enable</ImplicitUsings>
    <Nullable>enable</Nullable>
  </PropertyGroup>
  <ItemGroup>
    <PackageReference Include="ModelContextProtocol" Version="[2.4.0]" />
    <PackageReference Include="Microsoft.Extensions.DependencyInjection" Version="[10.0.9]" />
  </ItemGroup>
</Project>
PROJECT

cat >Program.cs <<'PROGRAM'
using System.IO.Pipelines;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;

var (toServer, toClient) = (new Pipe(), new Pipe());
await using var services = new ServiceCollection().BuildServiceProvider();
string Count(IEnumerable<string> tags) => $"{tags.Count()} tags";
var tools = new McpServerPrimitiveCollection<McpServerTool>
{
    McpServerTool.Create(Count, new() { Name = "with_services", Services = services }),
    McpServerTool.Create(Count, new() { Name = "without_services" }),
};
await using var server = McpServer.Create(
    new StreamServerTransport(toServer.Reader.AsStream(), toClient.Writer.AsStream()),
    new() { ToolCollection = tools },
    serviceProvider: services
);
_ = server.RunAsync();
await using var client = await McpClient.CreateAsync(
    new StreamClientTransport(toServer.Writer.AsStream(), toClient.Reader.AsStream())
);
foreach (var tool in await client.ListToolsAsync())
{
    var result = await client.CallToolAsync(tool.Name, new Dictionary<string, object?> { ["tags"] = new[] { "a", "b" } });
    var text = result.Content.OfType<TextContentBlock>().Single().Text;
    Console.WriteLine($"{tool.Name}: {JsonSerializer.Serialize(tool.JsonSchema)} -> {(result.IsError is true ? "error: " : "")}{text}");
}
PROGRAM

dotnet build -v q -o out >build.log 2>&1 || { cat build.log; exit 1; }
dotnet out/sequence.dll | tee seen
failed=0
expect() { # TOOL TEXT
  grep "^$1:" seen | grep -qF -- "$2" || { echo "expected of $1: $2"; failed=1; }
}
expect with_services '"properties":{}'
expect with_services '-> 0 tags'
expect without_services '"tags":{"type":"array","items":{"type":"string"}}'
expect without_services '-> 2 tags'
exit $failed
