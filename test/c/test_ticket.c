/* ticket.h: a ticket is complete once, with the fate of every reference in it. */
#include "core/err.h"
#include "core/frame.h"
#include "core/mem.h"
#include "core/ticket.h"
#include "support/check.h"
#include "support/frames.h"
#include "support/mem_fail.h"
#include "support/random.h"

static uint64_t seed;
static fan_list complete;

static fan_buf *tracked(uint64_t id) {
  fan_buf *frame = frame_event("x");
  CHECK_EQ(fan_ticket_attach(frame, id), 0);
  fan_list_init(&complete);
  return frame;
}

/* Frees the next complete ticket; answers its id, 0: there is none. */
static uint64_t take(uint32_t written, uint32_t dropped, uint32_t closed) {
  fan_list *node = fan_list_shift(&complete);
  if (!node) return 0;
  fan_ticket *ticket = fan_list_entry(node, fan_ticket, node);
  uint64_t id = ticket->id;
  CHECK_EQ(ticket->fates[FAN_WRITTEN], written);
  CHECK_EQ(ticket->fates[FAN_DROPPED], dropped);
  CHECK_EQ(ticket->fates[FAN_CLOSED], closed);
  CHECK_EQ(ticket->pending, 0);
  CHECK(ticket->frame == NULL);
  fan_free(ticket);
  return id;
}

static void test_ticket_a_frame_without_one_takes_every_call(void) {
  fan_buf *frame = frame_event("x");
  fan_list_init(&complete);
  fan_ticket_open(frame, &complete);
  fan_buf_owe(frame);
  fan_ticket_seal(frame);
  fan_buf_settle(frame, FAN_WRITTEN);
  CHECK(fan_list_empty(&complete));
  CHECK(!frame->tracked);
  fan_buf_unref(frame);
}

static void test_ticket_of_a_frame_for_nobody_is_complete_when_sealed(void) {
  fan_buf *frame = tracked(7);
  CHECK(frame->tracked);
  fan_ticket_open(frame, &complete);
  CHECK(fan_list_empty(&complete));
  fan_ticket_seal(frame);
  CHECK(frame->ticket == NULL);
  CHECK(frame->tracked);
  CHECK_EQ(take(0, 0, 0), 7);
  fan_buf_unref(frame);
}

static void test_ticket_is_not_complete_within_the_fan_out(void) {
  fan_buf *frame = tracked(7);
  fan_ticket_open(frame, &complete);
  for (int i = 0; i < 3; i++) {
    fan_buf_owe(frame);
    fan_buf_settle(frame, FAN_DROPPED); /* given back at once; more may come */
    CHECK(fan_list_empty(&complete));
  }
  fan_ticket_seal(frame);
  CHECK_EQ(take(0, 3, 0), 7);
  fan_buf_unref(frame);
}

static void test_ticket_is_complete_with_the_last_fate(void) {
  fan_buf *frame = tracked(7);
  fan_ticket_open(frame, &complete);
  for (int i = 0; i < 4; i++) fan_buf_owe(frame);
  fan_ticket_seal(frame);
  fan_buf_settle(frame, FAN_WRITTEN);
  fan_buf_settle(frame, FAN_CLOSED);
  fan_buf_settle(frame, FAN_DROPPED);
  CHECK(fan_list_empty(&complete));
  fan_buf_settle(frame, FAN_WRITTEN);
  CHECK(frame->ticket == NULL);
  CHECK_EQ(take(2, 1, 1), 7);
  fan_buf_unref(frame);
}

static void test_ticket_outlives_its_frame_once_complete(void) {
  fan_buf *frame = tracked(9);
  fan_ticket_open(frame, &complete);
  fan_ticket_seal(frame);
  fan_buf_unref(frame);
  CHECK_EQ(take(0, 0, 0), 9);
}

static void test_ticket_counts_nothing_of_a_later_fan_out(void) {
  fan_buf *frame = tracked(7);
  fan_ticket_open(frame, &complete);
  fan_buf_owe(frame);
  fan_ticket_seal(frame);
  fan_buf_settle(frame, FAN_WRITTEN);
  fan_buf_owe(frame); /* a replay of the same frame */
  fan_buf_settle(frame, FAN_CLOSED);
  CHECK_EQ(take(1, 0, 0), 7);
  CHECK_EQ(take(0, 0, 0), 0);
  fan_buf_unref(frame);
}

static void test_ticket_never_opened_is_freed_with_its_frame(void) {
  fan_buf *frame = tracked(7);
  CHECK_EQ(mem_fail_live(), 2);
  fan_buf_unref(frame);
  CHECK_EQ(mem_fail_live(), 0);
}

static void test_ticket_attach_without_memory_leaves_the_frame_as_it_was(void) {
  fan_buf *frame = frame_event("x");
  mem_fail_at(1, false);
  CHECK_EQ(fan_ticket_attach(frame, 7), FAN_ENOMEM);
  CHECK(frame->ticket == NULL && !frame->tracked);
  CHECK_EQ(fan_ticket_attach(frame, 7), 0);
  fan_buf_unref(frame);
}

#define FRAMES 20

/* Settled in any order over many frames. */
static void test_ticket_random_fates_complete_with_the_last_and_not_before(void) {
  rng r;
  rng_init(&r, seed);
  for (int round = 0; round < 200 && !check_failing(); round++) {
    fan_buf *frames[FRAMES];
    uint32_t owed[FRAMES], fates[FRAMES][FAN_FATES] = {{0}}, open = 0;
    fan_list_init(&complete);
    for (unsigned i = 0; i < FRAMES; i++) {
      frames[i] = frame_event("x");
      CHECK_EQ(fan_ticket_attach(frames[i], i + 1), 0);
      fan_ticket_open(frames[i], &complete);
      owed[i] = 1 + rng_below(&r, 9);
      open += owed[i];
      for (uint32_t n = owed[i]; n; n--) fan_buf_owe(frames[i]);
      fan_ticket_seal(frames[i]);
    }
    while (open) {
      uint32_t i = rng_below(&r, FRAMES), fate = rng_below(&r, FAN_FATES);
      if (!owed[i]) continue;
      fates[i][fate]++;
      open--;
      fan_buf_settle(frames[i], (enum fan_fate)fate);
      uint64_t got = take(fates[i][FAN_WRITTEN], fates[i][FAN_DROPPED], fates[i][FAN_CLOSED]);
      CHECK_EQ(got, --owed[i] ? 0 : i + 1);
    }
    for (unsigned i = 0; i < FRAMES; i++) fan_buf_unref(frames[i]);
  }
}

int main(void) {
  seed = rng_seed("test_ticket");
  RUN(test_ticket_a_frame_without_one_takes_every_call);
  RUN(test_ticket_of_a_frame_for_nobody_is_complete_when_sealed);
  RUN(test_ticket_is_not_complete_within_the_fan_out);
  RUN(test_ticket_is_complete_with_the_last_fate);
  RUN(test_ticket_outlives_its_frame_once_complete);
  RUN(test_ticket_counts_nothing_of_a_later_fan_out);
  RUN(test_ticket_never_opened_is_freed_with_its_frame);
  RUN(test_ticket_attach_without_memory_leaves_the_frame_as_it_was);
  RUN(test_ticket_random_fates_complete_with_the_last_and_not_before);
  return check_done("test_ticket");
}
