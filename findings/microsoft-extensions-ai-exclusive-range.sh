#!/usr/bin/env bash
# Microsoft.Extensions.AI.Abstractions 10.11.0 on .NET 10: [Range(0, 10, MinimumIsExclusive = true)], "more than 0", in a JSON schema.
#
# One would guess "exclusiveMinimum": 0, as 1 gives "exclusiveMinimum": 1. An exclusive lower bound of 0 is left out: the schema has no
# lower bound at all, and whoever lists and checks by it takes -5 for an amount. An inclusive 0 and an exclusive upper bound of 0 are there.
#
# It needs the .NET SDK. It fails where the behaviour is another one.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

cat >range.csproj <<'PROJECT'
<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup>
    <OutputType>Exe</OutputType>
    <TargetFramework>net10.0</TargetFramework>
    <ImplicitUsings>enable</ImplicitUsings>
  </PropertyGroup>
  <ItemGroup>
    <PackageReference Include="Microsoft.Extensions.AI.Abstractions" Version="[10.11.0]" />
  </ItemGroup>
</Project>
PROJECT

cat >Program.cs <<'PROGRAM'
using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.AI;

Show("more than 0", ([Range(0, 10, MinimumIsExclusive = true)] int x) => x);
Show("more than 1", ([Range(1, 10, MinimumIsExclusive = true)] int x) => x);
Show("0 at least", ([Range(0, 10)] int x) => x);
Show("less than 0", ([Range(-10, 0, MaximumIsExclusive = true)] int x) => x);

static void Show(string name, Delegate method) =>
    Console.WriteLine($"{name}: {AIFunctionFactory.Create(method).JsonSchema.GetProperty("properties").GetProperty("x").GetRawText()}");
PROGRAM

dotnet build -v q -o out >build.log 2>&1 || { cat build.log; exit 1; }
dotnet out/range.dll | tee seen
failed=0
expect() { # NAME TEXT
  grep "^$1:" seen | grep -qF -- "$2" || { echo "expected of $1: $2"; failed=1; }
}
expect 'more than 0' '"maximum":10'
! grep '^more than 0:' seen | grep -qi minimum || { echo 'expected of more than 0: no lower bound'; failed=1; }
expect 'more than 1' '"exclusiveMinimum":1'
expect '0 at least' '"minimum":0'
expect 'less than 0' '"exclusiveMaximum":0'
exit $failed
