/* outq.h: a newer frame takes the place of one with its key, and of no other. */
#include <stdio.h>
#include <string.h>

#include "core/err.h"
#include "core/outq.h"
#include "support/check.h"
#include "support/frames.h"
#include "support/mem_fail.h"

#define KEYS 5000

static size_t replaced; /* by the last push */

/* An event (with `key`, unless NULL) is pushed; its reference is given away. Answers the bytes that it has on the wire. */
static size_t push(fan_outq *queue, const char *key, const char *data) {
  fan_buf *frame = frame_keyed(key, data);
  size_t size = fan_buf_chunked(frame).size;
  CHECK_EQ(fan_outq_push(queue, frame, &replaced), 0);
  fan_buf_unref(frame);
  return size;
}

/* Takes everything that waits; answers what it says. */
static const char *drain(fan_outq *queue) {
  fan_slice slices[64];
  uint32_t count = queue->count;
  CHECK_EQ(fan_outq_gather(queue, slices, 64, SIZE_MAX), count);
  const char *text = frames_say(slices, (int)count);
  CHECK_EQ(fan_outq_advance(queue, queue->bytes), count);
  CHECK(fan_outq_empty(queue));
  CHECK_EQ(queue->by_key.count, 0);
  return text;
}

#define CHECK_DRAINS(queue, want)                                                                  \
  do {                                                                                             \
    const char *drained = drain(queue);                                                            \
    CHECK_BYTES(drained, strlen(drained), want, strlen(want));                                     \
  } while (0)

static void test_outq_a_newer_frame_takes_the_place_of_one_with_its_key(void) {
  fan_outq queue;
  fan_outq_init(&queue);
  fan_buf *old = frame_keyed("k", "old");
  push(&queue, NULL, "[first]");
  CHECK_EQ(fan_outq_push(&queue, old, &replaced), 0);
  CHECK_EQ(replaced, 0);
  push(&queue, "other", "[other]");
  push(&queue, NULL, "[last]");
  size_t before = queue.bytes, had = fan_buf_chunked(old).size;
  size_t size = push(&queue, "k", "[a longer one]");
  CHECK_EQ(replaced, had);
  CHECK_EQ(queue.count, 4);
  CHECK_EQ(queue.bytes, before - had + size);
  CHECK_EQ(old->refs, 1);
  CHECK_DRAINS(&queue, "[first][a longer one][other][last]");
  fan_buf_unref(old);
  fan_outq_deinit(&queue);
}

static void test_outq_a_frame_pushed_twice_replaces_itself(void) {
  fan_outq queue;
  fan_outq_init(&queue);
  fan_buf *frame = frame_keyed("k", "x");
  for (int i = 0; i < 3; i++) CHECK_EQ(fan_outq_push(&queue, frame, &replaced), 0);
  CHECK_EQ(replaced, fan_buf_chunked(frame).size);
  CHECK_EQ(frame->refs, 2);
  CHECK_EQ(queue.count, 1);
  CHECK_DRAINS(&queue, "x");
  CHECK_EQ(frame->refs, 1);
  fan_buf_unref(frame);
  fan_outq_deinit(&queue);
}

static void test_outq_a_begun_frame_is_never_replaced(void) {
  fan_outq queue;
  fan_outq_init(&queue);
  size_t size = push(&queue, "k", "begun");
  drain(&queue);
  for (size_t written = 1; written < size; written++) {
    push(&queue, "k", "begun");
    fan_outq_advance(&queue, written);
    size_t second = push(&queue, "k", "second");
    CHECK_EQ(replaced, 0);
    CHECK_EQ(queue.count, 2);
    push(&queue, "k", "third"); /* but the one behind it is */
    CHECK_EQ(replaced, second);
    CHECK_EQ(queue.count, 2);
    CHECK_EQ(fan_outq_advance(&queue, size - written), 1);
    CHECK_DRAINS(&queue, "third");
  }
  fan_outq_deinit(&queue);
}

static void test_outq_a_written_frame_is_not_replaced(void) {
  fan_outq queue;
  fan_outq_init(&queue);
  size_t size = push(&queue, "k", "1");
  push(&queue, "l", "2");
  fan_outq_advance(&queue, size);
  push(&queue, "k", "3");
  CHECK_EQ(replaced, 0);
  CHECK_DRAINS(&queue, "23");
  fan_outq_deinit(&queue);
}

static void test_outq_raw_bytes_are_counted_through_a_replacement(void) {
  fan_outq queue;
  fan_outq_init(&queue);
  fan_outq_set_raw(&queue, true);
  push(&queue, "k", "abc");
  push(&queue, "k", "x");
  CHECK_EQ(replaced, strlen("data: abc\n\n"));
  CHECK_EQ(queue.bytes, strlen("data: x\n\n"));
  CHECK_EQ(fan_outq_drop_newest(&queue), strlen("data: x\n\n"));
  CHECK_EQ(queue.bytes, 0);
  fan_outq_deinit(&queue);
}

/* As if both keys had the same hash. */
static void push_hashed(fan_outq *queue, const char *key, const char *data) {
  fan_buf *frame = frame_keyed(key, data);
  frame->key = 77;
  CHECK_EQ(fan_outq_push(queue, frame, &replaced), 0);
  fan_buf_unref(frame);
}

static void test_outq_keys_of_one_hash_do_not_replace_each_other(void) {
  fan_outq queue;
  fan_outq_init(&queue);
  push_hashed(&queue, "a", "[a1]");
  push_hashed(&queue, "b", "[b1]");
  CHECK_EQ(replaced, 0);
  push_hashed(&queue, "b", "[b2]"); /* the newest of the hash is found */
  CHECK(replaced > 0);
  push_hashed(&queue, "a", "[a2]"); /* an older one is not: nothing is lost */
  CHECK_EQ(replaced, 0);
  push_hashed(&queue, "aa", "[aa]"); /* as long as the key is the same, it is compared whole */
  CHECK_EQ(replaced, 0);
  CHECK_EQ(queue.by_key.count, 1);
  CHECK_DRAINS(&queue, "[a1][b2][a2][aa]");
  fan_outq_deinit(&queue);
}

static void test_outq_a_leaving_frame_does_not_take_the_key_of_a_newer_one(void) {
  fan_outq queue;
  fan_outq_init(&queue);
  push_hashed(&queue, "a", "1");
  push_hashed(&queue, "b", "2");
  CHECK(fan_outq_drop_oldest(&queue) > 0);
  push_hashed(&queue, "b", "3");
  CHECK(replaced > 0);
  push(&queue, "k", "4");
  fan_outq_advance(&queue, 1); /* "3" is begun, and so its successor queues behind it */
  push_hashed(&queue, "b", "5");
  fan_outq_advance(&queue, fan_buf_chunked(queue.slots[queue.first]).size - 1);
  push_hashed(&queue, "b", "6");
  CHECK(replaced > 0);
  CHECK_DRAINS(&queue, "46");
  fan_outq_deinit(&queue);
}

static void test_outq_places_may_pass_the_largest_number(void) {
  fan_outq queue;
  fan_outq_init(&queue);
  queue.taken = UINT64_MAX / 2 - 3;
  for (int i = 0; i < 10; i++) {
    size_t size = push(&queue, "a", "a");
    push(&queue, "b", "old");
    push(&queue, "b", "b");
    CHECK(replaced > 0);
    CHECK_EQ(fan_outq_advance(&queue, size), 1);
    push(&queue, "b", "c");
    CHECK(replaced > 0);
    CHECK_DRAINS(&queue, "c");
  }
  fan_outq_deinit(&queue);
}

static void test_outq_a_blocked_queue_holds_each_key_once(void) {
  fan_outq queue;
  fan_outq_init(&queue);
  char key[16], data[16];
  for (unsigned round = 0; round < 20; round++)
    for (unsigned i = 0; i < KEYS; i++) {
      snprintf(key, sizeof key, "symbol-%u", i);
      snprintf(data, sizeof data, "%02u.%04u", round, i);
      size_t size = push(&queue, key, data);
      CHECK_EQ(replaced, round ? size : 0);
    }
  CHECK_EQ(queue.count, KEYS);
  CHECK_EQ(queue.by_key.count, KEYS);
  for (unsigned i = 0; i < KEYS && !check_failing(); i++) {
    fan_slice slice;
    fan_outq_gather(&queue, &slice, 1, 1);
    snprintf(data, sizeof data, "19.%04u", i);
    CHECK_BYTES(frames_say(&slice, 1), strlen(data), data, strlen(data));
    fan_outq_advance(&queue, slice.size);
  }
  CHECK(fan_outq_empty(&queue));
  CHECK_EQ(queue.capacity, FAN_OUTQ_INLINE);
  CHECK(queue.by_key.capacity <= 32); /* what a small burst needs may stay */
  fan_outq_deinit(&queue);
}

static void test_outq_a_small_burst_each_tick_allocates_once(void) {
  fan_outq queue;
  fan_buf *frames[20];
  char key[16];
  fan_outq_init(&queue);
  for (unsigned i = 0; i < 20; i++) {
    snprintf(key, sizeof key, "%u", i);
    frames[i] = frame_keyed(key, "x");
  }
  for (int tick = 0; tick < 5; tick++) {
    for (unsigned i = 0; i < 20; i++) CHECK_EQ(fan_outq_push(&queue, frames[i], &replaced), 0);
    fan_outq_advance(&queue, queue.bytes);
    if (tick == 0) mem_fail_at(1, true);
  }
  CHECK_EQ(mem_fail_calls(), 0);
  mem_fail_at(0, false);
  for (unsigned i = 0; i < 20; i++) fan_buf_unref(frames[i]);
  fan_outq_deinit(&queue);
}

#define PUSHES 40

/* The n-th allocation fails, and the push that needed it is tried again. Answers whether there were as many. */
static bool push_with_failure(size_t n, fan_buf *const *frames) {
  fan_outq queue;
  fan_outq_init(&queue);
  mem_fail_at(n, false);
  for (unsigned i = 0; i < PUSHES; i++) {
    size_t bytes = queue.bytes, keys = queue.by_key.count;
    replaced = 12345;
    int error = fan_outq_push(&queue, frames[i], &replaced);
    if (!error) continue;
    CHECK_EQ(error, FAN_ENOMEM);
    CHECK_EQ(queue.bytes, bytes);
    CHECK_EQ(queue.count, i);
    CHECK_EQ(queue.by_key.count, keys);
    CHECK_EQ(replaced, 12345);
    CHECK_EQ(frames[i]->refs, 1);
    CHECK_EQ(fan_outq_push(&queue, frames[i], &replaced), 0);
  }
  bool failed = mem_fail_happened();
  mem_fail_at(1, true); /* to replace takes no memory */
  for (unsigned i = 0; i < PUSHES; i++) {
    CHECK_EQ(fan_outq_push(&queue, frames[i], &replaced), 0);
    CHECK_EQ(replaced, fan_buf_chunked(frames[i]).size);
  }
  mem_fail_at(0, false);
  CHECK_DRAINS(&queue, "0123456789101112131415161718192021222324252627282930313233343536373839");
  fan_outq_deinit(&queue);
  return failed;
}

static void test_outq_a_push_without_memory_adds_nothing(void) {
  fan_buf *frames[PUSHES];
  char key[16];
  for (unsigned i = 0; i < PUSHES; i++) {
    snprintf(key, sizeof key, "%u", i);
    frames[i] = frame_keyed(key, key);
  }
  size_t n = 1;
  while (push_with_failure(n, frames)) n++;
  CHECK(n > 8); /* ring and map have grown several times */
  for (unsigned i = 0; i < PUSHES; i++) fan_buf_unref(frames[i]);
}

int main(void) {
  RUN(test_outq_a_newer_frame_takes_the_place_of_one_with_its_key);
  RUN(test_outq_a_frame_pushed_twice_replaces_itself);
  RUN(test_outq_a_begun_frame_is_never_replaced);
  RUN(test_outq_a_written_frame_is_not_replaced);
  RUN(test_outq_raw_bytes_are_counted_through_a_replacement);
  RUN(test_outq_keys_of_one_hash_do_not_replace_each_other);
  RUN(test_outq_a_leaving_frame_does_not_take_the_key_of_a_newer_one);
  RUN(test_outq_places_may_pass_the_largest_number);
  RUN(test_outq_a_blocked_queue_holds_each_key_once);
  RUN(test_outq_a_small_burst_each_tick_allocates_once);
  RUN(test_outq_a_push_without_memory_adds_nothing);
  return check_done("test_outq_keys");
}
