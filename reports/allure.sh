#!/bin/sh
# Makes reports/out/allure-report from the last run's results; without Node one line says so and nothing fails.
set -u
results=reports/out/allure-results
[ -d "$results" ] || exit 0
sh requirements/node.sh
[ -x node_modules/.bin/allure ] || exit 0
rm -rf reports/out/allure-report
if node_modules/.bin/allure generate "$results" --config reports/allurerc.mjs --output reports/out/allure-report >reports/out/allure.log 2>&1; then
    rm -f reports/out/allure.log
    echo "HTML       reports/out/allure-report/index.html"
else
    echo "no HTML report: see reports/out/allure.log"
fi
