# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Adds up what passed, failed and was skipped, and says so in the last line of a test run.

passed=0
failed=0
skipped=0

# record NAME STATUS: one check that is not a gtest.
record() {
  if [[ $2 -eq 0 ]]; then
    passed=$((passed + 1))
    printf 'ok      %s\n' "$1"
  else
    failed=$((failed + 1))
    printf 'FAILED  %s\n' "$1"
  fi
}

# check NAME COMMAND...: the command is the check; its output is shown only if it fails.
check() {
  local name=$1 status=0
  shift
  quietly "$FW_TMP/check.log" "$@" || status=$?
  record "$name" "$status"
}

# slow_or_bad: of gtest's output, the tests that fail, are skipped or take over a second, with what
# a failing test said.
slow_or_bad() {
  awk '
    /^\[ RUN / {said = ""; next}
    /^\[       OK \]/ {
      ms = $0; sub(/.*\(/, "", ms); sub(/ ms\).*/, "", ms)
      if (ms + 0 >= 1000) print "        " $0
      said = ""; next
    }
    /^\[  (FAILED |SKIPPED) \] .*\(.* ms\)$/ {printf "%s%s\n", said, $0; said = ""; fflush(); next}
    {said = said $0 "\n"}
    {fflush()}
  '
}

# gtest NAME BINARY SECONDS: every test of the binary. A binary that dies or hangs counts as one
# failure, with the end of its output.
gtest() {
  local name=$1 binary=$2 limit=$3 report="$FW_TMP/$1.json" log="$FW_TMP/$1.log" status=0
  say "$name tests"
  rm -f "$report"
  timeout --kill-after=10 "$limit" "$binary" --gtest_color=no --gtest_output="json:$report" 2>&1 |
    tee "$log" | slow_or_bad || status=$?
  if [[ ! -s $report ]]; then
    tail -n 40 "$log"
    record "$name tests: $(basename "$binary") ended early (status $status)" 1
    return 0
  fi
  local all bad off skip
  read -r all bad off skip < <(jq -r '
    [.tests, .failures, .disabled,
     ([.testsuites[].testsuite[] | select(.result == "SKIPPED")] | length)] | @tsv' "$report")
  passed=$((passed + all - bad - off - skip))
  failed=$((failed + bad))
  skipped=$((skipped + off + skip))
  if [[ $status -ne 0 && $bad -eq 0 ]]; then
    tail -n 40 "$log"
    record "$name tests: $(basename "$binary") ended with status $status" 1
  fi
  printf '%-7s %s tests: %d passed, %d failed, %d skipped\n' \
    "$([[ $bad -eq 0 ]] && echo ok || echo FAILED)" "$name" $((all - bad - off - skip)) "$bad" \
    $((off + skip))
}
