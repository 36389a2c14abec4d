#!/bin/sh
# Can this machine run ThreadSanitizer? Writes the words to put before a program into $OUT/tsan-prefix
# (nothing, or setarch -R, which switches address randomisation off). Ends with 0: yes; 3: no, and said so;
# 1: no, and CI demands it.
set -u

CC=${CC:-cc}
OUT=${OUT:-build/c}
mkdir -p "$OUT"

cat >"$OUT/tsan-probe.c" <<'PROBE'
#include <pthread.h>
static int shared;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static void *add(void *arg) {
  pthread_mutex_lock(&lock);
  shared++;
  pthread_mutex_unlock(&lock);
  return arg;
}
int main(void) {
  pthread_t thread;
  if (pthread_create(&thread, 0, add, 0)) return 2;
  add(0);
  pthread_join(thread, 0);
  return shared == 2 ? 0 : 3;
}
PROBE

refuse() {
  echo "io tests: not run: $1"
  if [ "${CI:-}" = true ]; then exit 1; fi
  exit 3
}

$CC -g -fsanitize=thread -pthread -o "$OUT/tsan-probe" "$OUT/tsan-probe.c" 2>"$OUT/tsan-probe.log" ||
  refuse "$CC cannot build with -fsanitize=thread: $(head -n 1 "$OUT/tsan-probe.log")"

for prefix in '' "setarch $(uname -m) -R"; do
  if $prefix "$OUT/tsan-probe" >"$OUT/tsan-probe.log" 2>&1; then
    echo "$prefix" >"$OUT/tsan-prefix"
    if [ -n "$prefix" ]; then echo "io tests: TSan runs here with '$prefix'"; fi
    exit 0
  fi
done
refuse "this kernel cannot run ThreadSanitizer ($(grep -m 1 . "$OUT/tsan-probe.log")); lower vm.mmap_rnd_bits to 28"
