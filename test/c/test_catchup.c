/* hub.h: clients that come back get what they missed, once and in the order of all. */
#include <string.h>

#include "core/err.h"
#include "support/check.h"
#include "support/hub_world.h"

#define EVENT 14 /* bytes of an event of one letter, as a chunk */
#define HISTORY 100

static hub_world w;

/* Even ids: their queues count chunks. */
static void come_back(uint64_t id, uint64_t room, uint64_t cursor) {
  hub_connect(&w, id);
  hub_join(&w, room, id, id);
  CHECK_EQ(hub_resume(&w, id, cursor, false), 0);
  hub_attach(&w, id);
}

static void check_is_member(uint64_t id) {
  uint64_t replayed = fan_hub_stats(w.hub)->replayed;
  hub_send(&w, id, "!");
  hub_publish_as(&w, "*", "?", (hub_special){.kept = true});
  hub_settle(&w);
  CHECK_EQ(fan_hub_stats(w.hub)->replayed, replayed);
}

static void test_catchup_gives_what_was_missed_in_all_rooms_once_and_in_order(void) {
  hub_init_history(&w, NULL, HISTORY);
  hub_keep(&w, "r10", "a");
  hub_keep(&w, "r20", "b");
  hub_keep(&w, "*", "c");
  hub_keep(&w, "r10 r20", "d");
  hub_keep(&w, "r30", "e");
  hub_keep(&w, "r10", "f");
  hub_connect(&w, 2);
  hub_join(&w, 10, 2, 2);
  hub_join(&w, 20, 2, 2);
  CHECK_EQ(hub_resume(&w, 2, 1, false), 0);
  hub_attach(&w, 2);
  hub_settle(&w);
  CHECK_RECEIVED(&w, 2, "bcdf");
  CHECK_EQ(fan_hub_stats(w.hub)->replays, 1);
  CHECK_EQ(fan_hub_stats(w.hub)->replayed, 4);
  CHECK_EQ(fan_hub_stats(w.hub)->deliveries, 4);
  check_is_member(2);
  CHECK_RECEIVED(&w, 2, "bcdf!?");
  CHECK_EQ(hub_drop_notices(&w), 0);
  hub_deinit(&w);
}

static void test_catchup_of_nothing_is_over_at_once_and_needs_no_history(void) {
  hub_init_history(&w, NULL, 2);
  hub_keep(&w, "r10", "a");
  hub_connect(&w, 2);
  hub_join(&w, 10, 2, 2);
  CHECK_EQ(hub_resume(&w, 2, 1, false), 0);
  hub_keep(&w, "r10", "bcde"); /* more than is kept, before its sink is there */
  hub_attach(&w, 2);
  hub_settle(&w);
  CHECK_RECEIVED(&w, 2, "bcde");
  hub_deinit(&w);
}

static void test_catchup_leaves_out_what_excepts_the_client_or_its_rooms(void) {
  hub_init_history(&w, NULL, HISTORY);
  hub_keep(&w, "r10 -c2", "a");
  hub_keep(&w, "r10 -c4", "b");
  hub_keep(&w, "r10 -r20", "c");
  hub_keep(&w, "* -r10", "d");
  hub_keep(&w, "r10 c2 -r30", "e");
  hub_keep(&w, "c2", "f"); /* by id: the history knows no clients */
  hub_connect(&w, 2);
  hub_join(&w, 10, 2, 2);
  hub_join(&w, 20, 2, 2);
  CHECK_EQ(hub_resume(&w, 2, 0, false), 0);
  hub_attach(&w, 2);
  hub_settle(&w);
  CHECK_RECEIVED(&w, 2, "be");
  hub_deinit(&w);
}

static void test_catchup_puts_everything_new_in_its_place(void) {
  hub_init_history(&w, NULL, HISTORY);
  hub_keep(&w, "r10", "ab");
  come_back(2, 10, 0);
  hub_send(&w, 2, "1");
  hub_keep(&w, "r10", "c");
  hub_publish(&w, "r10", "2");
  hub_publish(&w, "r10 c2", "3");
  hub_keep(&w, "*", "d");
  hub_keep(&w, "r20", "x");
  hub_send(&w, 2, "4");
  hub_keep(&w, "c2 r20", "5"); /* by id: the history files it elsewhere */
  hub_keep(&w, "r10 c2", "e");
  hub_settle(&w);
  CHECK_RECEIVED(&w, 2, "ab1c23d45e");
  check_is_member(2);
  hub_deinit(&w);
}

/* A reader that takes `bytes` at a time, while more is sent all the time. */
static void read_in_pieces(int64_t bytes) {
  static const fan_limits small = {.queue_bytes = 20 * EVENT, .total_bytes = 1 << 20};
  hub_init_history(&w, &small, HISTORY);
  hub_keep(&w, "r10", "abcdefghijklm");
  come_back(2, 10, 2);
  for (const char *more = "nopqrs"; *more; more++) {
    sink_script_answer(&w.sinks[2], bytes);
    hub_settle(&w);
    if (*more & 1) hub_send(&w, 2, (char[2]){*more, 0});
    else hub_keep(&w, "r10", ((char[2]){*more, 0}));
    sink_script_room(&w.sinks[2]);
    (void)fan_hub_writable(w.hub, 2);
  }
  hub_settle(&w);
  CHECK_RECEIVED(&w, 2, "cdefghijklmnopqrs");
  hub_deinit(&w);
}

static void test_catchup_survives_short_writes_of_every_length(void) {
  for (int64_t bytes = 0; bytes <= 3 * EVENT && !check_failing(); bytes++) read_in_pieces(bytes);
}

static void test_catchup_is_paced_by_the_socket(void) {
  hub_init_history(&w, &(fan_limits){.queue_bytes = 4 * EVENT, .total_bytes = 1 << 20}, HISTORY);
  hub_keep(&w, "r10", "abcdefgh");
  come_back(2, 10, 0);
  hub_block(&w, 2);
  hub_settle(&w);
  CHECK_EQ(fan_hub_stats(w.hub)->replayed, 2); /* half of a queue */
  hub_keep(&w, "r10", "ijkl");
  hub_settle(&w);
  CHECK_EQ(fan_hub_stats(w.hub)->replayed, 2);
  sink_script_answer(&w.sinks[2], EVENT);
  hub_unblock(&w, 2);
  hub_settle(&w);
  CHECK_RECEIVED(&w, 2, "a");
  hub_unblock(&w, 2);
  hub_settle(&w);
  CHECK_RECEIVED(&w, 2, "abcdefghijkl");
  CHECK_EQ(fan_hub_stats(w.hub)->ended[FAN_SLOW], 0);
  hub_deinit(&w);
}

static void test_catchup_to_nothing_makes_a_member(void) {
  hub_init_history(&w, NULL, HISTORY);
  hub_keep(&w, "r10", "ab");
  come_back(2, 10, 2);
  hub_settle(&w);
  CHECK_RECEIVED(&w, 2, "");
  check_is_member(2);
  CHECK_RECEIVED(&w, 2, "!?");
  CHECK_EQ(fan_hub_stats(w.hub)->resets, 0);
  hub_deinit(&w);
}

static void test_catchup_waits_for_the_sink(void) {
  hub_init_history(&w, NULL, HISTORY);
  hub_keep(&w, "r10", "ab");
  hub_connect(&w, 2);
  hub_join(&w, 10, 2, 2);
  CHECK_EQ(hub_resume(&w, 2, 0, false), 0);
  hub_settle(&w);
  hub_keep(&w, "r10", "c");
  hub_send(&w, 2, "1");
  hub_settle(&w);
  CHECK_EQ(fan_hub_stats(w.hub)->replayed, 0);
  hub_attach(&w, 2);
  hub_settle(&w);
  CHECK_RECEIVED(&w, 2, "abc1");
  hub_deinit(&w);
}

static void check_reset(uint64_t cursor, const char *received) {
  uint64_t resets = fan_hub_stats(w.hub)->resets;
  come_back(2, 10, cursor);
  hub_publish(&w, "r10", "1");
  hub_settle(&w);
  CHECK_RECEIVED(&w, 2, received);
  CHECK_EQ(hub_notice(&w, FAN_NOTICE_RESET).id, 2);
  CHECK_EQ(hub_drop_notices(&w), 0);
  CHECK_EQ(fan_hub_stats(w.hub)->resets, resets + 1);
}

static void test_catchup_that_is_impossible_is_one_reset_and_then_what_is_new(void) {
  static const uint64_t cursors[] = {1, 5, 1000, UINT64_MAX - 1, FAN_NO_CURSOR};
  for (size_t i = 0; i < sizeof cursors / sizeof *cursors; i++) {
    hub_init_history(&w, NULL, 2);
    hub_keep(&w, "r10", "abcd"); /* 1 and 2 are gone */
    check_reset(cursors[i], "R1");
    hub_deinit(&w);
  }
}

static void test_catchup_of_quiet_rooms_knows_no_reset(void) {
  hub_init_history(&w, NULL, 2);
  hub_keep(&w, "r10", "ab");
  hub_keep(&w, "r20", "vwxyz");
  come_back(2, 10, 1);
  come_back(4, 30, 0);
  hub_settle(&w);
  CHECK_RECEIVED(&w, 2, "b");
  CHECK_RECEIVED(&w, 4, "");
  CHECK_EQ(fan_hub_stats(w.hub)->resets, 0);
  hub_deinit(&w);
}

static void test_catchup_with_a_reset_needs_no_frame(void) {
  hub_init_history(&w, NULL, 2);
  hub_connect(&w, 2);
  CHECK_EQ(fan_hub_resume(w.hub, 2, FAN_NO_CURSOR, NULL, false), 0);
  hub_attach(&w, 2);
  hub_settle(&w);
  CHECK_EQ(hub_notice(&w, FAN_NOTICE_RESET).id, 2);
  CHECK_RECEIVED(&w, 2, "");
  hub_deinit(&w);
}

static void test_catchup_too_slow_for_the_history_ends_without_a_hole(void) {
  hub_init_history(&w, &(fan_limits){.queue_bytes = 4 * EVENT, .total_bytes = 1 << 20}, 6);
  hub_keep(&w, "r10", "abcdef");
  come_back(2, 10, 0);
  hub_block(&w, 2);
  hub_settle(&w);            /* a and b are queued */
  hub_keep(&w, "r10", "gh"); /* a and b are let go of */
  sink_script_answer(&w.sinks[2], EVENT + 3);
  hub_unblock(&w, 2);
  hub_settle(&w);
  hub_keep(&w, "r10", "i"); /* c is */
  hub_unblock(&w, 2);
  hub_settle(&w);
  CHECK_RECEIVED(&w, 2, "a");
  fan_notice end = hub_notice(&w, FAN_NOTICE_EVICTED);
  CHECK_EQ(end.reason, FAN_SLOW);
  CHECK_EQ(end.dropped_events, 1);
  hub_deinit(&w);
}

static void test_catchup_goes_on_while_closed_up_to_what_was_kept_then(void) {
  hub_init_history(&w, &(fan_limits){.queue_bytes = 4 * EVENT, .total_bytes = 1 << 20}, HISTORY);
  hub_keep(&w, "r10", "abcdef");
  come_back(2, 10, 0);
  hub_block(&w, 2);
  hub_settle(&w);
  hub_publish(&w, "r10", "1");
  CHECK_EQ(fan_hub_close_client(w.hub, 2, FAN_SERVER), 0);
  hub_keep(&w, "r10", "gh");
  CHECK_EQ(hub_publish(&w, "r10", "2"), 0);
  hub_unblock(&w, 2);
  hub_settle(&w);
  CHECK_RECEIVED(&w, 2, "abcdef1");
  CHECK_EQ(w.sinks[2].how, FAN_SINK_RELEASE);
  CHECK_EQ(hub_notice(&w, FAN_NOTICE_RELEASED).reason, FAN_SERVER);
  hub_deinit(&w);
}

static void test_catchup_follows_joins_and_leaves(void) {
  hub_init_history(&w, NULL, HISTORY);
  hub_keep(&w, "r10", "a");
  hub_keep(&w, "r20", "x");
  come_back(2, 10, 0);
  hub_join(&w, 20, 2, 2);
  hub_keep(&w, "r20", "b");
  CHECK_EQ(fan_hub_leave(w.hub, 2, 10), 0);
  hub_keep(&w, "r10", "y");
  hub_keep(&w, "* -r10", "c");
  hub_keep(&w, "* -r20", "z");
  hub_join(&w, 10, 2, 2);
  hub_keep(&w, "r10", "d");
  CHECK_EQ(fan_hub_leave(w.hub, 2, 99), FAN_ENOTFOUND);
  hub_settle(&w);
  CHECK_RECEIVED(&w, 2, "abcd");
  hub_deinit(&w);
}

static void test_catchup_counts_what_is_held_but_not_what_is_replayed(void) {
  static const fan_limits small = {.queue_bytes = 4 * EVENT, .total_bytes = 1 << 20};
  for (int more = 0; more <= 1; more++) {
    hub_init_history(&w, &small, HISTORY);
    hub_keep(&w, "r10", "abcdefgh");
    come_back(2, 10, 0);
    hub_block(&w, 2);
    for (int i = 0; i < 4 + more; i++) hub_send(&w, 2, "1");
    hub_settle(&w);
    CHECK_EQ(fan_hub_stats(w.hub)->ended[FAN_SLOW], more);
    if (!more) hub_unblock(&w, 2);
    hub_settle(&w);
    CHECK_RECEIVED(&w, 2, more ? "" : "abcdefgh1111");
    hub_deinit(&w);
  }
}

/* Half of the budget is 10,000 bytes; that more of a replay is queued costs nothing. */
static void test_catchup_is_not_ended_for_a_budget_that_others_exceed(void) {
  hub_init_history(&w, &(fan_limits){.queue_bytes = 1 << 20, .total_bytes = 20000}, 2000);
  for (int i = 0; i < 1500; i++) hub_keep(&w, "r10", "a");
  come_back(2, 10, 0);
  hub_open(&w, 4, 4);
  hub_block(&w, 2);
  hub_block(&w, 4);
  hub_settle(&w);
  CHECK_EQ(fan_hub_stats(w.hub)->clients, 2); /* the history alone is beyond it */
  CHECK_EQ(fan_hub_stats(w.hub)->replayed, 1024);
  hub_send_sized(&w, 4, 5000, 2);
  hub_settle(&w);
  CHECK_EQ(hub_notice(&w, FAN_NOTICE_EVICTED).id, 4);
  CHECK(fan_hub_has(w.hub, 2));
  hub_deinit(&w);
}

static void test_catchup_is_refused_to_who_ends_or_is_at_it_or_gated(void) {
  hub_init_history(&w, NULL, HISTORY);
  hub_keep(&w, "r10", "a");
  CHECK_EQ(hub_resume(&w, 2, 0, false), FAN_ENOTFOUND);
  come_back(2, 10, 0);
  CHECK_EQ(hub_resume(&w, 2, 0, false), FAN_EINVALID);
  hub_settle(&w);
  CHECK_EQ(fan_hub_gate(w.hub, 2), 0);
  CHECK_EQ(hub_resume(&w, 2, 0, false), FAN_EINVALID);
  CHECK_EQ(fan_hub_close_client(w.hub, 2, FAN_SERVER), 0);
  CHECK_EQ(hub_resume(&w, 2, 0, false), FAN_ENOTFOUND);
  hub_settle(&w);
  CHECK_RECEIVED(&w, 2, "a");
  CHECK_EQ(fan_hub_stats(w.hub)->replays, 1);
  CHECK_EQ(fan_hub_stats(w.hub)->resets, 0);
  hub_deinit(&w);
}

int main(void) {
  RUN(test_catchup_gives_what_was_missed_in_all_rooms_once_and_in_order);
  RUN(test_catchup_of_nothing_is_over_at_once_and_needs_no_history);
  RUN(test_catchup_leaves_out_what_excepts_the_client_or_its_rooms);
  RUN(test_catchup_puts_everything_new_in_its_place);
  RUN(test_catchup_survives_short_writes_of_every_length);
  RUN(test_catchup_is_paced_by_the_socket);
  RUN(test_catchup_to_nothing_makes_a_member);
  RUN(test_catchup_waits_for_the_sink);
  RUN(test_catchup_that_is_impossible_is_one_reset_and_then_what_is_new);
  RUN(test_catchup_of_quiet_rooms_knows_no_reset);
  RUN(test_catchup_with_a_reset_needs_no_frame);
  RUN(test_catchup_too_slow_for_the_history_ends_without_a_hole);
  RUN(test_catchup_goes_on_while_closed_up_to_what_was_kept_then);
  RUN(test_catchup_follows_joins_and_leaves);
  RUN(test_catchup_counts_what_is_held_but_not_what_is_replayed);
  RUN(test_catchup_is_not_ended_for_a_budget_that_others_exceed);
  RUN(test_catchup_is_refused_to_who_ends_or_is_at_it_or_gated);
  return check_done("test_catchup");
}
