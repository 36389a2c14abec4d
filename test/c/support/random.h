#ifndef RANDOM_H
#define RANDOM_H
/* Random numbers that a seed repeats (xorshift64*). FAN_SEED in the environment sets the seed. */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct rng {
  uint64_t state;
} rng;

static inline void rng_init(rng *r, uint64_t seed) {
  r->state = (seed + 1) * UINT64_C(0x9e3779b97f4a7c15);
  if (!r->state) r->state = 1;
}

static inline uint64_t rng_next(rng *r) {
  r->state ^= r->state >> 12;
  r->state ^= r->state << 25;
  r->state ^= r->state >> 27;
  return r->state * UINT64_C(0x2545f4914f6cdd1d);
}

/* From 0 to below - 1. */
static inline uint32_t rng_below(rng *r, uint32_t below) {
  return (uint32_t)((rng_next(r) >> 32) % below);
}

/* FAN_SEED or 1; printed, so that a failure can be had again. */
static inline uint64_t rng_seed(const char *name) {
  const char *text = getenv("FAN_SEED");
  uint64_t seed = text ? strtoull(text, NULL, 10) : 1;
  printf("%s: FAN_SEED=%" PRIu64 "\n", name, seed);
  return seed;
}

#endif
