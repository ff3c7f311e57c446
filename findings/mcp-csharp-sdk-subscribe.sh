#!/usr/bin/env bash
# ModelContextProtocol.AspNetCore 2.4.0 on .NET 10: subscribing to a resource at a server that has no handler for subscriptions.
#
# The server declares resources without "subscribe" at initialize, so that one would guess "method not found" (-32601) for
# resources/subscribe, as it gives for resources/list where there are no resources. It answers {} instead, as a success, also for a URI that
# it does not have: a client that subscribes waits for ever for updates.
#
# It needs the .NET SDK and curl. It fails where the behaviour is another one.
set -euo pipefail
work=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$work"' EXIT
cd "$work"

cat >subscribe.csproj <<'PROJECT'
<Project Sdk="Microsoft.NET.Sdk.Web">
  <PropertyGroup>
    <TargetFramework>net10.0</TargetFramework>
    <ImplicitUsings>enable</ImplicitUsings>
  </PropertyGroup>
  <ItemGroup>
    <PackageReference Include="ModelContextProtocol.AspNetCore" Version="[2.4.0]" />
  </ItemGroup>
</Project>
PROJECT

cat >Program.cs <<'PROGRAM'
using ModelContextProtocol.Server;

var builder = WebApplication.CreateBuilder(args);
builder.Logging.ClearProviders();
var mcp = builder.Services.AddMcpServer().WithHttpTransport(options => options.Stateless = true);
if (args is ["with"])
{
    mcp.WithResources([McpServerResource.Create(() => "full", new() { UriTemplate = "shop://shelf", Name = "shelf" })]);
}

var app = builder.Build();
app.MapMcp("/mcp");
app.Lifetime.ApplicationStarted.Register(() => File.WriteAllText("address", app.Urls.First()));
app.Run("http://127.0.0.1:0");
PROGRAM

dotnet build -v q -o out >build.log 2>&1 || { cat build.log; exit 1; }

post() { # METHOD PARAMS
  curl -s "$(cat address)/mcp" -H 'Content-Type: application/json' -H 'Accept: application/json, text/event-stream' \
    -H 'MCP-Protocol-Version: 2025-11-25' -d "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"$1\",\"params\":$2}" | sed -n 's/^data: //p'
}
start() { # ARGUMENT
  rm -f address
  dotnet out/subscribe.dll "$1" >server.log 2>&1 &
  for _ in $(seq 100); do [ -s address ] && break; sleep 0.1; done
}
failed=0
expect() { # NAME TEXT EXPECTED
  echo "$1: $2"
  grep -q -- "$3" <<<"$2" || { echo "  expected $3"; failed=1; }
}

start without
expect 'without resources, resources/list' "$(post resources/list '{}')" '"code":-32601'
kill %1
start with
declared=$(post initialize '{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"curl","version":"1"}}')
expect 'with resources, initialize' "$declared" '"resources":{'
! grep -q '"subscribe":true' <<<"$declared" || { echo '  expected no "subscribe":true'; failed=1; }
expect 'resources/subscribe' "$(post resources/subscribe '{"uri":"shop://shelf"}')" '"result":{}'
expect 'resources/subscribe of nothing' "$(post resources/subscribe '{"uri":"shop://nothing"}')" '"result":{}'
exit $failed
