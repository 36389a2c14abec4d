/* map.h: against an array that says what should be in it. */
#include "core/err.h"
#include "core/map.h"
#include "support/check.h"
#include "support/mem_fail.h"
#include "support/random.h"

#define KEYS 700

static int things[KEYS];
static uint64_t seed;

static void test_map_finds_what_was_set_and_nothing_else(void) {
  fan_map map;
  fan_map_init(&map);
  CHECK(fan_map_get(&map, 0) == NULL);
  CHECK(fan_map_remove(&map, 0) == NULL);
  for (uint64_t i = 0; i < KEYS; i++) CHECK_EQ(fan_map_set(&map, i << 40, &things[i]), 0);
  CHECK_EQ(map.count, KEYS);
  for (uint64_t i = 0; i < KEYS; i++) {
    CHECK(fan_map_get(&map, i << 40) == &things[i]);
    CHECK(fan_map_get(&map, (i << 40) + 1) == NULL);
  }
  fan_map_deinit(&map);
}

static void test_map_set_replaces_the_value_of_a_key(void) {
  fan_map map;
  fan_map_init(&map);
  CHECK_EQ(fan_map_set(&map, UINT64_MAX, &things[0]), 0);
  CHECK_EQ(fan_map_set(&map, UINT64_MAX, &things[1]), 0);
  CHECK_EQ(map.count, 1);
  CHECK(fan_map_get(&map, UINT64_MAX) == &things[1]);
  CHECK(fan_map_remove(&map, UINT64_MAX) == &things[1]);
  CHECK_EQ(map.count, 0);
  fan_map_deinit(&map);
}

static void test_map_never_fills_more_than_three_quarters(void) {
  fan_map map;
  fan_map_init(&map);
  for (uint64_t i = 0; i < KEYS; i++) {
    CHECK_EQ(fan_map_set(&map, i, &things[i]), 0);
    CHECK(map.count * 4 <= map.capacity * 3);
  }
  fan_map_deinit(&map);
}

static void test_map_gives_memory_back_when_it_empties(void) {
  fan_map map;
  fan_map_init(&map);
  for (uint64_t i = 0; i < KEYS; i++) CHECK_EQ(fan_map_set(&map, i, &things[i]), 0);
  size_t full = map.capacity;
  for (uint64_t i = 0; i < KEYS; i++) CHECK(fan_map_remove(&map, i) == &things[i]);
  CHECK_EQ(map.count, 0);
  CHECK(map.capacity <= 64);
  CHECK(map.capacity < full);
  fan_map_deinit(&map);
}

static void test_map_survives_growth_and_shrinking_that_fail(void) {
  fan_map map;
  fan_map_init(&map);
  mem_fail_at(1, true);
  CHECK_EQ(fan_map_set(&map, 1, &things[1]), FAN_ENOMEM);
  CHECK(fan_map_get(&map, 1) == NULL);
  mem_fail_at(0, false);
  for (uint64_t i = 0; i < KEYS; i++) CHECK_EQ(fan_map_set(&map, i, &things[i]), 0);
  mem_fail_at(1, true);
  uint64_t more = KEYS;
  while (fan_map_set(&map, more, &things[0]) == 0) more++;
  CHECK(fan_map_get(&map, more) == NULL);
  CHECK_EQ(map.count, more);
  for (uint64_t i = 0; i < KEYS; i++) CHECK(fan_map_remove(&map, i) == &things[i]);
  for (uint64_t i = KEYS; i < more; i++) CHECK(fan_map_get(&map, i) == &things[0]);
  mem_fail_at(0, false);
  fan_map_deinit(&map);
}

/* Walks the map and checks that each entry of the oracle is met once. */
static void check_walk(const fan_map *map, void *const *oracle) {
  bool met[KEYS] = {false};
  size_t cursor = 0, count = 0;
  for (int *thing; (thing = fan_map_next(map, &cursor)); count++) {
    size_t key = (size_t)(thing - things);
    CHECK(!met[key] && oracle[key] == thing);
    met[key] = true;
  }
  CHECK_EQ(count, map->count);
}

static void test_map_random_operations_agree_with_an_array(void) {
  void *oracle[KEYS] = {NULL};
  fan_map map;
  fan_map_init(&map);
  rng r;
  rng_init(&r, seed);
  for (int step = 0; step < 300000 && !check_failing(); step++) {
    /* Waves: mostly adding, then mostly removing, so that it grows and shrinks. */
    uint32_t key = rng_below(&r, KEYS), odds = (step / 3000) % 2 ? 3 : 7;
    if (rng_below(&r, 10) < odds) {
      CHECK_EQ(fan_map_set(&map, key, &things[key]), 0);
      oracle[key] = &things[key];
    } else {
      CHECK(fan_map_remove(&map, key) == oracle[key]);
      oracle[key] = NULL;
    }
    uint32_t other = rng_below(&r, KEYS);
    CHECK(fan_map_get(&map, other) == oracle[other]);
    if (step % 10000 == 0) check_walk(&map, oracle);
  }
  fan_map_deinit(&map);
}

int main(void) {
  seed = rng_seed("test_map");
  RUN(test_map_finds_what_was_set_and_nothing_else);
  RUN(test_map_set_replaces_the_value_of_a_key);
  RUN(test_map_never_fills_more_than_three_quarters);
  RUN(test_map_gives_memory_back_when_it_empties);
  RUN(test_map_survives_growth_and_shrinking_that_fail);
  RUN(test_map_random_operations_agree_with_an_array);
  return check_done("test_map");
}
