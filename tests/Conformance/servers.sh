# Sourced by the scripts that let a checker loose on servers: what they write goes to one folder, and nothing of it outlives the script.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repository=$(cd "$here/../.." && pwd)
work=$(mktemp -d)
processes=()

finish() {
  [ ${#processes[@]} -eq 0 ] || kill "${processes[@]}" 2>/dev/null || true
  wait
  rm -rf "$work"
}
trap finish EXIT

export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 MSBUILDDISABLENODEREUSE=1 DOTNET_CLI_USE_MSBUILD_SERVER=0 UseSharedCompilation=false
export ADMIN_KEY=conformance-admin-key

install_checkers() { install_from "$here"; }

# Installs what a folder's package-lock.json says.
install_from() {
  command -v node >/dev/null && command -v npm >/dev/null || { echo "node and npm are not installed: install Node 20 or later."; exit 1; }
  [ "$1/node_modules/.package-lock.json" -nt "$1/package-lock.json" ] ||
    (cd "$1" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error)
}

# publish_scaffold [HANDLERS...] makes a server from the template, with more files of handlers, and publishes it to $work/app.
publish_scaffold() {
  dotnet new install "$repository" --debug:custom-hive "$work/hive" >/dev/null
  (
    cd "$work"
    dotnet new adcp-tenant-server -n Checked --no-restore --no-update-check --debug:custom-hive "$work/hive" >/dev/null
    [ $# -eq 0 ] || cp "$@" Checked/src/Checked/Handlers
    dotnet publish Checked/src/Checked -c Release -p:RunAnalyzers=false -o app -v q
  )
}

# start NAME FOLDER ASSEMBLY [VARIABLE=VALUE...] sets url and process once the server is ready.
start() {
  local log="$work/$1.log" folder=$2 assembly=$3
  shift 3
  : >"$log"
  (
    cd "$folder"
    # The embedded store's socket goes when the folder goes.
    exec env TMPDIR="$work" ASPNETCORE_ENVIRONMENT=Development ASPNETCORE_URLS=http://127.0.0.1:0 TENANT_ADMIN_API_KEY="$ADMIN_KEY" \
      "$@" dotnet "$assembly" >"$log" 2>&1
  ) &
  process=$!
  processes+=("$process")
  for _ in $(seq 1 300); do
    url=$(sed -n 's/.*Now listening on: \(http[^ ]*\).*/\1/p' "$log" | tail -n 1)
    [ -n "$url" ] && curl -sf "$url/health/ready" >/dev/null && return
    kill -0 "$process" 2>/dev/null || break
    sleep 0.2
  done
  cat "$log"
  echo "The server did not start."
  exit 1
}

stop() {
  kill "$1"
  wait "$1" || true
}

free_port() {
  node -e 'const server = require("net").createServer().listen(0, "127.0.0.1", () => {
    console.log(server.address().port); server.close(); })'
}

# Sets redis to what a server needs to know of a Redis of this script's own.
start_redis() {
  command -v redis-server >/dev/null || { echo "redis-server is not installed: apt-get install redis-server"; exit 1; }
  local port
  port=$(free_port)
  redis-server --bind 127.0.0.1 --port "$port" --dir "$work" --save '' --appendonly yes --maxmemory-policy noeviction >"$work/redis.log" &
  processes+=($!)
  redis="ConnectionStrings__Redis=127.0.0.1:$port"
}

# What the servers say went wrong.
show_errors() { grep -h -A 3 -E '^(fail|crit)' "$work"/*.log | tail -n 40; }
