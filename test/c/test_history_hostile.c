/* history.h without memory, and with more of everything than anybody should have. */
#include <stdlib.h>

#include "core/history.h"
#include "core/mem.h"
#include "support/check.h"
#include "support/frames.h"
#include "support/mem_fail.h"
#include "support/random.h"

#define ROOMS 10
#define EVENTS 300
#define RING_COST (sizeof(fan_ring) + 2 * sizeof(fan_map_slot))

static fan_history h;
static bool sent_to[EVENTS + 1][ROOMS];
static uint64_t seq, now_ms, seed;
static rng dice;

/* Up to three rooms, up to two excepted. */
static fan_target *random_target(uint64_t number) {
  fan_target *target = fan_target_new(5);
  uint64_t *at = target->keys;
  target->rooms = 1 + rng_below(&dice, 3);
  target->except_rooms = rng_below(&dice, 3);
  for (uint32_t i = 0; i < target->rooms; i++)
    sent_to[number][ *at++ = rng_below(&dice, ROOMS)] = true;
  for (uint32_t i = 0; i < target->except_rooms; i++) *at++ = rng_below(&dice, ROOMS);
  return target;
}

/* Of each room everything beyond let_go is there: nothing is missing that is not known to be. */
static void check_no_hole(void) {
  for (uint64_t room = 0; room < ROOMS; room++) {
    const fan_ring *ring = fan_history_ring(&h, room);
    uint64_t let_go = fan_history_let_go(&h, room);
    uint32_t index = ring ? fan_ring_after(ring, let_go) : 0;
    for (uint64_t n = let_go + 1; n <= seq; n++) {
      if (!sent_to[n][room]) continue;
      if (!CHECK(ring && index < ring->count)) return;
      CHECK_EQ(fan_ring_at(ring, index++)->frame->seq, n);
    }
    CHECK(!ring || index == ring->count);
  }
}

/* The sums are those of what is there, found by walking. */
static void check_sums(void) {
  size_t frames = 0, bytes = 0, quiet = 0, cursor = 0;
  uint64_t count = 0;
  for (fan_list *node = h.records.next; node != &h.records; node = node->next) {
    const fan_record *record = fan_list_entry(node, fan_record, node);
    frames += fan_buf_cost(record->frame);
    bytes += sizeof *record +
             (record->rooms + record->except_rooms + record->except_clients) * sizeof(uint64_t);
    count++;
  }
  for (fan_ring *ring; (ring = fan_map_next(&h.rings, &cursor));) {
    bytes += RING_COST + ring->capacity * sizeof(void *);
    CHECK((!ring->count && !ring->excepted) == fan_list_linked(&ring->node));
    if (fan_list_linked(&ring->node)) quiet += RING_COST;
  }
  CHECK_EQ(h.count, count);
  CHECK_EQ(h.frame_bytes, frames);
  CHECK_EQ(h.bytes, bytes + frames);
  CHECK_EQ(h.quiet_bytes, quiet);
  CHECK(h.bytes <= h.limits.bytes);
  CHECK(h.quiet_bytes <= h.limits.bytes / 8);
}

static void take_forgotten(void) {
  uint64_t room, last;
  while (fan_history_next_forgotten(&h, &room, &last)) CHECK(last <= seq);
}

/* An event, while the n-th allocation fails. Answers whether there was one. */
static bool add_failing(size_t at, bool onward) {
  fan_target *target = random_target(++seq);
  fan_buf *frame = frame_sized(20 + rng_below(&dice, 150), 1);
  frame->seq = seq;
  mem_fail_at(at, onward);
  fan_history_add(&h, target, frame, seq);
  bool failed = mem_fail_happened();
  mem_fail_at(0, false);
  for (uint32_t i = 0; i < target->rooms; i++)
    if (frame->refs == 1) CHECK(fan_history_let_go(&h, target->keys[i]) >= seq);
  if (!failed) CHECK_EQ(frame->refs, 2);
  fan_buf_unref(frame);
  fan_free(target);
  return failed;
}

static void test_history_add_without_memory_lets_go_of_the_event_alone(void) {
  static const fan_history_limits limits[] = {
      {.events = 6, .bytes = 1 << 20, .age_ms = 30},
      {.events = 100, .bytes = 6000, .age_ms = 1000},
      {.events = 3, .bytes = 3000, .age_ms = 1000},
  };
  for (unsigned round = 0; round < 60 && !check_failing(); round++) {
    unsigned failures = 0;
    for (uint64_t n = 0; n <= EVENTS; n++)
      for (int room = 0; room < ROOMS; room++) sent_to[n][room] = false;
    seq = 0;
    fan_history_init(&h, &limits[round % 3]);
    while (seq < EVENTS && !check_failing()) {
      size_t at = rng_below(&dice, 3) ? 0 : 1 + rng_below(&dice, 4);
      failures += add_failing(at, round % 2);
      check_no_hole();
      check_sums();
      if (rng_below(&dice, 10) == 0) fan_history_expire(&h, seq);
      if (rng_below(&dice, 3) == 0) take_forgotten();
    }
    CHECK(failures > 10);
    fan_history_deinit(&h);
  }
}

static void test_history_without_memory_for_its_first_event_raises_the_floor(void) {
  static const fan_history_limits limits = {.events = 6, .bytes = 1 << 20, .age_ms = 1000};
  fan_target *target = random_target(1);
  fan_buf *frame = frame_sized(50, 1);
  frame->seq = 9;
  fan_history_init(&h, &limits);
  mem_fail_at(1, true);
  fan_history_add(&h, target, frame, 0);
  mem_fail_at(0, false);
  CHECK_EQ(fan_history_let_go(&h, target->keys[0]), 9);
  CHECK_EQ(fan_history_let_go(&h, 12345), 9);
  CHECK_EQ(h.bytes, 0);
  fan_history_deinit(&h);
  fan_buf_unref(frame);
  fan_free(target);
}

/* Shrinking asks for memory too: without it a ring stays as large as it was. */
static void test_history_expires_without_memory(void) {
  static const fan_history_limits limits = {.events = 1000, .bytes = 1 << 20, .age_ms = 1000};
  fan_target *target = fan_target_new(1);
  target->rooms = 1;
  target->keys[0] = 3;
  fan_history_init(&h, &limits);
  for (seq = 1; seq <= 600; seq++) {
    fan_buf *frame = frame_sized(50, 1);
    frame->seq = seq;
    fan_history_add(&h, target, frame, seq);
    fan_buf_unref(frame);
  }
  mem_fail_at(1, true);
  fan_history_expire(&h, 1590);
  CHECK(mem_fail_happened());
  CHECK_EQ(fan_history_ring(&h, 3)->count, 10);
  CHECK_EQ(fan_history_let_go(&h, 3), 590);
  fan_history_expire(&h, 1600);
  CHECK_EQ(h.bytes, RING_COST);
  mem_fail_at(0, false);
  fan_history_deinit(&h);
  fan_free(target);
}

static void add_to_many(uint32_t rooms, uint32_t except_rooms, uint32_t except_clients) {
  fan_target *target = fan_target_new((size_t)rooms + except_rooms + except_clients);
  target->rooms = rooms;
  target->except_rooms = except_rooms;
  target->except_clients = except_clients;
  for (uint32_t i = 0; i < rooms + except_rooms; i++) target->keys[i] = 1 + i;
  fan_buf *frame = frame_sized(50, 1);
  frame->seq = ++seq;
  fan_history_add(&h, target, frame, now_ms);
  fan_buf_unref(frame);
  fan_free(target);
}

static void test_history_takes_an_event_for_ten_thousand_rooms(void) {
  static const fan_history_limits limits = {.events = 2, .bytes = 64 << 20, .age_ms = 1000};
  fan_history_init(&h, &limits);
  seq = now_ms = 0;
  for (int i = 0; i < 5; i++) add_to_many(10000, 10000, 10000);
  CHECK_EQ(h.count, 2);
  CHECK_EQ(h.rings.count, 20000);
  CHECK_EQ(fan_history_let_go(&h, 10000), 3);
  check_sums();
  fan_history_expire(&h, 1000);
  CHECK_EQ(h.count, 0);
  CHECK_EQ(h.quiet_bytes, 20000 * RING_COST);
  check_sums();
  fan_history_deinit(&h);
}

static void test_history_of_a_small_limit_stays_small_with_rooms_without_end(void) {
  static const fan_history_limits limits = {.events = 200, .bytes = 50000, .age_ms = 1000};
  fan_history_init(&h, &limits);
  fan_target *target = fan_target_new(1);
  uint64_t room, last, told = 0;
  target->rooms = 1;
  for (seq = 1; seq <= 50000; seq++) {
    fan_buf *frame = frame_sized(50, 1);
    frame->seq = target->keys[0] = seq;
    fan_history_add(&h, target, frame, 0);
    fan_buf_unref(frame);
    if (!CHECK(h.bytes <= limits.bytes)) break;
    while (fan_history_next_forgotten(&h, &room, &last)) CHECK(room == ++told && last == told);
  }
  CHECK(told > 49000);
  CHECK_EQ(h.floor, told);
  CHECK(h.rings.capacity <= 4096);
  check_sums();
  fan_history_deinit(&h);
  fan_free(target);
}

static void test_history_ring_of_a_hundred_thousand_turns_round(void) {
  static const fan_history_limits limits = {.events = 100000, .bytes = SIZE_MAX, .age_ms = 1000};
  fan_history_init(&h, &limits);
  for (seq = 0; seq < 250000;) add_to_many(1, 0, 0);
  const fan_ring *ring = fan_history_ring(&h, 1);
  CHECK_EQ(ring->count, 100000);
  CHECK_EQ(ring->capacity, 131072);
  CHECK_EQ(ring->let_go, 150000);
  for (uint64_t n = 149000; n < 250000; n += 997)
    CHECK_EQ(fan_ring_after(ring, n), n < 150000 ? 0 : n - 150000);
  check_sums();
  fan_history_deinit(&h);
}

static void test_history_age_without_end_is_never_due(void) {
  static const fan_history_limits limits = {
      .events = UINT32_MAX, .bytes = SIZE_MAX, .age_ms = UINT64_MAX};
  fan_history_init(&h, &limits);
  seq = UINT64_MAX - 2;
  now_ms = 1000;
  add_to_many(1, 0, 0);
  CHECK_EQ(fan_history_due_ms(&h), UINT64_MAX);
  h.limits.age_ms = UINT64_MAX - 1001;
  CHECK_EQ(fan_history_due_ms(&h), UINT64_MAX);
  fan_history_expire(&h, UINT64_MAX - 2);
  CHECK_EQ(h.count, 1);
  fan_history_expire(&h, 0); /* a clock that goes back */
  CHECK_EQ(h.count, 1);
  CHECK_EQ(fan_ring_after(fan_history_ring(&h, 1), UINT64_MAX - 2), 0);
  CHECK_EQ(fan_ring_after(fan_history_ring(&h, 1), UINT64_MAX - 1), 1);
  fan_history_deinit(&h);
}

static void test_history_ring_gives_slots_back_when_it_empties(void) {
  static const fan_history_limits limits = {.events = 100, .bytes = 1 << 20, .age_ms = 1000};
  fan_history_init(&h, &limits);
  for (seq = 0, now_ms = 0; seq < 100; now_ms++) add_to_many(1, 0, 0);
  const fan_ring *ring = fan_history_ring(&h, 1);
  CHECK(ring->capacity >= 100 && ring->capacity <= 128);
  fan_history_expire(&h, 1089);
  CHECK_EQ(ring->count, 10);
  CHECK(ring->capacity <= 40);
  CHECK_EQ(fan_ring_at(ring, 9)->frame->seq, 100);
  fan_history_expire(&h, 1099);
  CHECK_EQ(ring->capacity, 0);
  CHECK_EQ(h.bytes, RING_COST);
  fan_history_deinit(&h);
}

static void test_history_frees_what_nobody_asked_to_be_told(void) {
  static const fan_history_limits limits = {.events = 1, .bytes = 100, .age_ms = 1000};
  fan_history_init(&h, &limits);
  seq = 0;
  add_to_many(3, 1, 0);
  CHECK_EQ(h.rings.count, 0);
  CHECK(!fan_list_empty(&h.forgotten));
  fan_history_deinit(&h); /* no block is left: check.h */
}

int main(void) {
  seed = rng_seed("test_history_hostile");
  rng_init(&dice, seed);
  RUN(test_history_add_without_memory_lets_go_of_the_event_alone);
  RUN(test_history_without_memory_for_its_first_event_raises_the_floor);
  RUN(test_history_expires_without_memory);
  RUN(test_history_takes_an_event_for_ten_thousand_rooms);
  RUN(test_history_of_a_small_limit_stays_small_with_rooms_without_end);
  RUN(test_history_ring_of_a_hundred_thousand_turns_round);
  RUN(test_history_age_without_end_is_never_due);
  RUN(test_history_ring_gives_slots_back_when_it_empties);
  RUN(test_history_frees_what_nobody_asked_to_be_told);
  return check_done("test_history_hostile");
}
