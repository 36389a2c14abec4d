#include "check.h"

#include <stdio.h>
#include <string.h>

#include "mem_fail.h"

#define MOST_LINES 20 /* for each test: the first failures tell, the rest is noise */

static const char *running = "?";
static unsigned failures, passed, failed;

static bool fail(const char *what, const char *file, int line) {
  if (failures++ >= MOST_LINES) return false;
  printf("  FAIL %s (%s:%d): %s", running, file, line, what);
  return true;
}

bool check_true(bool holds, const char *what, const char *file, int line) {
  if (!holds && fail(what, file, line)) printf("\n");
  return holds;
}

bool check_eq(uint64_t got, uint64_t want, const char *what, const char *file, int line) {
  if (got == want) return true;
  if (fail(what, file, line)) printf(": %lld, not %lld\n", (long long)got, (long long)want);
  return false;
}

static void print_bytes(const char *name, const unsigned char *bytes, size_t size, size_t from) {
  printf("    %s, %zu bytes, from %zu: \"", name, size, from);
  for (size_t i = from; i < size && i < from + 60; i++)
    if (bytes[i] >= ' ' && bytes[i] < 127 && bytes[i] != '\\') putchar(bytes[i]);
    else printf("\\x%02x", bytes[i]);
  printf("\"\n");
}

bool check_bytes(const void *got, size_t got_size, const void *want, size_t want_size,
                 const char *what, const char *file, int line) {
  if (got_size == want_size && (!got_size || memcmp(got, want, got_size) == 0)) return true;
  if (!fail(what, file, line)) return false;
  const unsigned char *a = got, *b = want;
  size_t same = 0;
  while (same < got_size && same < want_size && a[same] == b[same]) same++;
  printf("\n");
  print_bytes("got ", a, got_size, same > 20 ? same - 20 : 0);
  print_bytes("want", b, want_size, same > 20 ? same - 20 : 0);
  return false;
}

bool check_failing(void) { return failures > 0; }

void check_run(const char *name, void (*test)(void)) {
  setvbuf(stdout, NULL, _IOLBF, BUFSIZ); /* what failed is seen even if the program dies later */
  running = name;
  failures = 0;
  mem_fail_install();
  test();
  CHECK_EQ(mem_fail_live(), 0);
  mem_fail_remove();
  if (failures) failed++;
  else passed++;
}

int check_done(const char *name) {
  printf("%s: %u passed, %u failed\n", name, passed, failed);
  return failed ? 1 : 0;
}
