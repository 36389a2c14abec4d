/* replay.h: what a client is given of the history, and when it can't be. */
#include <string.h>

#include "core/err.h"
#include "core/mem.h"
#include "core/replay.h"
#include "support/check.h"
#include "support/frames.h"
#include "support/hub_world.h"
#include "support/mem_fail.h"

#define ME 7 /* the client */

static const fan_history_limits generous = {.events = 1000, .bytes = 1 << 20, .age_ms = 60000};
static fan_history h;
static fan_replay r;
static uint64_t seq, now_ms;

/* A client in these rooms whose cursor is 0. */
static void begin(const fan_history_limits *limits, uint64_t first_room, uint64_t last_room) {
  fan_history_init(&h, limits);
  fan_replay_init(&r, ME, 0, 0);
  for (uint64_t room = first_room; room <= last_room; room++)
    CHECK_EQ(fan_replay_join(&r, room, 0), 0);
  seq = 0;
  now_ms = 1000;
}

static void end(void) {
  fan_replay_deinit(&r);
  fan_history_deinit(&h);
}

static void add(const char *text) {
  fan_target *target = target_of(text);
  fan_buf *frame = frame_sized(50, 1);
  frame->seq = ++seq;
  fan_history_add(&h, target, frame, now_ms);
  fan_buf_unref(frame);
  fan_free(target);
}

static void join(uint64_t room) { CHECK_EQ(fan_replay_join(&r, room, seq), 0); }
static void leave(uint64_t room) { fan_replay_leave(&r, room, seq); }

/* The numbers of at most `most` records, given in one pass, or "lost". Static. */
static const char *some(unsigned most) {
  static char text[2000];
  size_t at = 0;
  text[0] = 0;
  if (fan_replay_open(&r, &h) != FAN_REPLAY_READY) return "lost";
  for (fan_record *record; most-- && (record = fan_replay_peek(&r)); fan_replay_advance(&r)) {
    CHECK(fan_replay_peek(&r) == record);
    at += (size_t)sprintf(text + at, at ? " %d" : "%d", (int)record->frame->seq);
    if (!CHECK(at < sizeof text - 20)) break;
  }
  return text;
}

#define CHECK_SOME(most, want)                                                                     \
  do {                                                                                             \
    const char *text_got = some(most);                                                             \
    CHECK_BYTES(text_got, strlen(text_got), (want), strlen(want));                                 \
  } while (0)
#define CHECK_REST(want) CHECK_SOME(100, want)

static void test_replay_merges_the_rooms_in_order_and_each_event_once(void) {
  begin(&generous, 1, 3);
  add("r1");
  add("r3 r1");
  add("r4");
  add("r2 r3 r1");
  add("r3");
  add("r1");
  CHECK_REST("1 2 4 5 6");
  CHECK_REST("");
  end();
}

static void test_replay_begins_behind_the_cursor(void) {
  begin(&generous, 1, 0);
  for (int i = 0; i < 6; i++) add(i % 2 ? "r1" : "r1 r2");
  fan_replay_init(&r, ME, 3, 6);
  CHECK_EQ(fan_replay_join(&r, 1, 3), 0);
  CHECK_EQ(fan_replay_join(&r, 2, 3), 0);
  CHECK_REST("4 5 6");
  end();
}

static void test_replay_of_everyone_is_one_more_room(void) {
  begin(&generous, 1, 1);
  join(FAN_EVERYONE);
  add("*");
  add("r1");
  add("*");
  CHECK_REST("1 2 3");
  end();
}

static void test_replay_goes_on_in_the_next_pass_with_what_was_not_given(void) {
  begin(&generous, 1, 2);
  add("r1");
  add("r1 r2");
  add("r2");
  CHECK_SOME(1, "1");
  CHECK_SOME(0, "");
  add("r1");
  CHECK_SOME(2, "2 3");
  add("r2");
  CHECK_REST("4 5");
  add("r1");
  CHECK_REST("6");
  end();
}

static void test_replay_gives_a_room_joined_later_from_then_on(void) {
  begin(&generous, 1, 1);
  add("r1");
  add("r2");
  join(2);
  add("r2");
  add("r1");
  CHECK_REST("1 3 4");
  end();
}

static void test_replay_gives_what_was_sent_before_the_room_was_left(void) {
  begin(&generous, 1, 2);
  add("r2");
  leave(2);
  add("r2");
  add("r1 r2");
  CHECK_REST("1 3");
  end();
}

static void test_replay_leaves_out_the_time_between_leaving_and_return(void) {
  begin(&generous, 1, 1);
  add("r1");
  leave(1);
  add("r1");
  join(1);
  add("r1");
  leave(1);
  add("r1");
  join(1);
  add("r1");
  CHECK_EQ(r.count, 3);
  CHECK_REST("1 3 5");
  CHECK_EQ(r.count, 3);
  CHECK_REST("");
  CHECK_EQ(r.count, 1); /* what is over was dropped */
  end();
}

static void test_replay_joining_where_one_left_needs_no_second_source(void) {
  begin(&generous, 1, 1);
  add("r1");
  for (int i = 0; i < 1000; i++) {
    leave(1);
    join(1);
    join(1);
  }
  add("r1");
  CHECK_EQ(r.count, 1);
  CHECK_REST("1 2");
  end();
}

static void test_replay_leaving_a_room_it_is_not_in_changes_nothing(void) {
  begin(&generous, 1, 1);
  leave(2);
  add("r1");
  leave(1);
  add("r1");
  leave(1);
  CHECK_REST("1");
  end();
}

static void test_replay_leaves_out_what_the_client_is_excepted_from(void) {
  begin(&generous, 1, 2);
  add("r1 -c7");
  add("r1 -c6 -c8");
  add("r1 -r2");
  add("r2 -r3 -r4");
  add("r1 r2 -c1 -c2 -c7");
  CHECK_REST("2 4");
  CHECK_EQ(r.cursor, 5);
  end();
}

static void test_replay_room_is_excepted_only_while_the_client_was_in_it(void) {
  begin(&generous, 1, 1);
  add("r1 -r2");
  join(2);
  add("r1 -r2");
  leave(2);
  add("r1 -r2");
  join(2);
  add("r1 -r2");
  add("r1");
  leave(2);
  add("r1 -r2");
  CHECK_SOME(1, "1");
  CHECK_REST("3 5 6");
  end();
}

static void test_replay_peek_tells_the_same_until_it_is_advanced(void) {
  begin(&generous, 1, 1);
  add("r1 -c7");
  add("r1");
  CHECK_EQ(fan_replay_open(&r, &h), FAN_REPLAY_READY);
  fan_record *record = fan_replay_peek(&r);
  CHECK_EQ(record->frame->seq, 2);
  CHECK(fan_replay_peek(&r) == record);
  fan_replay_advance(&r);
  CHECK(fan_replay_peek(&r) == NULL);
  CHECK(fan_replay_peek(&r) == NULL);
  end();
}

static void test_replay_limit_ends_every_room_there(void) {
  begin(&generous, 1, 2);
  add("r1");
  add("r2");
  fan_replay_limit(&r, seq);
  add("r1");
  add("r2");
  CHECK_SOME(1, "1");
  CHECK_REST("2");
  CHECK_REST("");
  CHECK_EQ(r.count, 0);
  end();
}

static void test_replay_is_lost_when_the_ring_let_go_of_what_was_not_given(void) {
  static const fan_history_limits limits = {.events = 2, .bytes = 1 << 20, .age_ms = 1000};
  begin(&limits, 1, 2);
  add("r1");
  add("r1");
  CHECK(fan_replay_possible(&r, &h));
  CHECK_SOME(1, "1");
  add("r1");
  CHECK(fan_replay_possible(&r, &h));
  CHECK_SOME(0, "");
  add("r1");
  CHECK(!fan_replay_possible(&r, &h));
  CHECK_REST("lost");
  end();
}

static void test_replay_is_not_lost_by_what_went_before_it_joined_or_after_it_left(void) {
  static const fan_history_limits limits = {.events = 1, .bytes = 1 << 20, .age_ms = 1000};
  begin(&limits, 1, 1);
  add("r2");
  add("r2");
  join(2);
  CHECK_REST("");
  leave(2);
  add("r2");
  add("r2");
  CHECK_REST("");
  add("r1");
  CHECK_REST("5");
  end();
}

static void test_replay_is_not_lost_by_what_the_client_was_excepted_from(void) {
  static const fan_history_limits limits = {.events = 2, .bytes = 1 << 20, .age_ms = 1000};
  begin(&limits, 1, 1);
  for (int i = 0; i < 10; i++) {
    add("r1 -c7");
    CHECK_REST(""); /* the cursor moves on */
  }
  add("r1");
  CHECK_REST("11");
  end();
}

static void test_replay_of_a_quiet_room_is_not_lost(void) {
  begin(&generous, 1, 1);
  add("r1");
  CHECK_REST("1");
  for (int i = 0; i < 50; i++) add("r2");
  fan_history_expire(&h, now_ms += 60000);
  CHECK(fan_replay_possible(&r, &h));
  add("r1");
  CHECK_REST("52");
  end();
}

static void test_replay_is_lost_when_a_room_was_forgotten_that_may_have_had_more(void) {
  begin(&generous, 1, 1);
  add("r2");
  add("r3");
  fan_history_expire(&h, now_ms += 60000);
  CHECK(fan_replay_possible(&r, &h));
  h.limits.bytes = 0;
  fan_history_expire(&h, now_ms);
  CHECK_EQ(h.floor, 2);
  CHECK(!fan_replay_possible(&r, &h));
  end();
}

static void test_replay_of_a_cursor_that_nobody_gave_is_not_possible(void) {
  static const uint64_t forged[] = {4, UINT64_MAX - 1, UINT64_MAX};
  begin(&generous, 1, 0);
  for (int i = 0; i < 3; i++) add("r1");
  for (int i = 0; i < 3; i++) {
    fan_replay_init(&r, ME, forged[i], seq);
    CHECK_EQ(fan_replay_join(&r, 1, forged[i]), 0);
    leave(1);
    join(1);
    add("r1");
    join(1);
    leave(1);
    fan_replay_limit(&r, seq);
    CHECK(!fan_replay_possible(&r, &h));
    CHECK_EQ(fan_replay_open(&r, &h), FAN_REPLAY_LOST);
    fan_replay_deinit(&r);
  }
  fan_replay_init(&r, ME, seq, seq);
  CHECK(fan_replay_possible(&r, &h));
  end();
}

static void test_replay_of_no_room_is_empty(void) {
  begin(&generous, 1, 0);
  add("r1");
  CHECK_REST("");
  end();
}

static void test_replay_asks_for_no_memory_in_a_later_pass(void) {
  begin(&generous, 1, 300);
  add("r1 r200 r300");
  CHECK_REST("1");
  add("r1 r200 r300");
  mem_fail_at(1, true);
  CHECK_REST("2");
  CHECK_EQ(mem_fail_calls(), 0);
  mem_fail_at(0, false);
  end();
}

static void test_replay_without_memory_goes_on_when_there_is_some(void) {
  begin(&generous, 1, 1);
  add("r1");
  mem_fail_at(1, true);
  CHECK_EQ(fan_replay_open(&r, &h), FAN_REPLAY_NOMEM);
  uint64_t room = 2;
  while (fan_replay_join(&r, room, seq) == 0) room++;
  CHECK(room < 10);
  CHECK_EQ(r.count, room - 1);
  CHECK_EQ(fan_replay_join(&r, room, seq), FAN_ENOMEM);
  leave(room);
  mem_fail_at(0, false);
  join(room);
  add("r2");
  char text[40];
  sprintf(text, "r1 r%d", (int)room);
  add(text);
  CHECK_REST("1 2 3");
  end();
}

int main(void) {
  RUN(test_replay_merges_the_rooms_in_order_and_each_event_once);
  RUN(test_replay_begins_behind_the_cursor);
  RUN(test_replay_of_everyone_is_one_more_room);
  RUN(test_replay_goes_on_in_the_next_pass_with_what_was_not_given);
  RUN(test_replay_gives_a_room_joined_later_from_then_on);
  RUN(test_replay_gives_what_was_sent_before_the_room_was_left);
  RUN(test_replay_leaves_out_the_time_between_leaving_and_return);
  RUN(test_replay_joining_where_one_left_needs_no_second_source);
  RUN(test_replay_leaving_a_room_it_is_not_in_changes_nothing);
  RUN(test_replay_leaves_out_what_the_client_is_excepted_from);
  RUN(test_replay_room_is_excepted_only_while_the_client_was_in_it);
  RUN(test_replay_peek_tells_the_same_until_it_is_advanced);
  RUN(test_replay_limit_ends_every_room_there);
  RUN(test_replay_is_lost_when_the_ring_let_go_of_what_was_not_given);
  RUN(test_replay_is_not_lost_by_what_went_before_it_joined_or_after_it_left);
  RUN(test_replay_is_not_lost_by_what_the_client_was_excepted_from);
  RUN(test_replay_of_a_quiet_room_is_not_lost);
  RUN(test_replay_is_lost_when_a_room_was_forgotten_that_may_have_had_more);
  RUN(test_replay_of_a_cursor_that_nobody_gave_is_not_possible);
  RUN(test_replay_of_no_room_is_empty);
  RUN(test_replay_asks_for_no_memory_in_a_later_pass);
  RUN(test_replay_without_memory_goes_on_when_there_is_some);
  return check_done("test_replay");
}
