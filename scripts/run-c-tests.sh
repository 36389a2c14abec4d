#!/bin/sh
# Runs C test programs one after the other; all of them, even when one fails. Each ends by printing
# "<name>: N passed, N failed"; for one that dies before that, the line is printed here.
#   run-c-tests.sh [--prefix "setarch x86_64 -R"] program...
set -u

prefix=
if [ "${1:-}" = --prefix ]; then
  prefix=$2
  shift 2
fi
export ASAN_OPTIONS="detect_leaks=1:abort_on_error=0:${ASAN_OPTIONS:-}"
export UBSAN_OPTIONS="print_stacktrace=1:${UBSAN_OPTIONS:-}"
export TSAN_OPTIONS="halt_on_error=0:exitcode=66:second_deadlock_stack=1:${TSAN_OPTIONS:-}"

failed=0
for program in "$@"; do
  case $program in
    */tsan-*) echo "-- $(basename "$program") ($(basename "$(dirname "$program")"))" ;;
  esac
  # shellcheck disable=SC2086  # the prefix is words
  $prefix timeout 120 "$program" </dev/null >"$program.log" 2>&1
  code=$?
  cat "$program.log"
  summary=$(tail -n 50 "$program.log" | grep -E '^[^ ]+: [0-9]+ passed, [0-9]+ failed$' | tail -n 1)
  case $summary in
    '') echo "$(basename "$program"): 0 passed, 1 failed" && echo "  (ended with $code and no summary)" ;;
    *', 0 failed') # all checks held, yet the program may say no: a leak, a race, undefined behaviour
      test $code -eq 0 || echo "$(basename "$program")-exit-code-$code: 0 passed, 1 failed" ;;
  esac
  test $code -eq 0 || failed=1
done
exit $failed
