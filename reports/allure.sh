#!/bin/sh
# Makes reports/out/allure-report from the last run's results; without Node one line says so and nothing fails.
set -u
results=reports/out/allure-results
[ -d "$results" ] || exit 0
if ! command -v npm >/dev/null 2>&1; then
    echo "no HTML report: Node is missing (install Node 20 or newer); everything else is in reports/out"
    exit 0
fi
if [ ! -x node_modules/.bin/allure ]; then
    npm ci --no-audit --no-fund --loglevel=error >/dev/null 2>&1 || {
        echo "no HTML report: npm could not install allure; everything else is in reports/out"
        exit 0
    }
fi
rm -rf reports/out/allure-report
if node_modules/.bin/allure generate "$results" --config reports/allurerc.mjs --output reports/out/allure-report >reports/out/allure.log 2>&1; then
    rm -f reports/out/allure.log
    echo "HTML       reports/out/allure-report/index.html"
else
    echo "no HTML report: see reports/out/allure.log"
fi
