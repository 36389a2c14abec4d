/*
 * Coming back, gates, keys, drops and tickets with the 1st, 2nd, ... allocation failing: nothing leaks, nothing breaks, whoever
 * asks is told, and no stream has a hole. That is compared with two runs in which no allocation fails: one in which everybody
 * catches up, and one in which everybody is told of a reset. Each stream must be one of these two, or its beginning and an end.
 */
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "core/mem.h"
#include "core/ticket.h"
#include "support/check.h"
#include "support/frames.h"
#include "support/hub_world.h"
#include "support/invariants.h"
#include "support/mem_fail.h"

#define CLIENTS 6 /* 1 and 2 are there from the start, the others come back */
#define FRAMES 84
#define MISSED 24 /* of these */

typedef struct stream {
  unsigned char *bytes;
  size_t size;
} stream;

static hub_world w;
static fan_buf *frames[FRAMES], *reset_frame;
static fan_target *targets[5];
static bool lossy, all_reset;
static uint64_t pending_answers; /* of tickets: published for so many, and not told yet */
static unsigned tickets;
static stream caught_up[CLIENTS + 1], was_reset[CLIENTS + 1];

/* ---- the scenario ---- */

static bool is_private(unsigned i) { return i >= MISSED && i % 4 == 3; }
static bool is_kept(unsigned i) { return i < MISSED || i % 2 == 0; }
static bool is_tracked(unsigned i) { return !is_private(i) && i % 3 == 0; }

/* Frames and targets are made while memory is there: the hub gets them ready from outside. */
static void prepare(void) {
  static const char *const texts[] = {"r1", "*", "r2", "r1 r2 c3 -c4", "c5 c3"};
  uint64_t seq = 0;
  for (unsigned i = 0; i < 5; i++) targets[i] = target_of(texts[i]);
  for (unsigned i = 0; i < FRAMES; i++) {
    char data[] = {(char)('!' + i), 0}, key[] = {(char)('a' + i % 3), 0};
    frames[i] = lossy && !is_kept(i) ? frame_keyed(key, data) : frame_event(data);
    if (is_kept(i)) frames[i]->seq = ++seq;
    if (is_tracked(i)) CHECK_EQ(fan_ticket_attach(frames[i], i), 0);
  }
  reset_frame = frame_event("R");
  tickets = 0;
  pending_answers = 0;
}

static void give_back(void) {
  for (unsigned i = 0; i < 5; i++) fan_free(targets[i]);
  for (unsigned i = 0; i < FRAMES; i++) fan_buf_unref(frames[i]);
  fan_buf_unref(reset_frame);
}

static bool fine(int error) {
  return error == 0 || error == FAN_ENOMEM || error == FAN_ENOTFOUND || error == FAN_EINVALID;
}

/* As the inbox does it: the hub's is the last reference. */
static void hand_over(unsigned i) {
  if (is_private(i)) CHECK(fine(fan_hub_send(w.hub, 1 + i / 4 % CLIENTS, frames[i])));
  else {
    uint32_t given = fan_hub_publish(w.hub, targets[i % 5], frames[i]);
    if (is_tracked(i)) pending_answers += given;
    tickets += is_tracked(i);
  }
  fan_buf_unref(frames[i]);
  frames[i] = NULL;
}

static void take_notices(void) {
  for (fan_notice notice; fan_hub_next_notice(w.hub, &notice);) {
    if (notice.kind != FAN_NOTICE_DELIVERED) continue;
    tickets--;
    pending_answers -= notice.written + notice.dropped + notice.closed;
  }
}

static void turn(void) {
  fan_hub_turn(w.hub, w.now_ms += 7, 100);
  take_notices();
}

static void some_room(void) {
  for (uint64_t id = 1; id <= CLIENTS; id++) {
    sink_script *sink = &w.sinks[id];
    if (!sink->full || !sink->wanting) continue;
    sink_script_answer(sink, (int64_t)(10 + 3 * id));
    sink_script_room(sink);
    (void)fan_hub_writable(w.hub, id);
  }
}

static void publish(unsigned from, unsigned to) {
  for (unsigned i = from; i < to; i++) {
    hand_over(i);
    if (i % 5 == 0) turn();
    if (i % 4 == 0) some_room();
  }
}

static void come(uint64_t first, uint64_t last) {
  hub_open(&w, first, last);
  hub_join(&w, 1, first, last);
  for (uint64_t id = first + (first & 1); id <= last; id += 2) hub_join(&w, 2, id, id);
  for (uint64_t id = first; id <= last; id++) sink_script_answer(&w.sinks[id], (int64_t)(5 * id));
}

static void send_what_is_missed(void) { publish(0, MISSED); }

static void resume_all(void) {
  for (uint64_t id = 3; id <= CLIENTS; id++) {
    uint64_t cursor = all_reset ? FAN_NO_CURSOR : 3 * id;
    CHECK(fine(fan_hub_resume(w.hub, id, cursor, reset_frame, id < 5)));
  }
}

static void send_to_all(void) { publish(MISSED, 54); }

static void gate_and_ungate(void) {
  for (uint64_t id = 3; id <= CLIENTS; id++) CHECK(fine(fan_hub_ungate(w.hub, id)));
  CHECK(fine(fan_hub_gate(w.hub, 1)));
  publish(54, 70);
  CHECK(fine(fan_hub_ungate(w.hub, 1)));
}

static void close_some(void) {
  (void)fan_hub_close_client(w.hub, 2, FAN_SERVER);
  (void)fan_hub_close_client(w.hub, 6, FAN_SERVER);
  publish(70, FRAMES);
}

static void let_all_read(void) {
  for (int i = 0; i < 60; i++) {
    for (uint64_t id = 1; id <= CLIENTS; id++) {
      w.sinks[id].next = w.sinks[id].count;
      sink_script_room(&w.sinks[id]);
      (void)fan_hub_writable(w.hub, id);
    }
    turn();
  }
}

/* ---- one run ---- */

static void check_now(void) {
  fan_buf *held[FRAMES + 1];
  memcpy(held, frames, sizeof frames);
  held[FRAMES] = reset_frame;
  mem_fail_at(0, false); /* the check's own needs do not count */
  check_invariants(w.hub, held, FRAMES + 1);
}

static void (*const steps[])(void) = {send_what_is_missed, resume_all, send_to_all,
                                      gate_and_ungate,     close_some, let_all_read};
#define STEPS (sizeof steps / sizeof *steps)

/* What a run leaves behind is looked at, or kept, by `look`. Answers whether the allocation failed. */
static bool play(size_t at_step, size_t n, bool onward, void (*look)(void)) {
  static const fan_limits roomy = {.queue_bytes = 4000, .total_bytes = 1 << 20, .stall_ms = 5000};
  static const fan_limits tight = {.queue_bytes = 60,
                                   .total_bytes = 1 << 20,
                                   .stall_ms = 5000,
                                   .overflow = FAN_OVERFLOW_DROP_OLDEST};
  bool happened = false;
  prepare();
  hub_init_history(&w, lossy ? &tight : &roomy, 1000);
  come(1, 2);
  for (size_t i = 0; i < STEPS; i++) {
    if (i == 1) come(3, CLIENTS);
    mem_fail_at(i == at_step ? n : 0, onward);
    steps[i]();
    if (i == at_step) happened = mem_fail_happened();
    check_now();
  }
  CHECK_EQ(tickets, 0);
  CHECK_EQ(pending_answers, 0);
  look();
  give_back();
  hub_deinit(&w);
  CHECK_EQ(mem_fail_live(), 0);
  return happened;
}

static void keep(stream *streams) {
  for (uint64_t id = 1; id <= CLIENTS; id++) {
    stream *s = &streams[id];
    s->size = w.sinks[id].size;
    s->bytes = realloc(s->bytes, s->size);
    if (!s->bytes) abort();
    memcpy(s->bytes, w.sinks[id].bytes, s->size);
  }
}

static void keep_caught_up(void) { keep(caught_up); }
static void keep_was_reset(void) { keep(was_reset); }
static void look_away(void) {}

/* `whole`: it may not end before. */
static bool is_beginning(const sink_script *sink, const stream *of, bool whole) {
  if (whole ? sink->size != of->size : sink->size > of->size) return false;
  return !sink->size || memcmp(sink->bytes, of->bytes, sink->size) == 0;
}

static void look_for_holes(void) {
  for (uint64_t id = 1; id <= CLIENTS; id++) {
    const sink_script *sink = &w.sinks[id];
    bool whole = !sink->closed || sink->how == FAN_SINK_RELEASE;
    CHECK(is_beginning(sink, &caught_up[id], whole) || is_beginning(sink, &was_reset[id], whole));
  }
}

static void sweep_failures(bool onward, void (*look)(void)) {
  size_t most = 0;
  for (size_t step = 0; step < STEPS; step++)
    for (size_t n = 1; play(step, n, onward, look) && !check_failing(); n++)
      if (n > most) most = n;
  CHECK(most > 20);
}

static void check_references(void) {
  for (uint64_t id = 1; id <= CLIENTS; id++) {
    bool same = caught_up[id].size == was_reset[id].size &&
                memcmp(caught_up[id].bytes, was_reset[id].bytes, caught_up[id].size) == 0;
    CHECK(same == (id < 3) && caught_up[id].size > 250 && was_reset[id].size > 250);
  }
}

static void test_oom_no_stream_has_a_hole(void) {
  lossy = false;
  all_reset = true;
  play(STEPS, 0, false, keep_was_reset);
  all_reset = false;
  play(STEPS, 0, false, keep_caught_up);
  check_references();
  sweep_failures(false, look_for_holes);
  sweep_failures(true, look_for_holes);
  all_reset = true;
  sweep_failures(false, look_for_holes);
  for (uint64_t id = 1; id <= CLIENTS; id++) {
    free(caught_up[id].bytes);
    free(was_reset[id].bytes);
  }
}

static void test_oom_dropping_and_replacing_breaks_nothing(void) {
  lossy = true;
  all_reset = false;
  sweep_failures(false, look_away);
  sweep_failures(true, look_away);
}

static void test_oom_resume_or_gate_that_fails_ends_the_client(void) {
  for (int what = 0; what < 3; what++) {
    hub_init_history(&w, NULL, 10);
    hub_open(&w, 1, 1);
    mem_fail_at(1, true);
    CHECK_EQ(what == 0   ? fan_hub_resume(w.hub, 1, 0, NULL, false)
             : what == 1 ? fan_hub_resume(w.hub, 1, FAN_NO_CURSOR, NULL, true)
                         : fan_hub_gate(w.hub, 1),
             FAN_ENOMEM);
    CHECK(mem_fail_happened());
    mem_fail_at(0, false);
    CHECK(!fan_hub_has(w.hub, 1));
    check_invariants(w.hub, NULL, 0);
    hub_settle(&w);
    CHECK_EQ(hub_notice(&w, FAN_NOTICE_EVICTED).reason, FAN_ERROR);
    CHECK_EQ(fan_hub_stats(w.hub)->replays + fan_hub_stats(w.hub)->resets, 0);
    hub_deinit(&w);
  }
}

int main(void) {
  RUN(test_oom_no_stream_has_a_hole);
  RUN(test_oom_dropping_and_replacing_breaks_nothing);
  RUN(test_oom_resume_or_gate_that_fails_ends_the_client);
  return check_done("test_oom_catchup");
}
