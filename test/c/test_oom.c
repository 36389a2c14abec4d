/* Every entry point of the hub with the 1st, 2nd, ... allocation failing: nothing leaks, nothing breaks. */
#include <string.h>

#include "core/err.h"
#include "core/mem.h"
#include "support/check.h"
#include "support/frames.h"
#include "support/hub_world.h"
#include "support/invariants.h"
#include "support/mem_fail.h"

#define CLIENTS 6
#define ROOMS 20 /* enough for a member's map */

static const fan_limits limits = {.queue_bytes = 3000,
                                  .total_bytes = 1 << 20,
                                  .stall_ms = 5000,
                                  .idle_ms = 60000,
                                  .batch_ms = 10};

static hub_world w;
static fan_buf *beat, *frames[3];
static fan_target *target;

/* Frames and target are made while memory is there: the hub gets them ready from outside. */
static void prepare(void) {
  beat = frame_heartbeat(true);
  for (unsigned i = 0; i < 3; i++) frames[i] = frame_sized(50 + 40 * i, i);
  target = target_of("r1 r2 c3 -r7 -c4");
}

static void give_back(void) {
  fan_buf_unref(beat);
  for (unsigned i = 0; i < 3; i++) fan_buf_unref(frames[i]);
  fan_free(target);
}

static void check_now(void) {
  fan_buf *held[] = {beat, frames[0], frames[1], frames[2]};
  mem_fail_at(0, false); /* the check's own needs do not count */
  check_invariants(w.hub, held, 4);
}

static bool fine(int error) { return error == 0 || error == FAN_ENOMEM || error == FAN_ENOTFOUND; }

static void connect_all(void) {
  fan_client_config config = {100, beat, 50000};
  for (uint64_t id = 1; id <= CLIENTS; id++) {
    if (id % 3 == 0) sink_script_answer(&w.sinks[id], 70);
    CHECK(fine(fan_hub_connect(w.hub, id, &config)));
    int error = fan_hub_attach(w.hub, id, &w.sinks[id].sink);
    w.attached[id] = error == 0;
    CHECK(fine(error));
  }
}

static void join_all(void) {
  for (uint64_t id = 1; id <= CLIENTS; id++)
    for (uint64_t room = 0; room < ROOMS; room++) {
      if (room == 7 && id > 2) continue;
      int error = fan_hub_join(w.hub, id, room);
      CHECK(fine(error));
      if (error && room % 2) CHECK_EQ(fan_hub_leave(w.hub, id, room), FAN_ENOTFOUND);
    }
}

static void talk(void) {
  for (int i = 0; i < 70; i++) {
    fan_hub_publish(w.hub, target, frames[i % 3]);
    CHECK(fine(fan_hub_send(w.hub, 1 + (uint64_t)i % CLIENTS, frames[i % 2])));
    if (i % 20 == 0) fan_hub_turn(w.hub, w.now_ms += 15, 2);
  }
}

static void leave_some(void) {
  for (uint64_t room = 0; room < ROOMS; room += 3) (void)fan_hub_leave(w.hub, 2, room);
}

static void end_some(void) {
  fan_notice notice;
  sink_script_room(&w.sinks[3]);
  (void)fan_hub_writable(w.hub, 3);
  (void)fan_hub_close_client(w.hub, 1, FAN_SERVER);
  (void)fan_hub_kill_client(w.hub, 2, FAN_SERVER, true);
  (void)fan_hub_broken(w.hub, 3, FAN_EGONE);
  (void)fan_hub_wait(w.hub, w.now_ms, 0);
  (void)fan_hub_due_ms(w.hub);
  for (int i = 0; i < 5; i++) {
    fan_hub_turn(w.hub, w.now_ms += 200, 100);
    while (fan_hub_next_notice(w.hub, &notice)) CHECK(notice.id >= 1);
  }
}

static void (*const steps[])(void) = {connect_all, join_all, talk, leave_some, talk, end_some};
#define STEPS (sizeof steps / sizeof *steps)

/* The whole scenario, in whose step `at_step` the n-th allocation fails. Answers whether it did. */
static bool play(size_t at_step, size_t n, bool onward) {
  bool happened = false;
  prepare();
  hub_init(&w, &limits);
  for (size_t i = 0; i < STEPS; i++) {
    mem_fail_at(i == at_step ? n : 0, onward);
    steps[i]();
    if (i == at_step) happened = mem_fail_happened();
    check_now();
  }
  give_back();
  hub_deinit(&w);
  CHECK_EQ(mem_fail_live(), 0);
  return happened;
}

static void sweep_failures(bool onward) {
  size_t most = 0;
  for (size_t step = 0; step < STEPS; step++)
    for (size_t n = 1; play(step, n, onward) && !check_failing(); n++)
      if (n > most) most = n;
  CHECK(most > 50); /* joins alone need that many */
}

static void test_oom_one_failing_allocation_anywhere_breaks_nothing(void) { sweep_failures(false); }

static void test_oom_no_memory_from_any_point_on_breaks_nothing(void) { sweep_failures(true); }

static void test_oom_new_hub_and_target_answer_null(void) {
  mem_fail_at(1, true);
  CHECK(fan_hub_new(&limits, NULL, 1000) == NULL);
  CHECK(fan_target_new(3) == NULL);
  CHECK(mem_fail_happened());
}

static void test_oom_client_whose_queue_cannot_grow_ends_with_error(void) {
  hub_init(&w, NULL);
  hub_open(&w, 1, 2);
  hub_settle(&w);
  hub_block(&w, 1);
  hub_send(&w, 1, "a");
  hub_settle(&w);
  for (int i = 1; i < FAN_OUTQ_INLINE; i++) hub_send(&w, 1, "b");
  fan_buf *frame = frame_event("c");
  fan_target *all = target_of("*");
  mem_fail_at(1, true);
  CHECK_EQ(fan_hub_publish(w.hub, all, frame), 2); /* it was for this one, too */
  mem_fail_at(0, false);
  fan_buf_unref(frame);
  fan_free(all);
  hub_settle(&w);
  fan_notice notice = {0};
  CHECK(fan_hub_next_notice(w.hub, &notice));
  CHECK_EQ(notice.id, 1);
  CHECK_EQ(notice.kind, FAN_NOTICE_EVICTED);
  CHECK_EQ(notice.reason, FAN_ERROR);
  CHECK_EQ(notice.dropped_events, FAN_OUTQ_INLINE);
  CHECK_RECEIVED(&w, 2, "c");
  hub_deinit(&w);
}

int main(void) {
  RUN(test_oom_one_failing_allocation_anywhere_breaks_nothing);
  RUN(test_oom_no_memory_from_any_point_on_breaks_nothing);
  RUN(test_oom_new_hub_and_target_answer_null);
  RUN(test_oom_client_whose_queue_cannot_grow_ends_with_error);
  return check_done("test_oom");
}
