#!/usr/bin/env bash
# ModelContextProtocol.AspNetCore 2.4.0 on .NET 10: a client that asks at initialize for a revision that the server does not know.
#
# The lifecycle of MCP 2025-11-25 says that a server answers with another revision that it has, so that the two can agree. It does so for
# one that is earlier than all it knows. For a later one, such as a client of next year's asks for, it answers an error (-32022), and so for
# 2026-07-28, which it speaks without initialize: such a client has to guess that it may ask for an earlier one.
#
# It needs the .NET SDK and curl. It fails where the behaviour is another one.
set -euo pipefail
work=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$work"' EXIT
cd "$work"

cat >revision.csproj <<'PROJECT'
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
using ModelContextProtocol.AspNetCore;

var builder = WebApplication.CreateBuilder(args);
builder.Logging.ClearProviders();
builder.Services.AddMcpServer().WithHttpTransport(options => options.SessionMode = HttpServerSessionMode.StatefulForInitializeClients);
var app = builder.Build();
app.MapMcp("/mcp");
app.Lifetime.ApplicationStarted.Register(() => File.WriteAllText("address", app.Urls.First()));
app.Run("http://127.0.0.1:0");
PROGRAM

dotnet build -v q -o out >build.log 2>&1 || { cat build.log; exit 1; }
dotnet out/revision.dll >server.log 2>&1 &
for _ in $(seq 100); do [ -s address ] && break; sleep 0.1; done

initialize() { # REVISION
  curl -s "$(cat address)/mcp" -H 'Content-Type: application/json' -H 'Accept: application/json, text/event-stream' \
    -d '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"'"$1"'","capabilities":{},"clientInfo":
      {"name":"curl","version":"1"}}}' |
    sed -n 's/^data: //p'
}
failed=0
expect() { # REVISION EXPECTED
  local answer
  answer=$(initialize "$1")
  echo "$1: $answer"
  grep -q -- "$2" <<<"$answer" || { echo "  expected $2"; failed=1; }
}
expect 2024-10-07 '"protocolVersion":"2025-11-25"'
expect 2025-11-25 '"protocolVersion":"2025-11-25"'
expect 2026-07-28 '"code":-32022'
expect 2027-06-01 '"code":-32022'
exit $failed
