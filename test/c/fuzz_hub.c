/*
 * A fuzzer's entry: the input's bytes are operations on a hub, checked against a model after each.
 *   clang -fsanitize=fuzzer,address,undefined -Isrc -Itest/c -Itest/c/support test/c/fuzz_hub.c src/core/?*.c test/c/support/[!i]?*.c test/c/support/invariants.c
 * Without libFuzzer (FAN_FUZZ_MAIN; `make fuzz`): `fuzz_hub [seconds]` makes random inputs, from another seed each time;
 * `FAN_SEED=n fuzz_hub 0` repeats one of them, `fuzz_hub - < file` one from a file.
 */
#define _POSIX_C_SOURCE 200809L
#include <stdlib.h>
#include <string.h>

#include "support/check.h"
#include "support/mem_fail.h"
#include "support/model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (!size) return 0;
  mem_fail_install();
  model *m = model_new(data, size, 0);
  while (model_step(m) && !check_failing()) model_check(m);
  model_free(m, false);
  CHECK_EQ(mem_fail_live(), 0);
  mem_fail_remove();
  if (check_failing()) abort();
  return 0;
}

#ifdef FAN_FUZZ_MAIN
#include <inttypes.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#define LONG_RUN 4000 /* operations that a generator chooses, not bytes */

/* Whatever is found ends with SIGABRT, where the seed can be told. */
const char *__asan_default_options(void);
const char *__asan_default_options(void) { return "abort_on_error=1"; }

static char seed_line[64];

static void on_abort(int signal_number) {
  (void)signal_number;
  if (write(1, seed_line, strlen(seed_line)) < 0) _exit(1);
}

static void random_bytes(uint64_t seed) {
  static uint8_t bytes[20000];
  rng r;
  rng_init(&r, seed);
  size_t size = 1 + rng_below(&r, sizeof bytes);
  for (size_t i = 0; i < size; i++) bytes[i] = (uint8_t)rng_next(&r);
  LLVMFuzzerTestOneInput(bytes, size);
}

static void random_choices(uint64_t seed) {
  mem_fail_install();
  model *m = model_new(NULL, 0, seed);
  for (int i = 0; i < LONG_RUN && !check_failing(); i++) {
    model_step(m);
    if (i % 8 == 0) model_check(m);
  }
  model_free(m, false);
  CHECK_EQ(mem_fail_live(), 0);
  mem_fail_remove();
  if (check_failing()) abort();
}

static void repeat(uint64_t seed) {
  snprintf(seed_line, sizeof seed_line, "fuzz_hub: FAN_SEED=%" PRIu64 " fuzz_hub 0\n", seed);
  if (seed % 2) random_bytes(seed);
  else random_choices(seed);
}

static double now_s(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int main(int argc, char **argv) {
  static uint8_t bytes[1 << 20];
  if (argc > 1 && strcmp(argv[1], "-") == 0)
    return LLVMFuzzerTestOneInput(bytes, fread(bytes, 1, sizeof bytes, stdin));
  const char *given = getenv("FAN_SEED");
  double until = now_s() + (argc > 1 ? strtod(argv[1], NULL) : 10);
  uint64_t seed = given ? strtoull(given, NULL, 10) : (uint64_t)time(NULL) * 1000000, runs = 0;
  signal(SIGABRT, on_abort);
  printf("fuzz_hub: FAN_SEED=%" PRIu64 "\n", seed);
  do repeat(seed + runs++);
  while (now_s() < until);
  printf("fuzz_hub: %" PRIu64 " inputs\nfuzz_hub: 1 passed, 0 failed\n", runs);
  return 0;
}
#endif
