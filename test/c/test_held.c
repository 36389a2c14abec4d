/* held.h: what waits comes out in order, each frame with what it follows, or is let go of and settled. */
#include <stdio.h>
#include <string.h>

#include "core/err.h"
#include "core/frame.h"
#include "core/held.h"
#include "core/mem.h"
#include "core/ticket.h"
#include "support/check.h"
#include "support/frames.h"
#include "support/mem_fail.h"
#include "support/random.h"

static uint64_t seed;
static size_t replaced; /* by the last push */

/* Its reference is given away. Answers its bytes. */
static size_t push(fan_held *held, const char *key, const char *data, uint64_t follows) {
  fan_buf *frame = frame_keyed(key, data);
  size_t size = fan_buf_chunked(frame).size;
  CHECK_EQ(fan_held_push(held, frame, follows, &replaced), 0);
  fan_buf_unref(frame);
  return size;
}

static void check_first(fan_held *held, const char *data, uint64_t follows) {
  CHECK_EQ(fan_held_follows(held), follows);
  fan_buf *frame = fan_held_shift(held);
  if (!CHECK(frame != NULL)) return;
  fan_slice wire = fan_buf_chunked(frame);
  CHECK_BYTES(frames_say(&wire, 1), strlen(frames_say(&wire, 1)), data, strlen(data));
  fan_buf_unref(frame);
}

static void check_nothing(fan_held *held) {
  CHECK_EQ(held->count, 0);
  CHECK_EQ(held->bytes, 0);
  CHECK_EQ(held->by_key.count, 0);
  CHECK_EQ(fan_held_follows(held), UINT64_MAX);
  CHECK(fan_held_shift(held) == NULL);
  CHECK_EQ(fan_held_drop_oldest(held), 0);
  CHECK_EQ(fan_held_drop_newest(held), 0);
}

static void test_held_frames_come_out_in_order_with_what_they_follow(void) {
  fan_held held;
  fan_held_init(&held);
  check_nothing(&held);
  size_t sum = push(&held, NULL, "a", 0) + push(&held, NULL, "bb", 5) + push(&held, NULL, "c", 5);
  CHECK_EQ(held.count, 3);
  CHECK_EQ(held.bytes, sum);
  check_first(&held, "a", 0);
  check_first(&held, "bb", 5);
  sum = push(&held, NULL, "d", 9);
  check_first(&held, "c", 5);
  CHECK_EQ(held.bytes, sum);
  check_first(&held, "d", 9);
  check_nothing(&held);
  CHECK_EQ(mem_fail_live(), 0);
  fan_held_deinit(&held);
}

static void test_held_shift_hands_the_reference_over(void) {
  fan_held held;
  fan_held_init(&held);
  fan_buf *frame = frame_event("x");
  CHECK_EQ(fan_held_push(&held, frame, 1, &replaced), 0);
  CHECK_EQ(frame->refs, 2);
  CHECK(fan_held_shift(&held) == frame);
  CHECK_EQ(frame->refs, 2);
  fan_buf_unref(frame);
  fan_buf_unref(frame);
  fan_held_deinit(&held);
}

static void test_held_a_newer_frame_takes_the_place_of_one_with_its_key(void) {
  fan_held held;
  fan_held_init(&held);
  size_t first = push(&held, "a", "a1", 1);
  CHECK_EQ(replaced, 0);
  size_t sum = push(&held, "b", "b", 2) + push(&held, NULL, "plain", 3);
  CHECK_EQ(replaced, 0);
  sum += push(&held, "a", "[a2]", 4);
  CHECK_EQ(replaced, first);
  CHECK_EQ(held.count, 3);
  CHECK_EQ(held.bytes, sum);
  check_first(&held, "[a2]", 1);
  push(&held, "a", "a3", 5); /* the other one has left */
  CHECK_EQ(replaced, 0);
  check_first(&held, "b", 2);
  check_first(&held, "plain", 3);
  check_first(&held, "a3", 5);
  check_nothing(&held);
  fan_held_deinit(&held);
}

/* As if both keys had the same hash. */
static void push_hashed(fan_held *held, const char *key, const char *data) {
  fan_buf *frame = frame_keyed(key, data);
  frame->key = 77;
  CHECK_EQ(fan_held_push(held, frame, 0, &replaced), 0);
  fan_buf_unref(frame);
}

static void test_held_keys_of_one_hash_do_not_replace_each_other(void) {
  fan_held held;
  fan_held_init(&held);
  push_hashed(&held, "a", "a1");
  push_hashed(&held, "b", "b1");
  CHECK_EQ(replaced, 0);
  check_first(&held, "a1", 0); /* leaves, and takes nothing of the newer one along */
  push_hashed(&held, "b", "b2");
  CHECK(replaced > 0);
  push_hashed(&held, "a", "a2");
  CHECK_EQ(replaced, 0);
  check_first(&held, "b2", 0);
  check_first(&held, "a2", 0);
  check_nothing(&held);
  fan_held_deinit(&held);
}

static void test_held_drops_take_one_end_each(void) {
  fan_held held;
  fan_held_init(&held);
  size_t first = push(&held, "a", "a", 1), second = push(&held, "b", "bb", 2);
  size_t last = push(&held, "c", "ccc", 3);
  CHECK_EQ(fan_held_drop_oldest(&held), first);
  CHECK_EQ(fan_held_drop_newest(&held), last);
  CHECK_EQ(held.bytes, second);
  push(&held, "c", "c", 4);
  CHECK_EQ(replaced, 0);
  check_first(&held, "bb", 2);
  check_first(&held, "c", 4);
  check_nothing(&held);
  fan_held_deinit(&held);
}

static void test_held_verbatim_bytes_are_not_dropped(void) {
  fan_held held;
  fan_held_init(&held);
  for (int i = 0; i < 2; i++) {
    fan_buf *frame = fan_frame_verbatim(slice_of_text("0\r\n\r\n"));
    CHECK_EQ(fan_held_push(&held, frame, 0, &replaced), 0);
    fan_buf_unref(frame);
    CHECK_EQ(fan_held_drop_oldest(&held), 0);
    CHECK_EQ(fan_held_drop_newest(&held), 0);
    if (i == 0) push(&held, NULL, "between", 0);
  }
  CHECK_EQ(held.count, 3);
  fan_held_deinit(&held);
}

static void test_held_settles_what_leaves_it_for_good(void) {
  fan_held held;
  fan_list complete;
  fan_list_init(&complete);
  fan_held_init(&held);
  fan_buf *frame = frame_keyed("k", "x");
  CHECK_EQ(fan_ticket_attach(frame, 1), 0);
  fan_ticket_open(frame, &complete);
  fan_ticket *ticket = frame->ticket;
  for (int i = 0; i < 5; i++) fan_buf_owe(frame);
  fan_ticket_seal(frame);
  for (int i = 0; i < 2; i++) CHECK_EQ(fan_held_push(&held, frame, 0, &replaced), 0);
  CHECK_EQ(ticket->fates[FAN_DROPPED], 1); /* replaced */
  fan_held_drop_oldest(&held);
  CHECK_EQ(ticket->fates[FAN_DROPPED], 2);
  CHECK_EQ(fan_held_push(&held, frame, 0, &replaced), 0);
  fan_held_drop_newest(&held);
  CHECK_EQ(ticket->fates[FAN_DROPPED], 3);
  CHECK_EQ(fan_held_push(&held, frame, 0, &replaced), 0);
  CHECK(fan_held_shift(&held) == frame);
  CHECK_EQ(ticket->pending, 2); /* it is on its way: nothing has become of it */
  CHECK_EQ(fan_held_push(&held, frame, 0, &replaced), 0);
  fan_buf_settle(frame, FAN_WRITTEN);
  fan_buf_unref(frame);
  fan_buf_unref(frame); /* the last reference is the one that is held */
  fan_held_deinit(&held);
  CHECK(fan_list_shift(&complete) == &ticket->node);
  CHECK_EQ(ticket->fates[FAN_CLOSED], 1);
  CHECK_EQ(ticket->fates[FAN_DROPPED], 3);
  fan_free(ticket);
}

#define PUSHES 40

/* The n-th allocation fails, and the push that needed it is tried again. Answers whether there were as many. */
static bool push_with_failure(size_t n, fan_buf *const *frames) {
  fan_held held;
  fan_held_init(&held);
  mem_fail_at(n, false);
  for (unsigned i = 0; i < PUSHES; i++) {
    size_t bytes = held.bytes;
    replaced = 12345;
    int error = fan_held_push(&held, frames[i], i, &replaced);
    if (!error) continue;
    CHECK_EQ(error, FAN_ENOMEM);
    CHECK_EQ(held.count, i);
    CHECK_EQ(held.bytes, bytes);
    CHECK_EQ(replaced, 12345);
    CHECK_EQ(frames[i]->refs, 1);
    CHECK_EQ(fan_held_push(&held, frames[i], i, &replaced), 0);
  }
  bool failed = mem_fail_happened();
  mem_fail_at(1, true); /* to replace takes no memory */
  for (unsigned i = 0; i < PUSHES; i++) {
    CHECK_EQ(fan_held_push(&held, frames[i], PUSHES, &replaced), 0);
    CHECK(replaced > 0);
  }
  mem_fail_at(0, false);
  for (unsigned i = 0; i < PUSHES; i++) {
    CHECK_EQ(fan_held_follows(&held), i);
    fan_buf *frame = fan_held_shift(&held);
    CHECK(frame == frames[i]);
    fan_buf_unref(frame);
  }
  check_nothing(&held);
  fan_held_deinit(&held);
  return failed;
}

static void test_held_a_push_without_memory_adds_nothing(void) {
  fan_buf *frames[PUSHES];
  char key[16];
  for (unsigned i = 0; i < PUSHES; i++) {
    snprintf(key, sizeof key, "%u", i);
    frames[i] = frame_keyed(key, key);
  }
  size_t n = 1;
  while (push_with_failure(n, frames)) n++;
  CHECK(n > PUSHES + 4); /* one for each frame, and those of the map */
  for (unsigned i = 0; i < PUSHES; i++) fan_buf_unref(frames[i]);
}

#define MOST 200

/* What is held, as an array: `follows` tells a place apart. */
typedef struct naive {
  fan_buf *frames[MOST];
  uint64_t follows[MOST];
  unsigned count;
} naive;

static void naive_remove(naive *m, unsigned at) {
  m->count--;
  memmove(m->frames + at, m->frames + at + 1, (m->count - at) * sizeof *m->frames);
  memmove(m->follows + at, m->follows + at + 1, (m->count - at) * sizeof *m->follows);
}

static void random_push(rng *r, fan_held *held, naive *m, uint64_t follows) {
  char key[16], data[32];
  snprintf(key, sizeof key, "%u", rng_below(r, 30));
  snprintf(data, sizeof data, "%0*u", 1 + (int)rng_below(r, 20), rng_below(r, 100));
  fan_buf *frame = frame_keyed(rng_below(r, 3) ? key : NULL, data);
  unsigned at = 0;
  while (at < m->count && !fan_buf_same_key(m->frames[at], frame)) at++;
  CHECK_EQ(fan_held_push(held, frame, follows, &replaced), 0);
  CHECK_EQ(replaced, at < m->count ? fan_buf_chunked(m->frames[at]).size : 0);
  fan_buf_unref(frame);
  if (at < m->count && replaced) fan_buf_unref(m->frames[at]);
  else m->follows[m->count++] = follows;
  m->frames[at] = fan_buf_ref(frame);
}

static void random_take(rng *r, fan_held *held, naive *m) {
  uint32_t way = rng_below(r, 3);
  unsigned at = way == 1 ? m->count - 1 : 0;
  if (way == 2) {
    CHECK_EQ(fan_held_follows(held), m->follows[0]);
    fan_buf *frame = fan_held_shift(held);
    CHECK(frame == m->frames[0]);
    fan_buf_unref(frame);
  } else {
    size_t got = way == 0 ? fan_held_drop_oldest(held) : fan_held_drop_newest(held);
    CHECK_EQ(got, fan_buf_chunked(m->frames[at]).size);
  }
  fan_buf_unref(m->frames[at]);
  naive_remove(m, at);
}

static void test_held_random_use_is_like_an_array(void) {
  static naive m;
  rng r;
  rng_init(&r, seed);
  for (int round = 0; round < 50 && !check_failing(); round++) {
    fan_held held;
    fan_held_init(&held);
    m.count = 0;
    for (uint64_t step = 0; step < 500 && !check_failing(); step++) {
      if (m.count < MOST && rng_below(&r, 100) < (step < 300 ? 60 : 30)) {
        random_push(&r, &held, &m, step);
      } else if (m.count) random_take(&r, &held, &m);
      size_t sum = 0;
      for (unsigned i = 0; i < m.count; i++) sum += fan_buf_chunked(m.frames[i]).size;
      CHECK_EQ(held.count, m.count);
      CHECK_EQ(held.bytes, sum);
    }
    fan_held_deinit(&held);
    for (unsigned i = 0; i < m.count; i++) {
      CHECK_EQ(m.frames[i]->refs, 1);
      fan_buf_unref(m.frames[i]);
    }
  }
}

int main(void) {
  seed = rng_seed("test_held");
  RUN(test_held_frames_come_out_in_order_with_what_they_follow);
  RUN(test_held_shift_hands_the_reference_over);
  RUN(test_held_a_newer_frame_takes_the_place_of_one_with_its_key);
  RUN(test_held_keys_of_one_hash_do_not_replace_each_other);
  RUN(test_held_drops_take_one_end_each);
  RUN(test_held_verbatim_bytes_are_not_dropped);
  RUN(test_held_settles_what_leaves_it_for_good);
  RUN(test_held_a_push_without_memory_adds_nothing);
  RUN(test_held_random_use_is_like_an_array);
  return check_done("test_held");
}
