/* hub.h: how clients end, the byte budget, notices, and that everything settles to nothing. */
#include <string.h>

#include "core/err.h"
#include "core/mem.h"
#include "support/check.h"
#include "support/frames.h"
#include "support/hub_world.h"
#include "support/mem_fail.h"

static hub_world w;

static const fan_limits tight = {.queue_bytes = 1 << 20, .total_bytes = 100000};

static void check_notice(enum fan_notice_kind kind, uint64_t id, enum fan_reason reason) {
  fan_notice notice = {0};
  if (!CHECK(fan_hub_next_notice(w.hub, &notice))) return;
  CHECK_EQ(notice.kind, kind);
  CHECK_EQ(notice.id, id);
  CHECK_EQ(notice.reason, reason);
}

static void check_no_notice(void) {
  fan_notice notice;
  CHECK(!fan_hub_next_notice(w.hub, &notice));
}

static void test_hub_kill_takes_effect_at_once_and_is_swept_by_the_turn(void) {
  hub_init(&w, NULL);
  hub_open(&w, 1, 2);
  hub_join(&w, 10, 1, 2);
  hub_settle(&w);
  CHECK_EQ(fan_hub_kill_client(w.hub, 1, FAN_SERVER, false), 0);
  CHECK(fan_hub_due_ms(w.hub) <= w.now_ms); /* the sweep is due */
  CHECK_EQ(hub_publish(&w, "r10", "a"), 1);
  CHECK_EQ(hub_publish(&w, "* c1", "b"), 1);
  CHECK_EQ(w.sinks[1].closed, 0);
  check_no_notice();
  hub_settle(&w);
  CHECK_EQ(w.sinks[1].closed, 1);
  CHECK_EQ(w.sinks[1].how, FAN_SINK_EVICT);
  check_notice(FAN_NOTICE_EVICTED, 1, FAN_SERVER);
  check_no_notice();
  CHECK_RECEIVED(&w, 1, "");
  CHECK_RECEIVED(&w, 2, "ab");
  CHECK_EQ(fan_hub_stats(w.hub)->memberships, 1);
  CHECK_EQ(fan_hub_due_ms(w.hub), FAN_NEVER);
  hub_deinit(&w);
}

static void check_id_finds_nothing(uint64_t id) {
  fan_buf *frame = frame_event("x");
  sink_script other;
  sink_script_init(&other, false);
  CHECK_EQ(fan_hub_attach(w.hub, id, &other.sink), FAN_ENOTFOUND);
  CHECK_EQ(fan_hub_join(w.hub, id, 10), FAN_ENOTFOUND);
  CHECK_EQ(fan_hub_leave(w.hub, id, 10), FAN_ENOTFOUND);
  CHECK_EQ(fan_hub_send(w.hub, id, frame), FAN_ENOTFOUND);
  CHECK_EQ(fan_hub_close_client(w.hub, id, FAN_SERVER), FAN_ENOTFOUND);
  CHECK_EQ(fan_hub_kill_client(w.hub, id, FAN_SERVER, true), FAN_ENOTFOUND);
  CHECK_EQ(fan_hub_writable(w.hub, id), FAN_ENOTFOUND);
  CHECK_EQ(fan_hub_broken(w.hub, id, FAN_EGONE), FAN_ENOTFOUND);
  CHECK_EQ(hub_publish(&w, "c1 -c1", "x"), 0);
  fan_buf_unref(frame);
  sink_script_deinit(&other, 0);
}

static void test_hub_ids_of_ended_clients_are_harmless(void) {
  hub_init(&w, NULL);
  check_id_finds_nothing(1);
  hub_open(&w, 1, 1);
  hub_join(&w, 10, 1, 1);
  CHECK_EQ(fan_hub_kill_client(w.hub, 1, FAN_SERVER, false), 0);
  check_id_finds_nothing(1); /* dead */
  CHECK_EQ(fan_hub_connect(w.hub, 1, &(fan_client_config){0}), FAN_EEXISTS);
  hub_settle(&w);
  check_id_finds_nothing(1); /* swept */
  check_notice(FAN_NOTICE_EVICTED, 1, FAN_SERVER);
  check_id_finds_nothing(1); /* freed */
  CHECK_EQ(fan_hub_stats(w.hub)->ended[FAN_SERVER], 1);
  hub_deinit(&w);
}

static void test_hub_attach_that_fails_leaves_the_sink_to_the_caller(void) {
  hub_init(&w, NULL);
  hub_open(&w, 1, 1);
  CHECK_EQ(fan_hub_attach(w.hub, 1, &w.sinks[2].sink), FAN_EINVALID);
  CHECK_EQ(fan_hub_attach(w.hub, 7, &w.sinks[2].sink), FAN_ENOTFOUND);
  hub_settle(&w);
  hub_deinit(&w); /* checks that the second one was not closed */
}

static void test_hub_close_drains_then_releases_and_tells(void) {
  hub_init(&w, NULL);
  hub_open(&w, 1, 1);
  hub_settle(&w);
  hub_block(&w, 1);
  hub_send(&w, 1, "a");
  CHECK_EQ(fan_hub_close_client(w.hub, 1, FAN_SERVER), 0);
  CHECK_EQ(fan_hub_close_client(w.hub, 1, FAN_SHUTDOWN), 0); /* idempotent */
  CHECK_EQ(hub_publish(&w, "* c1", "b"), 0);
  hub_settle(&w);
  check_no_notice();
  hub_unblock(&w, 1);
  hub_settle(&w);
  CHECK_RECEIVED(&w, 1, "a");
  CHECK_EQ(w.sinks[1].how, FAN_SINK_RELEASE);
  check_notice(FAN_NOTICE_RELEASED, 1, FAN_SERVER);
  hub_deinit(&w);
}

static void test_hub_broken_sink_ends_with_the_reason_of_its_error(void) {
  hub_init(&w, NULL);
  hub_open(&w, 1, 3);
  CHECK_EQ(fan_hub_broken(w.hub, 1, FAN_EGONE), 0);
  CHECK_EQ(fan_hub_broken(w.hub, 2, FAN_ETIMEOUT), 0);
  CHECK_EQ(fan_hub_broken(w.hub, 3, FAN_EIO), 0);
  hub_settle(&w);
  check_notice(FAN_NOTICE_EVICTED, 1, FAN_CLIENT);
  check_notice(FAN_NOTICE_EVICTED, 2, FAN_STALLED);
  check_notice(FAN_NOTICE_EVICTED, 3, FAN_ERROR);
  hub_deinit(&w);
}

static void test_hub_quiet_kill_gives_no_notice_and_frees_in_the_sweep(void) {
  hub_init(&w, NULL);
  hub_open(&w, 1, 1);
  hub_send_sized(&w, 1, 20000, 1);
  hub_settle(&w); /* a report is due, too */
  CHECK_EQ(fan_hub_kill_client(w.hub, 1, FAN_CLIENT, true), 0);
  hub_settle(&w);
  check_no_notice();
  CHECK_EQ(w.sinks[1].closed, 1);
  CHECK_EQ(fan_hub_stats(w.hub)->clients, 0);
  hub_deinit(&w);
}

static void test_hub_reports_what_waits_and_what_was_taken_in(void) {
  hub_init(&w, NULL);
  hub_open(&w, 1, 1);
  hub_block(&w, 1);
  hub_send_sized(&w, 1, 70000, 1);
  hub_settle(&w);
  fan_notice notice = {0};
  CHECK(fan_hub_next_notice(w.hub, &notice));
  CHECK_EQ(notice.kind, FAN_NOTICE_REPORT);
  CHECK_EQ(notice.reason, FAN_NO_REASON);
  CHECK_EQ(notice.queued_bytes, 70000);
  CHECK_EQ(notice.private_bytes, fan_hub_held_bytes(w.hub));
  check_no_notice();
  hub_unblock(&w, 1);
  hub_settle(&w);
  CHECK(fan_hub_next_notice(w.hub, &notice));
  CHECK_EQ(notice.queued_bytes, 0);
  check_no_notice();
  hub_deinit(&w);
}

static void test_hub_budget_ends_the_longest_queues_first(void) {
  hub_init(&w, &tight);
  hub_open(&w, 1, 5);
  hub_settle(&w);
  for (uint64_t id = 1; id <= 5; id++) {
    hub_block(&w, id);
    hub_send_sized(&w, id, 3000 * id, 1); /* 45,000 in all */
  }
  hub_settle(&w);
  check_no_notice();
  hub_send_sized(&w, 1, 10000, 1); /* the first one is now the second longest: 13,000 */
  hub_settle(&w);
  check_notice(FAN_NOTICE_EVICTED, 5, FAN_SLOW);
  check_no_notice();
  hub_send_sized(&w, 2, 15000, 1); /* 55,000: the second one, 21,000, goes */
  hub_settle(&w);
  check_notice(FAN_NOTICE_EVICTED, 2, FAN_SLOW);
  check_no_notice();
  CHECK(fan_hub_held_bytes(w.hub) <= tight.total_bytes / 2);
  CHECK_EQ(fan_hub_stats(w.hub)->dropped_events[FAN_SLOW], 3);
  hub_deinit(&w);
}

static void test_hub_budget_is_counted_once_for_a_shared_frame(void) {
  hub_init(&w, &tight);
  hub_open(&w, 1, 50);
  hub_settle(&w);
  for (uint64_t id = 1; id <= 50; id++) hub_block(&w, id);
  char data[20001];
  memset(data, 'x', 20000);
  data[20000] = 0;
  hub_publish(&w, "*", data);
  hub_settle(&w);
  CHECK_EQ(fan_hub_stats(w.hub)->clients, 50);
  CHECK(fan_hub_held_bytes(w.hub) < 21000);
  hub_deinit(&w);
}

/* All read at once; nobody has been given a chance to yet when the budget is passed. */
static void test_hub_budget_within_a_batch_window_writes_instead_of_ending(void) {
  fan_limits limits = tight;
  limits.batch_ms = 1000;
  hub_init(&w, &limits);
  hub_open(&w, 1, 20);
  hub_settle(&w);
  for (uint64_t id = 1; id <= 20; id++) hub_send_sized(&w, id, 5000, 1);
  hub_settle(&w);
  CHECK_EQ(fan_hub_stats(w.hub)->clients, 20);
  CHECK_EQ(fan_hub_stats(w.hub)->written_frames, 20);
  hub_deinit(&w);
}

/* More dirty clients than a slice takes, at all times: the budget is kept all the same. */
static void test_hub_budget_is_kept_while_there_is_always_more_to_write(void) {
  hub_init(&w, &tight);
  hub_open(&w, 1, 40);
  hub_settle(&w);
  for (uint64_t id = 1; id <= 20; id++) hub_block(&w, id);
  for (int round = 0; round < 50; round++) {
    for (uint64_t id = 1; id <= 20; id++) {
      fan_buf *frame = frame_sized(1000, 1);
      fan_hub_send(w.hub, id, frame);
      fan_buf_unref(frame);
    }
    for (int slice = 0; slice < 8; slice++) {
      hub_publish(&w, "*", "x");
      CHECK(fan_hub_turn(w.hub, w.now_ms, 10));
    }
  }
  CHECK(fan_hub_held_bytes(w.hub) <= tight.total_bytes);
  CHECK(fan_hub_stats(w.hub)->ended[FAN_SLOW] > 0);
  for (uint64_t id = 21; id <= 40; id++) CHECK_EQ(w.sinks[id].closed, 0);
  hub_deinit(&w);
}

/* What is over the budget leaves within a few slices: no reason to end the one who is a little behind. */
static void test_hub_budget_is_judged_after_all_were_offered_their_bytes(void) {
  hub_init(&w, &tight);
  hub_open(&w, 1, 41);
  hub_settle(&w);
  hub_block(&w, 1);
  hub_send_sized(&w, 1, 3000, 1);
  hub_settle(&w);
  for (uint64_t id = 2; id <= 41; id++) hub_send_sized(&w, id, 2000, 1);
  while (fan_hub_turn(w.hub, w.now_ms, 10)) continue;
  CHECK_EQ(fan_hub_stats(w.hub)->clients, 41);
  hub_deinit(&w);
}

static void test_hub_counters_settle_to_zero(void) {
  hub_init(&w, NULL);
  hub_open(&w, 1, 30);
  for (uint64_t room = 0; room < 20; room++) hub_join(&w, room, 1, 30);
  CHECK_EQ(fan_hub_stats(w.hub)->memberships, 600);
  CHECK_EQ(fan_hub_stats(w.hub)->rooms, 20);
  hub_publish(&w, "r1 r2", "a");
  for (uint64_t id = 1; id <= 10; id++) fan_hub_close_client(w.hub, id, FAN_SERVER);
  for (uint64_t id = 11; id <= 20; id++) fan_hub_broken(w.hub, id, FAN_EGONE);
  for (uint64_t id = 21; id <= 30; id++) fan_hub_kill_client(w.hub, id, FAN_SHUTDOWN, id & 1);
  hub_settle(&w);
  CHECK_EQ(hub_drop_notices(&w), 25);
  const fan_stats *stats = fan_hub_stats(w.hub);
  CHECK_EQ(stats->clients, 0);
  CHECK_EQ(stats->memberships, 0);
  CHECK_EQ(stats->rooms, 0);
  CHECK_EQ(stats->held_bytes, 0);
  CHECK(stats->peak_bytes > 0);
  CHECK_EQ(stats->ended[FAN_SERVER], 10);
  CHECK_EQ(stats->ended[FAN_CLIENT], 10);
  CHECK_EQ(stats->ended[FAN_SHUTDOWN], 10);
  CHECK_EQ(stats->written_frames, 10);
  CHECK_EQ(stats->deliveries, 30);
  CHECK_EQ(fan_hub_due_ms(w.hub), FAN_NEVER);
  hub_deinit(&w);
}

static void test_hub_free_ends_clients_in_every_state(void) {
  hub_init(&w, NULL);
  hub_open(&w, 1, 6);
  hub_connect(&w, 7); /* opening */
  hub_join(&w, 10, 1, 7);
  for (uint64_t id = 1; id <= 6; id++) hub_block(&w, id);
  hub_publish(&w, "*", "x");
  fan_hub_close_client(w.hub, 1, FAN_SERVER);
  fan_hub_kill_client(w.hub, 2, FAN_SERVER, false);
  hub_settle(&w); /* 1 drains, 2 has ended and its notice waits */
  fan_hub_kill_client(w.hub, 3, FAN_SERVER, false);
  fan_hub_kill_client(w.hub, 4, FAN_SERVER, true);
  hub_send(&w, 5, "y");
  hub_deinit(&w);
  fan_hub_free(NULL);
}

static void test_hub_end_closes_all_and_leaves_the_final_counters(void) {
  hub_init(&w, NULL);
  hub_open(&w, 1, 3);
  hub_join(&w, 10, 1, 3);
  fan_hub_close_client(w.hub, 2, FAN_SERVER);
  fan_hub_end(w.hub);
  check_no_notice();
  CHECK_EQ(fan_hub_stats(w.hub)->clients, 0);
  CHECK_EQ(fan_hub_stats(w.hub)->memberships, 0);
  CHECK_EQ(fan_hub_stats(w.hub)->ended[FAN_SHUTDOWN], 2);
  CHECK_EQ(fan_hub_stats(w.hub)->ended[FAN_SERVER], 1);
  for (int id = 1; id <= 3; id++) CHECK_EQ(w.sinks[id].closed, 1);
  hub_deinit(&w);
}

int main(void) {
  RUN(test_hub_kill_takes_effect_at_once_and_is_swept_by_the_turn);
  RUN(test_hub_ids_of_ended_clients_are_harmless);
  RUN(test_hub_attach_that_fails_leaves_the_sink_to_the_caller);
  RUN(test_hub_close_drains_then_releases_and_tells);
  RUN(test_hub_broken_sink_ends_with_the_reason_of_its_error);
  RUN(test_hub_quiet_kill_gives_no_notice_and_frees_in_the_sweep);
  RUN(test_hub_reports_what_waits_and_what_was_taken_in);
  RUN(test_hub_budget_ends_the_longest_queues_first);
  RUN(test_hub_budget_is_counted_once_for_a_shared_frame);
  RUN(test_hub_budget_within_a_batch_window_writes_instead_of_ending);
  RUN(test_hub_budget_is_kept_while_there_is_always_more_to_write);
  RUN(test_hub_budget_is_judged_after_all_were_offered_their_bytes);
  RUN(test_hub_counters_settle_to_zero);
  RUN(test_hub_free_ends_clients_in_every_state);
  RUN(test_hub_end_closes_all_and_leaves_the_final_counters);
  return check_done("test_hub_ends");
}
