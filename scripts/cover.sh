#!/usr/bin/env bash
# Holds a coverage profile of all packages, such as "make cover" makes, against the
# floors below.
set -euo pipefail
cd "$(dirname "$0")/.."

# Percent of statements; "total" is the whole of internal/.
floors='total=85 model=90 plan=90 apply=90 flow=90 compiler=90 literal=90 source=90 lsp=85 scaffold=85 schemadoc=90 api=80 cli=70'

profile=${1:-coverage.out}

# Each test binary reports every block of every package, so a block stands in
# the profile many times: it is covered if one of them reached it.
awk -v floors="$floors" '
    NR > 1 {
        block = $1; statements[block] = $2
        if ($3 > 0) covered[block] = 1
    }
    END {
        for (block in statements) {
            split(block, part, "/internal/")
            name = part[2]; sub(/\/.*/, "", name)
            all[name] += statements[block]; all["total"] += statements[block]
            if (block in covered) { hit[name] += statements[block]; hit["total"] += statements[block] }
        }
        n = split(floors, floor, " ")
        for (i = 1; i <= n; i++) { split(floor[i], f, "="); minimum[f[1]] = f[2] }
        for (name in minimum) if (!(name in all)) all[name] = 0
        bad = 0
        for (name in all) {
            need = name in minimum ? minimum[name] " %" : "-"
            if (all[name] == 0) {
                printf "%-10s %8s  floor %-6s absent\n", name, "-", need | "sort"
                continue
            }
            percent = 100 * hit[name] / all[name]
            verdict = ""
            if (name in minimum && percent < minimum[name]) { verdict = "BELOW"; bad++ }
            printf "%-10s %6.1f %%  floor %-6s %s\n", name, percent, need, verdict | "sort"
        }
        close("sort")
        if (bad) print bad " below the floor"
        exit bad > 0
    }' "$profile"
