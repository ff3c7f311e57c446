#!/usr/bin/env bash
# Microsoft.TemplateEngine.Cli in .NET SDK 10.0: a JSON file of a template with a line that stands in a comment until a condition holds.
#
# In JSON, lines below "////#if (X)" begin with "//", so that the template's own file is JSON as it stands; where X holds they are taken
# over without that. One would guess that the "//" at the beginning of the line is meant. Every "//" of the line is taken out: the value
# "http://localhost/mcp" becomes "http:localhost/mcp", which is JSON, too, and no URL that a client can call. Below "//#if (X)", which has
# nothing to take out, the line stays whole.
#
# It needs the .NET SDK. It fails where the behaviour is another one.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
mkdir -p template/.template.config
cat >template/.template.config/template.json <<'TEMPLATE'
{
  "$schema": "http://json.schemastore.org/template",
  "author": "somebody",
  "identity": "Somebody.Urls",
  "name": "Urls",
  "shortName": "urls",
  "sourceName": "Urls",
  "tags": { "type": "item" },
  "symbols": { "wanted": { "type": "parameter", "datatype": "bool", "defaultValue": "true" } }
}
TEMPLATE
cat >template/settings.json <<'SETTINGS'
{
  ////#if (wanted)
  //"commented": "http://localhost/mcp",
  ////#endif
  //#if (wanted)
  "plain": "http://localhost/mcp"
  //#endif
}
SETTINGS

hive=(--debug:custom-hive "$work/hive")
dotnet new install template "${hive[@]}" >install.log 2>&1 || { cat install.log; exit 1; }
dotnet new urls -o made --no-update-check "${hive[@]}" >new.log 2>&1 || { cat new.log; exit 1; }
echo "SDK $(dotnet --version)"
cat made/settings.json
failed=0
grep -q '"commented": "http:localhost/mcp"' made/settings.json || { echo "  expected http:localhost/mcp of the commented line"; failed=1; }
grep -q '"plain": "http://localhost/mcp"' made/settings.json || { echo "  expected http://localhost/mcp of the plain line"; failed=1; }
exit $failed
