/* outq.h: the ring, and that bytes leave in order whatever is taken at a time. */
#include <string.h>

#include "core/err.h"
#include "core/outq.h"
#include "support/check.h"
#include "support/frames.h"
#include "support/mem_fail.h"
#include "support/random.h"

#define MOST 300
#define WIRE (64 * 1024)

static uint64_t seed;
static size_t replaced; /* by the last push */

/* queue.bytes is the sum of the slices less the offset, and the offset lies in the first one. */
static void check_sum(const fan_outq *queue) {
  size_t sum = 0, first = 0;
  for (uint32_t i = 0; i < queue->count; i++) {
    fan_buf *buf = queue->slots[(queue->first + i) & (queue->capacity - 1)];
    size_t size = queue->raw ? fan_buf_raw(buf).size : fan_buf_chunked(buf).size;
    if (i == 0) first = size;
    sum += size;
  }
  CHECK_EQ(queue->bytes, sum - queue->offset);
  CHECK(queue->count ? queue->offset < first : queue->offset == 0);
}

/* Pushes a frame of that size, gives the test's reference away, appends its bytes to `wire`. */
static size_t push(fan_outq *queue, size_t size, unsigned pattern, char *wire, size_t at) {
  fan_buf *frame = frame_sized(size, pattern);
  CHECK_EQ(fan_outq_push(queue, frame, &replaced), 0);
  fan_slice slice = queue->raw ? fan_buf_raw(frame) : fan_buf_chunked(frame);
  if (wire) memcpy(wire + at, slice.data, slice.size);
  fan_buf_unref(frame);
  return at + slice.size;
}

/* Takes `bytes` as a sink does: gather, copy, advance. Answers where the copy ends. */
static size_t take(fan_outq *queue, size_t bytes, char *got, size_t at) {
  fan_slice slices[8];
  int count = fan_outq_gather(queue, slices, 8, bytes);
  size_t left = bytes;
  for (int i = 0; i < count && left; i++) {
    size_t size = slices[i].size < left ? slices[i].size : left;
    memcpy(got + at, slices[i].data, size);
    at += size;
    left -= size;
  }
  fan_outq_advance(queue, bytes - left);
  check_sum(queue);
  return at;
}

static void test_outq_push_holds_a_reference_and_counts_bytes(void) {
  fan_outq queue;
  fan_outq_init(&queue);
  CHECK(fan_outq_empty(&queue));
  fan_buf *frame = frame_event("x");
  CHECK_EQ(fan_outq_push(&queue, frame, &replaced), 0);
  CHECK_EQ(frame->refs, 2);
  CHECK_EQ(queue.bytes, fan_buf_chunked(frame).size);
  CHECK_EQ(fan_outq_advance(&queue, queue.bytes), 1);
  CHECK_EQ(frame->refs, 1);
  CHECK(fan_outq_empty(&queue));
  CHECK_EQ(fan_outq_push(&queue, frame, &replaced), 0);
  fan_outq_clear(&queue);
  CHECK_EQ(frame->refs, 1);
  CHECK_EQ(queue.bytes, 0);
  fan_outq_deinit(&queue);
  fan_buf_unref(frame);
}

static void test_outq_first_four_frames_allocate_nothing(void) {
  fan_outq queue;
  fan_buf *frame = frame_event("x");
  fan_outq_init(&queue);
  mem_fail_at(1, true);
  for (int round = 0; round < 3; round++) {
    for (int i = 0; i < FAN_OUTQ_INLINE; i++) CHECK_EQ(fan_outq_push(&queue, frame, &replaced), 0);
    CHECK_EQ(fan_outq_push(&queue, frame, &replaced), FAN_ENOMEM);
    CHECK_EQ(queue.count, FAN_OUTQ_INLINE);
    check_sum(&queue);
    CHECK_EQ(fan_outq_advance(&queue, queue.bytes), FAN_OUTQ_INLINE);
  }
  mem_fail_at(0, false);
  fan_outq_deinit(&queue);
  fan_buf_unref(frame);
}

static void test_outq_grows_while_the_ring_is_wrapped(void) {
  char wire[WIRE], got[WIRE];
  size_t sent = 0, had = 0;
  fan_outq queue;
  fan_outq_init(&queue);
  for (unsigned i = 0; i < 3; i++) sent = push(&queue, 20 + i, i, wire, sent);
  had = take(&queue, 60, got, had); /* first is now 2 */
  for (unsigned i = 0; i < 40; i++) sent = push(&queue, 10 + i, i, wire, sent);
  CHECK(queue.capacity >= 40);
  while (!fan_outq_empty(&queue)) had = take(&queue, 7, got, had);
  CHECK_BYTES(got, had, wire, sent);
  fan_outq_deinit(&queue);
}

static void test_outq_gives_the_memory_of_a_long_queue_back_once_empty(void) {
  fan_outq queue;
  fan_outq_init(&queue);
  for (unsigned i = 0; i < 100; i++) push(&queue, 10, i, NULL, 0);
  CHECK(queue.slots != queue.inline_slots);
  fan_outq_advance(&queue, queue.bytes);
  CHECK(queue.slots == queue.inline_slots);
  CHECK_EQ(queue.capacity, FAN_OUTQ_INLINE);
  CHECK_EQ(mem_fail_live(), 0);
  push(&queue, 10, 1, NULL, 0);
  CHECK_EQ(queue.count, 1);
  fan_outq_deinit(&queue);
}

static void test_outq_gather_stops_at_max_and_at_the_budget(void) {
  fan_slice slices[10];
  fan_outq queue;
  fan_outq_init(&queue);
  CHECK_EQ(fan_outq_gather(&queue, slices, 10, 1000), 0);
  fan_outq_set_raw(&queue, true);
  for (unsigned i = 0; i < 6; i++) push(&queue, 100, i, NULL, 0);
  CHECK_EQ(fan_outq_gather(&queue, slices, 10, 1000), 6);
  CHECK_EQ(fan_outq_gather(&queue, slices, 4, 1000), 4);
  CHECK_EQ(fan_outq_gather(&queue, slices, 10, 1), 1); /* one slice at least, whole */
  CHECK_EQ(slices[0].size, 100);
  CHECK_EQ(fan_outq_gather(&queue, slices, 10, 100), 1);
  CHECK_EQ(fan_outq_gather(&queue, slices, 10, 101), 2);
  fan_outq_advance(&queue, 30);
  CHECK_EQ(fan_outq_gather(&queue, slices, 10, 71), 2);
  CHECK_EQ(slices[0].size, 70);
  CHECK_EQ(slices[1].size, 100);
  fan_outq_deinit(&queue);
}

static void check_advance_at(size_t position, bool raw) {
  char wire[2048], got[2048];
  fan_outq queue;
  fan_outq_init(&queue);
  fan_outq_set_raw(&queue, raw);
  size_t sent = 0, had = 0;
  for (unsigned i = 0; i < 5; i++) sent = push(&queue, 12 + 5 * i, i, wire, sent);
  if (position < sent) {
    had = take(&queue, position, got, had);
    CHECK_EQ(queue.bytes, sent - position);
    while (!fan_outq_empty(&queue)) had = take(&queue, queue.bytes, got, had);
    CHECK_BYTES(got, had, wire, sent);
  }
  fan_outq_deinit(&queue);
}

static void test_outq_advance_at_every_byte_loses_and_repeats_nothing(void) {
  for (size_t position = 0; position < 200; position++) {
    check_advance_at(position, false);
    check_advance_at(position, true);
  }
}

static void check_step(size_t step, bool raw) {
  char wire[2048], got[2048];
  fan_outq queue;
  fan_outq_init(&queue);
  fan_outq_set_raw(&queue, raw);
  size_t sent = 0, had = 0;
  for (unsigned i = 0; i < 7; i++) sent = push(&queue, 9 + 11 * i, i, wire, sent);
  while (!fan_outq_empty(&queue) && had < sizeof got - step) had = take(&queue, step, got, had);
  CHECK_BYTES(got, had, wire, sent);
  fan_outq_deinit(&queue);
}

static void test_outq_steps_of_every_length_deliver_the_same_bytes(void) {
  for (size_t step = 1; step < 400; step++) {
    check_step(step, false);
    check_step(step, true);
  }
}

static void test_outq_advance_across_two_bufs_answers_both(void) {
  fan_outq queue;
  fan_outq_init(&queue);
  fan_outq_set_raw(&queue, true);
  for (unsigned i = 0; i < 3; i++) push(&queue, 50, i, NULL, 0);
  CHECK_EQ(fan_outq_advance(&queue, 49), 0);
  CHECK_EQ(fan_outq_advance(&queue, 1), 1);
  CHECK_EQ(fan_outq_advance(&queue, 99), 1);
  CHECK_EQ(queue.offset, 49);
  CHECK_EQ(fan_outq_advance(&queue, 1), 1);
  CHECK_EQ(queue.offset, 0);
  fan_outq_deinit(&queue);
}

static void test_outq_set_raw_counts_what_waits_anew(void) {
  fan_outq queue;
  fan_outq_init(&queue);
  for (unsigned i = 0; i < 6; i++) push(&queue, 100, i, NULL, 0);
  CHECK_EQ(queue.bytes, 6 * (100 + 4 + 2));
  fan_outq_set_raw(&queue, true);
  CHECK_EQ(queue.bytes, 600);
  fan_outq_set_raw(&queue, false);
  CHECK_EQ(queue.bytes, 6 * (100 + 4 + 2));
  check_sum(&queue);
  fan_outq_deinit(&queue);
}

static void test_outq_random_pushes_and_takes_keep_the_stream(void) {
  static char wire[WIRE], got[WIRE];
  rng r;
  rng_init(&r, seed);
  for (int round = 0; round < 100 && !check_failing(); round++) {
    fan_outq queue;
    fan_outq_init(&queue);
    fan_outq_set_raw(&queue, round & 1);
    size_t sent = 0, had = 0;
    while (sent < WIRE - MOST - 16) {
      uint32_t more = rng_below(&r, rng_below(&r, 20) ? 4 : 90);
      while (more-- && sent < WIRE - MOST - 16)
        sent = push(&queue, 9 + rng_below(&r, MOST - 9), rng_below(&r, 50), wire, sent);
      for (uint32_t n = rng_below(&r, 4); n; n--) had = take(&queue, rng_below(&r, 700), got, had);
    }
    while (!fan_outq_empty(&queue)) had = take(&queue, 500, got, had);
    CHECK_BYTES(got, had, wire, sent);
    fan_outq_deinit(&queue);
  }
}

int main(void) {
  seed = rng_seed("test_outq");
  RUN(test_outq_push_holds_a_reference_and_counts_bytes);
  RUN(test_outq_first_four_frames_allocate_nothing);
  RUN(test_outq_grows_while_the_ring_is_wrapped);
  RUN(test_outq_gives_the_memory_of_a_long_queue_back_once_empty);
  RUN(test_outq_gather_stops_at_max_and_at_the_budget);
  RUN(test_outq_advance_at_every_byte_loses_and_repeats_nothing);
  RUN(test_outq_steps_of_every_length_deliver_the_same_bytes);
  RUN(test_outq_advance_across_two_bufs_answers_both);
  RUN(test_outq_set_raw_counts_what_waits_anew);
  RUN(test_outq_random_pushes_and_takes_keep_the_stream);
  return check_done("test_outq");
}
