#!/usr/bin/env bash
# ModelContextProtocol.AspNetCore 2.4.0 on .NET 10: what becomes of a member that stands twice in a message.
#
# RFC 8259 (section 4) leaves a repeated name to the reader. One would guess that a server has one rule for it. This one has three:
#   at the top of the message   the last one counts, and the call is answered
#   among the arguments         the last one counts, and the call is answered
#   in "params"                 clients before 2026-07-28 get a JSON-RPC error (-32603, HTTP 200); since 2026-07-28 it is
#                               HTTP 500 without a body
# Whoever checks a message before the SDK reads it has to refuse repeated names, or may check another value than the one that counts.
#
# It needs the .NET SDK and curl. It fails where the behaviour is another one.
set -euo pipefail
work=$(mktemp -d)
trap 'kill %1 2>/dev/null || true; rm -rf "$work"' EXIT
cd "$work"

cat >repeated.csproj <<'PROJECT'
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
builder.Services.AddMcpServer().WithHttpTransport(options => options.Stateless = true)
    .WithTools([McpServerTool.Create((string message) => "echo: " + message, new() { Name = "echo" })]);
var app = builder.Build();
app.MapMcp("/mcp");
app.Lifetime.ApplicationStarted.Register(() => File.WriteAllText("address", app.Urls.First()));
app.Run("http://127.0.0.1:0");
PROGRAM

dotnet build -v q -o out >build.log 2>&1 || { cat build.log; exit 1; }
dotnet out/repeated.dll >server.log 2>&1 &
for _ in $(seq 100); do [ -s address ] && break; sleep 0.1; done
url="$(cat address)/mcp"

failed=0
expect() { # NAME PROTOCOL_VERSION BODY EXPECTED_STATUS EXPECTED_TEXT
  local status
  status=$(curl -s -o answer -w '%{http_code}' "$url" -H 'Content-Type: application/json' -H 'Accept: application/json, text/event-stream' \
    -H "MCP-Protocol-Version: $2" -H 'Mcp-Method: tools/call' -H 'Mcp-Name: echo' -d "$3")
  echo "$1 ($2): HTTP $status $(tr -d '\n' <answer | cut -c1-150)"
  if [ "$status" != "$4" ] || ! grep -q -- "$5" answer && [ -n "$5" ]; then
    echo "  expected HTTP $4 with '$5'"
    failed=1
  fi
}

meta='"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}'
call() { printf '{"jsonrpc":"2.0","id":1,%s"method":"tools/call","params":{%s}}' "$1" "$2"; }

expect 'at the top' 2025-11-25 "$(call '"method":"tools/list",' '"name":"echo","arguments":{"message":"a"}')" 200 'echo: a'
expect 'among the arguments' 2025-11-25 "$(call '' '"name":"echo","arguments":{"message":"a","message":"b"}')" 200 'echo: b'
expect 'in params' 2025-11-25 "$(call '' '"name":"echo","name":"echo","arguments":{"message":"a"}')" 200 '"code":-32603'
expect 'among the arguments' 2026-07-28 \
  "$(call '' "\"name\":\"echo\",\"arguments\":{\"message\":\"a\",\"message\":\"b\"},$meta")" 200 'echo: b'
expect 'in params' 2026-07-28 "$(call '' "\"name\":\"echo\",\"name\":\"echo\",\"arguments\":{\"message\":\"a\"},$meta")" 500 ''
[ "$(wc -c <answer)" -eq 0 ] || { echo "  expected no body"; failed=1; }
exit $failed
