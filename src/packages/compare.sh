#!/usr/bin/env bash
# What a user of the packages would find gone or changed since a commit: bash src/packages/compare.sh COMMIT
# Packs that commit and this working tree, and lets the SDK's package validation compare their public API. It ends with 0 only where
# everything that was public still is. No package is published yet, so that a commit stands for one.
set -euo pipefail
repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
commit=$(git -C "$repository" rev-parse --verify "${1:?which commit?}^{commit}")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export MSBUILDDISABLENODEREUSE=1 DOTNET_CLI_USE_MSBUILD_SERVER=0

mkdir "$folder/old"
git -C "$repository" archive "$commit" | tar -x -C "$folder/old"
libraries=(Tenancy Tenancy.Adcp Tenancy.Embedded Tenancy.Testing)
for library in "${libraries[@]}"; do
  [ -d "$folder/old/src/$library" ] || { echo "$library is not in $1."; continue; }
  echo "== $library of $1"
  dotnet pack "$folder/old/src/$library" -o "$folder/baseline" -v q -p:Version=0.0.0-baseline -p:EnablePackageValidation=false \
    -p:UseSharedCompilation=false
done

status=0
for library in "${libraries[@]}"; do
  [ -e "$folder/baseline/$library.0.0.0-baseline.nupkg" ] || continue
  echo "== $library since $1"
  dotnet pack "$repository/src/$library" -o "$folder/packages" -v q -p:BaselineFolder="$folder/baseline" \
    -p:ArtifactsPath="$folder/artifacts" -p:UseSharedCompilation=false || status=1
done
exit $status
