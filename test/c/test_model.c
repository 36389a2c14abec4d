/* The hub under random use, compared with a model that knows what each client must get. */
#include <stdlib.h>

#include "support/check.h"
#include "support/model.h"

#define RUNS 12
#define OPERATIONS 20000

static uint64_t seed;

static void test_model_every_client_gets_its_stream_or_a_prefix_and_an_end(void) {
  for (uint64_t run = 0; run < RUNS && !check_failing(); run++) {
    model *m = model_new(NULL, 0, seed * 1000 + run);
    for (int i = 0; i < OPERATIONS && !check_failing(); i++) {
      model_step(m);
      if (i % 32 == 0) model_check(m);
    }
    model_free(m, run == 0);
  }
}

/* The same with choices from bytes, as the fuzzer makes them: other sinks' answers, short lives. */
static void test_model_holds_for_choices_from_bytes(void) {
  uint8_t bytes[4000];
  rng r;
  rng_init(&r, seed);
  for (int run = 0; run < 100 && !check_failing(); run++) {
    for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (uint8_t)rng_next(&r);
    model *m = model_new(bytes, sizeof bytes, 0);
    while (model_step(m)) model_check(m);
    model_free(m, run == 0);
  }
}

int main(void) {
  seed = rng_seed("test_model");
  RUN(test_model_every_client_gets_its_stream_or_a_prefix_and_an_end);
  RUN(test_model_holds_for_choices_from_bytes);
  return check_done("test_model");
}
