#!/bin/sh
# Installs package-lock.json's packages, once for each lock; without Node one line says so. Nothing fails without them.
set -u
cd "$(dirname "$0")/.."
installed=node_modules/.locked
cmp -s package-lock.json "$installed" && exit 0
if ! command -v npm >/dev/null 2>&1; then
    echo "Node is missing (install Node 20 or newer): no HTML report and no advisors of Supabase; everything else works without it"
    exit 0
fi
if npm ci --no-audit --no-fund --loglevel=error >/dev/null 2>&1; then
    cp package-lock.json "$installed"
else
    echo "npm could not install the locked packages: no HTML report and no advisors of Supabase; everything else works without them"
fi
