#!/usr/bin/env bash
# Runs all tests and sums them up: the servers they ran on, then `N passed, N failed` as the last line.
# The exit code is cargo's.
set -euo pipefail
cd "$(dirname "$0")/.."

log=$(mktemp)
trap 'rm -f "$log"' EXIT

# The whole workspace is built before the first test runs, the services' binaries with it.
export TEST_KIT_TRUSTS_BINARIES=1

status=0
# --no-fail-fast, so that the sum is that of all tests. tee keeps the output visible as it comes.
cargo test --workspace --locked --no-fail-fast "$@" 2>&1 | tee "$log" || status=$?

echo
{ grep -ao 'test-kit: ran on .*' "$log" || true; } | sort -u
# A test binary that crashed has no result line, so it is named here and not in the sum.
if [ "$status" -ne 0 ]; then echo "cargo test ended with exit code $status"; fi
awk '/^test result:/ { passed += $4; failed += $6 } END { printf "%d passed, %d failed\n", passed, failed }' "$log"
exit "$status"
