/* client.h through the hub: what a queue past its limit lets go of, by policy; keys; and how all of it is told. */
#include <string.h>

#include "core/err.h"
#include "core/frame.h"
#include "support/check.h"
#include "support/frames.h"
#include "support/hub_world.h"

#define EVENT 14 /* bytes of an event of one letter, as a chunk */

static hub_world w;

static const hub_special plain = {0};

/* Clients 2 and 4 (their queues count chunks) with room for four events; 2 takes nothing. */
static void open_blocked(enum fan_overflow overflow) {
  hub_init(&w,
           &(fan_limits){.queue_bytes = 4 * EVENT, .total_bytes = 1 << 20, .overflow = overflow});
  hub_open(&w, 2, 2);
  hub_open(&w, 4, 4);
  hub_block(&w, 2);
}

static void each(const char *letters) { hub_publish_each(&w, "*", letters, plain); }

static void keyed(const char *key, const char *data) {
  hub_publish_as(&w, "*", data, (hub_special){.key = key});
}

static void read_all(void) {
  hub_unblock(&w, 2);
  hub_settle(&w);
}

static void check_drop(enum fan_drop drop, uint64_t events) {
  fan_notice notice = hub_notice(&w, FAN_NOTICE_DROP);
  CHECK_EQ(notice.id, 2);
  CHECK_EQ(notice.drop, drop);
  CHECK_EQ(notice.reason, FAN_NO_REASON);
  CHECK_EQ(notice.dropped_events, events);
  CHECK_EQ(notice.dropped_bytes, events * EVENT);
}

static void check_no_notice(void) {
  fan_notice notice;
  CHECK(!fan_hub_next_notice(w.hub, &notice));
}

static void test_overflow_disconnect_ends_with_the_beginning(void) {
  open_blocked(FAN_OVERFLOW_DISCONNECT);
  each("abcd");
  hub_settle(&w);
  sink_script_answer(&w.sinks[2], EVENT);
  hub_unblock(&w, 2);
  hub_settle(&w);
  each("ef");
  hub_settle(&w);
  CHECK_RECEIVED(&w, 2, "a");
  CHECK_RECEIVED(&w, 4, "abcdef");
  fan_notice end = hub_notice(&w, FAN_NOTICE_EVICTED);
  CHECK_EQ(end.reason, FAN_SLOW);
  CHECK_EQ(end.dropped_events, 5);
  check_no_notice();
  hub_deinit(&w);
}

static void test_overflow_drop_oldest_sees_the_newest(void) {
  open_blocked(FAN_OVERFLOW_DROP_OLDEST);
  for (int i = 0; i < 26; i++) {
    each(((char[2]){(char)('a' + i), 0}));
    hub_settle(&w);
  }
  read_all();
  CHECK_RECEIVED(&w, 2, "wxyz");
  CHECK_RECEIVED(&w, 4, "abcdefghijklmnopqrstuvwxyz");
  CHECK_EQ(fan_hub_stats(w.hub)->shed_events[FAN_DROP_OLDEST], 22);
  CHECK_EQ(fan_hub_stats(w.hub)->shed_bytes[FAN_DROP_OLDEST], 22 * EVENT);
  CHECK_EQ(fan_hub_stats(w.hub)->clients, 2);
  hub_deinit(&w);
}

static void test_overflow_drop_newest_sees_the_oldest(void) {
  open_blocked(FAN_OVERFLOW_DROP_NEWEST);
  each("abcdefg");
  hub_settle(&w);
  each("hi");
  hub_settle(&w);
  read_all();
  CHECK_RECEIVED(&w, 2, "abcd");
  CHECK_RECEIVED(&w, 4, "abcdefghi");
  CHECK_EQ(fan_hub_stats(w.hub)->shed_events[FAN_DROP_NEWEST], 5);
  each("j");
  hub_settle(&w);
  CHECK_RECEIVED(&w, 2, "abcdj");
  hub_deinit(&w);
}

static void test_overflow_is_judged_after_a_write_was_tried(void) {
  for (int overflow = 0; overflow < 3; overflow++) {
    open_blocked((enum fan_overflow)overflow);
    each("abcdefghijklmnopqrstuvwxyz");
    hub_settle(&w);
    CHECK_RECEIVED(&w, 4, "abcdefghijklmnopqrstuvwxyz");
    CHECK(fan_hub_has(w.hub, 4));
    hub_deinit(&w);
  }
}

static void check_begun(enum fan_overflow overflow, const char *received) {
  for (int64_t bytes = 1; bytes < EVENT && !check_failing(); bytes++) {
    open_blocked(overflow);
    each("a");
    hub_settle(&w);
    sink_script_answer(&w.sinks[2], bytes);
    hub_unblock(&w, 2);
    hub_settle(&w);
    each("bcdefg");
    hub_settle(&w);
    read_all();
    CHECK_RECEIVED(&w, 2, received);
    hub_deinit(&w);
  }
}

static void test_overflow_finishes_the_event_that_is_begun(void) {
  check_begun(FAN_OVERFLOW_DROP_OLDEST, "aefg"); /* what is left of a counts */
  check_begun(FAN_OVERFLOW_DROP_NEWEST, "abcd");
}

static void test_overflow_one_event_always_fits(void) {
  for (int overflow = 0; overflow < 3; overflow++) {
    open_blocked((enum fan_overflow)overflow);
    hub_send_sized(&w, 2, 1000, 1);
    hub_settle(&w);
    CHECK(fan_hub_has(w.hub, 2));
    read_all();
    CHECK(w.sinks[2].size > 1000);
    hub_block(&w, 2);
    each("a");
    hub_settle(&w);
    hub_send_sized(&w, 2, 1000, 1); /* behind another one it does not, unless that may go */
    hub_settle(&w);
    CHECK(fan_hub_has(w.hub, 2) == (overflow != FAN_OVERFLOW_DISCONNECT));
    if (fan_hub_has(w.hub, 2)) read_all();
    CHECK_EQ(w.sinks[2].size > 2000, overflow == FAN_OVERFLOW_DROP_OLDEST);
    hub_deinit(&w);
  }
}

static void test_overflow_never_drops_verbatim_bytes(void) {
  for (int overflow = 0; overflow < 3; overflow++) {
    open_blocked((enum fan_overflow)overflow);
    fan_buf *verbatim = fan_frame_verbatim(slice_of_text("14\r\nabcdefghijklmnopqrst\r\n"));
    if (overflow == FAN_OVERFLOW_DROP_NEWEST) each("123");
    CHECK_EQ(fan_hub_send(w.hub, 2, verbatim), 0);
    if (overflow == FAN_OVERFLOW_DROP_OLDEST) each("123");
    else CHECK_EQ(fan_hub_send(w.hub, 2, verbatim), 0);
    fan_buf_unref(verbatim);
    hub_settle(&w);
    if (overflow == FAN_OVERFLOW_DISCONNECT) {
      CHECK(fan_hub_has(w.hub, 2)); /* 52 bytes are not too much */
      each("1");
      hub_settle(&w);
    }
    CHECK(!fan_hub_has(w.hub, 2));
    CHECK_EQ(fan_hub_stats(w.hub)->ended[FAN_SLOW], 1);
    CHECK_EQ(w.sinks[2].size, 0);
    hub_deinit(&w);
  }
}

static void test_overflow_drops_before_the_sink_is_there(void) {
  hub_init(&w, &(fan_limits){.queue_bytes = 4 * EVENT,
                             .total_bytes = 1 << 20,
                             .overflow = FAN_OVERFLOW_DROP_OLDEST});
  hub_connect(&w, 2);
  each("abcdefgh");
  hub_settle(&w);
  hub_attach(&w, 2);
  hub_settle(&w);
  CHECK_RECEIVED(&w, 2, "efgh");
  hub_deinit(&w);
}

static void test_overflow_does_not_touch_who_is_being_closed(void) {
  open_blocked(FAN_OVERFLOW_DROP_OLDEST);
  each("abcdefgh");
  CHECK_EQ(fan_hub_close_client(w.hub, 2, FAN_SERVER), 0);
  hub_settle(&w);
  read_all();
  CHECK_RECEIVED(&w, 2, "abcdefgh");
  CHECK_EQ(hub_notice(&w, FAN_NOTICE_RELEASED).dropped_events, 0);
  hub_deinit(&w);
}

/* ---- keys ---- */

static void test_key_replaces_in_place_and_loses_nothing_else(void) {
  open_blocked(FAN_OVERFLOW_DISCONNECT);
  keyed("k", "1");
  each("a");
  keyed("l", "5");
  keyed("k", "2");
  each("b");
  hub_settle(&w);
  keyed("k", "3");
  keyed("l", "6");
  hub_settle(&w);
  read_all();
  CHECK_RECEIVED(&w, 2, "3a6b");
  CHECK_RECEIVED(&w, 4, "2a5b36"); /* replaced only what had not left yet */
  CHECK_EQ(fan_hub_stats(w.hub)->shed_events[FAN_DROP_REPLACED], 2 + 2);
  CHECK(fan_hub_has(w.hub, 2));
  keyed("k", "4");
  hub_settle(&w);
  CHECK_RECEIVED(&w, 2, "3a6b4");
  hub_deinit(&w);
}

static void test_key_of_an_event_that_is_begun_is_queued_behind_it(void) {
  open_blocked(FAN_OVERFLOW_DISCONNECT);
  keyed("k", "1");
  hub_settle(&w);
  sink_script_answer(&w.sinks[2], 5);
  hub_unblock(&w, 2);
  hub_settle(&w);
  keyed("k", "2");
  keyed("k", "3");
  hub_settle(&w);
  read_all();
  CHECK_RECEIVED(&w, 2, "13");
  hub_deinit(&w);
}

static void test_key_bounds_the_queue_of_a_stalled_reader(void) {
  hub_init(&w, &(fan_limits){.queue_bytes = 101 * EVENT, .total_bytes = 1 << 20});
  hub_open(&w, 2, 2);
  hub_block(&w, 2);
  for (int round = 0; round < 50; round++) {
    char key[] = "00", data[] = {(char)('a' + round % 26), 0};
    for (int i = 0; i < 100; i++) {
      key[0] = (char)('0' + i / 10);
      key[1] = (char)('0' + i % 10);
      keyed(key, data);
    }
    if (round == 25) each("!");
    hub_settle(&w);
  }
  read_all();
  const char *got = hub_received(&w, 2);
  CHECK_EQ(strlen(got), 101);
  CHECK_EQ(strspn(got, "x"), 100); /* round 49 */
  CHECK_EQ(got[100], '!');
  CHECK_EQ(fan_hub_stats(w.hub)->shed_events[FAN_DROP_REPLACED], 49 * 100);
  hub_deinit(&w);
}

static void test_key_survives_what_a_policy_drops_around_it(void) {
  open_blocked(FAN_OVERFLOW_DROP_OLDEST);
  each("ab");
  keyed("k", "1");
  each("cdef"); /* a, b and 1 give way */
  hub_settle(&w);
  keyed("k", "2");
  hub_settle(&w);
  keyed("k", "3");
  hub_settle(&w);
  read_all();
  CHECK_RECEIVED(&w, 2, "def3");
  CHECK_EQ(fan_hub_stats(w.hub)->shed_events[FAN_DROP_REPLACED], 1);
  CHECK_EQ(fan_hub_stats(w.hub)->shed_events[FAN_DROP_OLDEST], 4);
  hub_deinit(&w);
}

/* ---- how it is told ---- */

static void test_drop_is_told_at_once_then_in_sums_once_a_second(void) {
  open_blocked(FAN_OVERFLOW_DROP_NEWEST);
  each("abcdef");
  hub_settle(&w);
  check_drop(FAN_DROP_NEWEST, 2);
  for (int i = 0; i < 9; i++) {
    hub_pass(&w, 100);
    each("x");
    hub_settle(&w);
    check_no_notice();
  }
  hub_pass(&w, 99);
  check_no_notice();
  hub_pass(&w, 1 + FAN_TICK_MS);
  check_drop(FAN_DROP_NEWEST, 9);
  check_no_notice();
  hub_pass(&w, 3000);
  check_no_notice(); /* nothing to tell */
  each("y");
  hub_settle(&w);
  check_drop(FAN_DROP_NEWEST, 1);
  CHECK_EQ(fan_hub_stats(w.hub)->shed_events[FAN_DROP_NEWEST], 12);
  hub_deinit(&w);
}

static void test_drop_is_told_for_each_reason_and_client(void) {
  open_blocked(FAN_OVERFLOW_DROP_OLDEST);
  keyed("k", "1");
  keyed("k", "2");
  each("abcde");
  hub_settle(&w);
  fan_notice notice;
  uint64_t events[FAN_DROP_COUNT] = {0};
  while (fan_hub_next_notice(w.hub, &notice)) {
    CHECK_EQ(notice.kind, FAN_NOTICE_DROP);
    if (notice.id == 2) events[notice.drop] += notice.dropped_events;
    else CHECK(notice.id == 4 && notice.drop == FAN_DROP_REPLACED && notice.dropped_events == 1);
  }
  CHECK_EQ(events[FAN_DROP_REPLACED], 1);
  CHECK_EQ(events[FAN_DROP_OLDEST], 2);
  hub_deinit(&w);
}

static void test_drop_not_told_yet_is_told_before_the_end(void) {
  open_blocked(FAN_OVERFLOW_DROP_NEWEST);
  each("abcde");
  hub_settle(&w);
  check_drop(FAN_DROP_NEWEST, 1);
  each("fg");
  hub_settle(&w);
  check_no_notice();
  CHECK_EQ(fan_hub_kill_client(w.hub, 2, FAN_SERVER, false), 0);
  hub_settle(&w);
  check_drop(FAN_DROP_NEWEST, 2);
  CHECK_EQ(hub_notice(&w, FAN_NOTICE_EVICTED).dropped_events, 4);
  check_no_notice();
  hub_deinit(&w);
}

static void test_drop_of_who_drains_is_told_in_time(void) {
  open_blocked(FAN_OVERFLOW_DROP_NEWEST);
  each("abcde");
  hub_settle(&w);
  check_drop(FAN_DROP_NEWEST, 1);
  each("f");
  hub_settle(&w);
  CHECK_EQ(fan_hub_close_client(w.hub, 2, FAN_SERVER), 0);
  hub_pass(&w, FAN_SHED_MS + FAN_TICK_MS);
  check_drop(FAN_DROP_NEWEST, 1);
  check_no_notice();
  hub_deinit(&w);
}

static void test_drop_of_who_is_killed_quietly_is_not_told(void) {
  open_blocked(FAN_OVERFLOW_DROP_NEWEST);
  each("abcde");
  hub_settle(&w);
  CHECK_EQ(fan_hub_kill_client(w.hub, 2, FAN_CLIENT, true), 0);
  hub_settle(&w);
  check_no_notice();
  CHECK_EQ(fan_hub_stats(w.hub)->shed_events[FAN_DROP_NEWEST], 1);
  hub_deinit(&w);
}

/* Half of the budget is 10,000 bytes. */
static void test_budget_does_not_count_what_the_history_holds(void) {
  hub_init_history(&w, &(fan_limits){.queue_bytes = 1 << 20, .total_bytes = 20000}, 1000);
  hub_open(&w, 2, 2);
  hub_block(&w, 2);
  for (int i = 0; i < 20; i++) hub_keep(&w, "*", "abcdefghijklmnopqrstuvwxyz");
  hub_settle(&w);
  CHECK(fan_hub_held_bytes(w.hub) > 20000);
  CHECK(fan_hub_has(w.hub, 2));
  hub_send_sized(&w, 2, 1000, 11);
  hub_settle(&w);
  CHECK_EQ(fan_hub_stats(w.hub)->ended[FAN_SLOW], 1);
  hub_deinit(&w);
}

int main(void) {
  RUN(test_overflow_disconnect_ends_with_the_beginning);
  RUN(test_overflow_drop_oldest_sees_the_newest);
  RUN(test_overflow_drop_newest_sees_the_oldest);
  RUN(test_overflow_is_judged_after_a_write_was_tried);
  RUN(test_overflow_finishes_the_event_that_is_begun);
  RUN(test_overflow_one_event_always_fits);
  RUN(test_overflow_never_drops_verbatim_bytes);
  RUN(test_overflow_drops_before_the_sink_is_there);
  RUN(test_overflow_does_not_touch_who_is_being_closed);
  RUN(test_key_replaces_in_place_and_loses_nothing_else);
  RUN(test_key_of_an_event_that_is_begun_is_queued_behind_it);
  RUN(test_key_bounds_the_queue_of_a_stalled_reader);
  RUN(test_key_survives_what_a_policy_drops_around_it);
  RUN(test_drop_is_told_at_once_then_in_sums_once_a_second);
  RUN(test_drop_is_told_for_each_reason_and_client);
  RUN(test_drop_not_told_yet_is_told_before_the_end);
  RUN(test_drop_of_who_drains_is_told_in_time);
  RUN(test_drop_of_who_is_killed_quietly_is_not_told);
  RUN(test_budget_does_not_count_what_the_history_holds);
  return check_done("test_overflow");
}
