/* hub.h: clients that miss what this history has not; somebody else brings it, and the history goes on from there. */
#include <string.h>

#include "core/err.h"
#include "core/frame.h"
#include "support/check.h"
#include "support/hub_world.h"

#define HISTORY 100

static hub_world w;

/* In room 10, with a cursor that is of no use here. */
static void pause_one(uint64_t id, uint64_t cursor) {
  hub_connect(&w, id);
  hub_join(&w, 10, id, id);
  CHECK_EQ(hub_resume(&w, id, cursor, FAN_PAUSE), 0);
  CHECK_EQ(hub_notice(&w, FAN_NOTICE_RESET).id, id);
  hub_attach(&w, id);
}

static int bring(uint64_t id, const char *data, uint64_t seq) {
  fan_fields fields = {.retry_ms = FAN_NO_RETRY};
  fan_buf *frame = fan_frame_begin(&fields, strlen(data));
  memcpy(fan_frame_data(frame), data, strlen(data));
  frame = fan_frame_seal(frame, strlen(data));
  frame->seq = seq;
  int error = fan_hub_replayed(w.hub, id, frame);
  fan_buf_unref(frame);
  return error;
}

/* The history begins behind number 50. */
static void begin(void) {
  hub_init_history(&w, NULL, HISTORY);
  fan_hub_restart_history(w.hub, 50);
  w.seq = 50;
}

static void test_paused_is_who_missed_what_was_before_the_history(void) {
  begin();
  hub_keep(&w, "r10", "d");
  pause_one(2, 40);
  hub_publish(&w, "r10", "1");
  hub_settle(&w);
  CHECK_RECEIVED(&w, 2, "");
  CHECK_EQ(bring(2, "b", 41), 0);
  CHECK_EQ(bring(2, "c", 49), 0);
  hub_keep(&w, "r10", "e");
  hub_settle(&w);
  CHECK_RECEIVED(&w, 2, "bc");
  CHECK_EQ(hub_resume(&w, 2, 50, FAN_PAUSE), 0);
  hub_settle(&w);
  CHECK_RECEIVED(&w, 2, "bcd1e");
  hub_keep(&w, "r10", "f");
  hub_publish(&w, "r10", "2");
  hub_settle(&w);
  CHECK_RECEIVED(&w, 2, "bcd1ef2");
  CHECK_EQ(hub_drop_notices(&w), 0);
  CHECK_EQ(fan_hub_stats(w.hub)->resets, 0);
  CHECK_EQ(fan_hub_stats(w.hub)->replays, 1);
  CHECK_EQ(bring(2, "x", 60), FAN_ENOTFOUND);
  hub_deinit(&w);
}

static void test_paused_is_who_is_further_than_this_history(void) {
  begin();
  pause_one(2, 52);
  hub_keep(&w, "r10", "abc"); /* 51, 52, 53 */
  hub_settle(&w);
  CHECK_RECEIVED(&w, 2, "");
  CHECK_EQ(hub_resume(&w, 2, 52, FAN_PAUSE), 0);
  hub_settle(&w);
  CHECK_RECEIVED(&w, 2, "c");
  hub_deinit(&w);
}

/* It was held for the client when it was published, in its place; what brings the rest finds it, too. */
static void test_paused_is_given_once_what_somebody_asks_after(void) {
  begin();
  pause_one(2, 40);
  hub_keep(&w, "r10", "a");
  hub_publish_as(&w, "r10", "b", (hub_special){.kept = true, .ticket = 7});
  hub_publish_as(&w, "r10", "c", (hub_special){.kept = true, .ticket = 8});
  hub_keep(&w, "r10", "d");
  const char *missed = "abcd";
  for (uint64_t i = 0; missed[i]; i++) CHECK_EQ(bring(2, (char[]){missed[i], 0}, 51 + i), 0);
  CHECK_EQ(hub_resume(&w, 2, 54, FAN_PAUSE), 0);
  hub_settle(&w);
  CHECK_RECEIVED(&w, 2, "abcd");
  for (uint64_t ticket = 7; ticket <= 8; ticket++) {
    fan_notice notice = hub_notice(&w, FAN_NOTICE_DELIVERED);
    CHECK_EQ(notice.id, ticket);
    CHECK_EQ(notice.written, 1);
  }
  hub_deinit(&w);
}

static void test_paused_is_not_given_what_it_has(void) {
  begin();
  pause_one(2, 53);
  hub_keep(&w, "r10", "a"); /* 51 */
  hub_publish(&w, "r10", "1");
  hub_publish_as(&w, "r10", "b", (hub_special){.kept = true, .ticket = 7});
  hub_publish_as(&w, "*", "c", (hub_special){.kept = true, .ticket = 8});
  for (uint64_t ticket = 7; ticket <= 8; ticket++) {
    fan_notice notice = hub_notice(&w, FAN_NOTICE_DELIVERED);
    CHECK_EQ(notice.id, ticket);
    CHECK_EQ(notice.written + notice.dropped + notice.closed, 0);
  }
  hub_publish(&w, "r10", "2");
  hub_publish_as(&w, "r10", "d", (hub_special){.kept = true, .ticket = 9});
  hub_keep(&w, "r10", "e");
  CHECK_EQ(hub_resume(&w, 2, 53, FAN_PAUSE), 0);
  hub_settle(&w);
  CHECK_RECEIVED(&w, 2, "2de");
  hub_deinit(&w);
}

static void test_paused_goes_on_behind_what_is_not_kept(void) {
  begin();
  pause_one(2, 60); /* 51 to 60 are of those that no history keeps */
  CHECK_EQ(hub_resume(&w, 2, 60, FAN_PAUSE), 0);
  hub_settle(&w);
  CHECK_EQ(hub_drop_notices(&w), 0);
  w.seq = 60;
  hub_keep(&w, "r10", "a");
  hub_settle(&w);
  CHECK_RECEIVED(&w, 2, "a");
  hub_deinit(&w);
}

static void test_paused_again_as_long_as_the_history_is_further(void) {
  begin();
  pause_one(2, 40);
  CHECK_EQ(bring(2, "a", 41), 0);
  CHECK_EQ(hub_resume(&w, 2, 41, FAN_PAUSE), 0);
  CHECK_EQ(hub_notice(&w, FAN_NOTICE_RESET).id, 2);
  CHECK_EQ(bring(2, "b", 42), 0);
  CHECK_EQ(hub_resume(&w, 2, 50, FAN_PAUSE), 0);
  hub_keep(&w, "r10", "c");
  hub_settle(&w);
  CHECK_RECEIVED(&w, 2, "abc");
  CHECK_EQ(hub_drop_notices(&w), 0);
  hub_deinit(&w);
}

static void test_paused_without_help_is_told_what_it_is(void) {
  for (enum fan_otherwise how = FAN_TELL; how <= FAN_TELL_AND_GATE; how++) {
    begin();
    pause_one(2, 40);
    hub_publish(&w, "r10", "1");
    hub_keep(&w, "r10", "a");
    CHECK_EQ(hub_resume(&w, 2, FAN_NO_CURSOR, how), 0);
    CHECK_EQ(hub_notice(&w, FAN_NOTICE_RESET).id, 2);
    hub_keep(&w, "r10", "b");
    hub_settle(&w);
    CHECK_RECEIVED(&w, 2, how == FAN_TELL ? "1Rb" : "1R");
    CHECK_EQ(fan_hub_ungate(w.hub, 2), 0);
    hub_settle(&w);
    CHECK_RECEIVED(&w, 2, "1Rb");
    CHECK_EQ(fan_hub_stats(w.hub)->resets, 1);
    hub_deinit(&w);
  }
}

static void test_paused_is_ended_in_order_without_the_rest(void) {
  begin();
  pause_one(2, 40);
  hub_publish(&w, "r10", "1");
  CHECK_EQ(bring(2, "a", 41), 0);
  CHECK_EQ(fan_hub_close_client(w.hub, 2, FAN_SERVER), 0);
  CHECK_EQ(bring(2, "b", 42), FAN_ENOTFOUND);
  hub_settle(&w);
  CHECK_RECEIVED(&w, 2, "a1");
  CHECK_EQ(hub_notice(&w, FAN_NOTICE_RELEASED).reason, FAN_SERVER);
  hub_deinit(&w);
}

static void test_paused_keeps_to_its_limits_for_what_is_held(void) {
  hub_init_history(&w, &(fan_limits){.queue_bytes = 100, .total_bytes = 1 << 20}, HISTORY);
  fan_hub_restart_history(w.hub, 50);
  w.seq = 50;
  pause_one(2, 40);
  for (int i = 0; i < 10; i++) hub_publish(&w, "r10", "0123456789");
  hub_settle(&w);
  CHECK_EQ(hub_notice(&w, FAN_NOTICE_EVICTED).reason, FAN_SLOW);
  hub_deinit(&w);
}

static void test_paused_is_reported_how_much_was_taken_in(void) {
  begin();
  pause_one(2, 10);
  char data[FAN_LOW_BYTES / 2];
  memset(data, 'x', sizeof data - 1);
  data[sizeof data - 1] = 0;
  for (uint64_t seq = 11; seq < 15; seq++) CHECK_EQ(bring(2, data, seq), 0);
  hub_settle(&w);
  CHECK(hub_notice(&w, FAN_NOTICE_REPORT).private_bytes >= 4 * sizeof data);
  hub_deinit(&w);
}

static void test_paused_history_that_begins_anew_lets_go_of_everything(void) {
  begin();
  hub_keep(&w, "r10", "abc");
  hub_keep(&w, "*", "d");
  fan_hub_restart_history(w.hub, 60);
  w.seq = 60;
  CHECK_EQ(fan_hub_stats(w.hub)->kept_events, 0);
  pause_one(2, 53);
  pause_one(4, 59);
  hub_connect(&w, 6);
  hub_join(&w, 10, 6, 6);
  CHECK_EQ(hub_resume(&w, 6, 60, FAN_PAUSE), 0);
  hub_attach(&w, 6);
  hub_keep(&w, "r10", "e");
  hub_settle(&w);
  CHECK_RECEIVED(&w, 6, "e");
  CHECK_EQ(hub_drop_notices(&w), 0);
  hub_deinit(&w);
}

int main(void) {
  RUN(test_paused_is_who_missed_what_was_before_the_history);
  RUN(test_paused_is_who_is_further_than_this_history);
  RUN(test_paused_is_given_once_what_somebody_asks_after);
  RUN(test_paused_is_not_given_what_it_has);
  RUN(test_paused_goes_on_behind_what_is_not_kept);
  RUN(test_paused_again_as_long_as_the_history_is_further);
  RUN(test_paused_without_help_is_told_what_it_is);
  RUN(test_paused_is_ended_in_order_without_the_rest);
  RUN(test_paused_keeps_to_its_limits_for_what_is_held);
  RUN(test_paused_is_reported_how_much_was_taken_in);
  RUN(test_paused_history_that_begins_anew_lets_go_of_everything);
  return check_done("test_paused");
}
