/*
 * A fuzzer's entry: the input's bytes are operations on a hub, checked against a model after each.
 *   clang -fsanitize=fuzzer,address,undefined -Isrc -Itest/c -Itest/c/support test/c/fuzz_hub.c src/core/?*.c test/c/support/?*.c
 * Without libFuzzer: -DFAN_FUZZ_MAIN; then `fuzz_hub [runs]` makes random inputs, `fuzz_hub - < file` repeats one.
 */
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
  while (model_step(m)) model_check(m);
  model_free(m, false);
  CHECK_EQ(mem_fail_live(), 0);
  mem_fail_remove();
  if (check_failing()) abort();
  return 0;
}

#ifdef FAN_FUZZ_MAIN
int main(int argc, char **argv) {
  static uint8_t bytes[20000];
  if (argc > 1 && strcmp(argv[1], "-") == 0)
    return LLVMFuzzerTestOneInput(bytes, fread(bytes, 1, sizeof bytes, stdin));
  rng r;
  rng_init(&r, rng_seed("fuzz_hub"));
  for (long run = argc > 1 ? strtol(argv[1], NULL, 10) : 1000; run > 0; run--) {
    size_t size = 1 + rng_below(&r, sizeof bytes);
    for (size_t i = 0; i < size; i++) bytes[i] = (uint8_t)rng_next(&r);
    LLVMFuzzerTestOneInput(bytes, size);
  }
  printf("fuzz_hub: done\n");
  return 0;
}
#endif
