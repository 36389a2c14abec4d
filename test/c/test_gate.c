/* hub.h: behind a gate only fan_hub_send() reaches a client, so that somebody can tell it the state of the world first. */
#include <string.h>

#include "core/err.h"
#include "support/check.h"
#include "support/frames.h"
#include "support/hub_world.h"

#define EVENT 14 /* bytes of an event of one letter, as a chunk */

static hub_world w;

static const hub_special plain = {0};

/* Client 2 (its queue counts chunks) in room 10, behind a gate. */
static void open_gated(const fan_limits *limits) {
  hub_init_history(&w, limits, 100);
  hub_open(&w, 2, 2);
  hub_join(&w, 10, 2, 2);
  CHECK_EQ(fan_hub_gate(w.hub, 2), 0);
}

static void ungate(void) {
  CHECK_EQ(fan_hub_ungate(w.hub, 2), 0);
  hub_settle(&w);
}

static void test_gate_lets_pass_what_is_sent_to_the_client_and_holds_the_rest(void) {
  open_gated(NULL);
  hub_publish_each(&w, "r10", "a", plain);
  hub_send(&w, 2, "1");
  hub_keep(&w, "r10", "b");
  hub_publish(&w, "c2", "c");
  hub_send(&w, 2, "2");
  hub_publish(&w, "*", "d");
  hub_settle(&w);
  CHECK_RECEIVED(&w, 2, "12");
  ungate();
  CHECK_RECEIVED(&w, 2, "12abcd");
  hub_publish(&w, "r10", "e");
  hub_settle(&w);
  CHECK_RECEIVED(&w, 2, "12abcde");
  CHECK_EQ(fan_hub_stats(w.hub)->deliveries, 7);
  hub_deinit(&w);
}

static void test_gate_leaves_what_was_queued_before_in_front(void) {
  hub_init(&w, NULL);
  hub_open(&w, 2, 2);
  hub_publish(&w, "*", "a");
  CHECK_EQ(fan_hub_gate(w.hub, 2), 0);
  hub_publish(&w, "*", "b");
  hub_send(&w, 2, "1");
  ungate();
  CHECK_RECEIVED(&w, 2, "a1b");
  hub_deinit(&w);
}

static void test_gate_behind_a_reset_holds_from_the_reset_on(void) {
  hub_init_history(&w, NULL, 100);
  hub_open(&w, 2, 2);
  CHECK_EQ(hub_resume(&w, 2, FAN_NO_CURSOR, true), 0);
  hub_keep(&w, "*", "a");
  hub_send(&w, 2, "1");
  hub_settle(&w);
  CHECK_RECEIVED(&w, 2, "R1");
  CHECK_EQ(hub_notice(&w, FAN_NOTICE_RESET).id, 2);
  ungate();
  CHECK_RECEIVED(&w, 2, "R1a");
  hub_deinit(&w);
}

static void test_gate_before_the_sink_keeps_the_order_for_it(void) {
  hub_init(&w, NULL);
  hub_connect(&w, 2);
  CHECK_EQ(fan_hub_gate(w.hub, 2), 0);
  hub_publish(&w, "*", "a");
  hub_send(&w, 2, "1");
  CHECK_EQ(fan_hub_ungate(w.hub, 2), 0);
  hub_attach(&w, 2);
  hub_settle(&w);
  CHECK_RECEIVED(&w, 2, "1a");
  hub_deinit(&w);
}

static void test_gate_opens_under_short_writes_of_every_length(void) {
  for (int64_t bytes = 0; bytes <= 3 * EVENT && !check_failing(); bytes++) {
    open_gated(NULL);
    hub_publish_each(&w, "r10", "abcdef", plain);
    hub_send(&w, 2, "1");
    sink_script_answer(&w.sinks[2], bytes);
    CHECK_EQ(fan_hub_ungate(w.hub, 2), 0);
    hub_settle(&w);
    sink_script_answer(&w.sinks[2], bytes);
    hub_publish(&w, "r10", "g");
    if (w.sinks[2].full) hub_unblock(&w, 2);
    hub_settle(&w);
    if (w.sinks[2].full) hub_unblock(&w, 2);
    hub_settle(&w);
    CHECK_RECEIVED(&w, 2, "1abcdefg");
    hub_deinit(&w);
  }
}

static void test_gate_twice_or_opened_twice_or_of_nobody_is_harmless(void) {
  open_gated(NULL);
  CHECK_EQ(fan_hub_gate(w.hub, 2), 0);
  hub_publish(&w, "r10", "a");
  ungate();
  ungate();
  CHECK_RECEIVED(&w, 2, "a");
  CHECK_EQ(fan_hub_gate(w.hub, 4), FAN_ENOTFOUND);
  CHECK_EQ(fan_hub_ungate(w.hub, 4), FAN_ENOTFOUND);
  CHECK_EQ(fan_hub_close_client(w.hub, 2, FAN_SERVER), 0);
  CHECK_EQ(fan_hub_gate(w.hub, 2), FAN_ENOTFOUND);
  CHECK_EQ(fan_hub_ungate(w.hub, 2), 0);
  hub_deinit(&w);
}

static void test_gate_is_refused_while_catching_up(void) {
  hub_init_history(&w, NULL, 100);
  hub_keep(&w, "*", "a");
  hub_open(&w, 2, 2);
  CHECK_EQ(hub_resume(&w, 2, 0, true), 0); /* possible: then there is no gate */
  CHECK_EQ(fan_hub_gate(w.hub, 2), FAN_EINVALID);
  hub_publish(&w, "*", "b");
  hub_settle(&w);
  CHECK_RECEIVED(&w, 2, "ab");
  hub_deinit(&w);
}

static void test_gate_closed_client_forgoes_what_is_held_and_that_is_told(void) {
  open_gated(NULL);
  hub_block(&w, 2);
  hub_send(&w, 2, "1");
  hub_publish_each(&w, "r10", "abc", plain);
  hub_settle(&w);
  CHECK_EQ(fan_hub_close_client(w.hub, 2, FAN_IDLE), 0);
  CHECK_EQ(fan_hub_ungate(w.hub, 2), 0);
  hub_unblock(&w, 2);
  hub_settle(&w);
  CHECK_RECEIVED(&w, 2, "1");
  CHECK_EQ(w.sinks[2].how, FAN_SINK_RELEASE);
  fan_notice end = hub_notice(&w, FAN_NOTICE_RELEASED);
  CHECK_EQ(end.dropped_events, 3);
  CHECK_EQ(end.dropped_bytes, 3 * EVENT);
  CHECK_EQ(fan_hub_stats(w.hub)->dropped_events[FAN_IDLE], 3);
  CHECK_EQ(fan_hub_stats(w.hub)->dropped_bytes[FAN_IDLE], 3 * EVENT);
  hub_deinit(&w);
}

static void test_gate_killed_client_tells_what_was_queued_and_held(void) {
  open_gated(NULL);
  hub_block(&w, 2);
  hub_send(&w, 2, "1");
  hub_publish_each(&w, "r10", "abc", plain);
  hub_settle(&w);
  CHECK_EQ(fan_hub_broken(w.hub, 2, FAN_EGONE), 0);
  hub_settle(&w);
  CHECK_EQ(hub_notice(&w, FAN_NOTICE_EVICTED).dropped_events, 4);
  CHECK_EQ(fan_hub_stats(w.hub)->dropped_events[FAN_CLIENT], 4);
  CHECK_EQ(fan_hub_held_bytes(w.hub), 0);
  hub_deinit(&w);
}

static void test_gate_keeps_the_newest_of_a_key_in_its_place(void) {
  open_gated(NULL);
  hub_publish_as(&w, "r10", "1", (hub_special){.key = "k"});
  hub_publish_each(&w, "r10", "a", plain);
  hub_publish_as(&w, "r10", "x", (hub_special){.key = "other"});
  hub_publish_as(&w, "r10", "2", (hub_special){.key = "k"});
  hub_publish_each(&w, "r10", "b", plain);
  ungate();
  CHECK_RECEIVED(&w, 2, "2axb");
  fan_notice drop = hub_notice(&w, FAN_NOTICE_DROP);
  CHECK_EQ(drop.drop, FAN_DROP_REPLACED);
  CHECK_EQ(drop.dropped_events, 1);
  CHECK_EQ(drop.dropped_bytes, EVENT);
  CHECK_EQ(fan_hub_stats(w.hub)->shed_events[FAN_DROP_REPLACED], 1);
  hub_deinit(&w);
}

/* Where a limit of four events leaves eight behind the gate. */
static void check_policy(enum fan_overflow overflow, const char *received, uint64_t shed) {
  open_gated(&(fan_limits){.queue_bytes = 4 * EVENT, .total_bytes = 1 << 20, .overflow = overflow});
  hub_publish_each(&w, "r10", "abcdefgh", plain);
  hub_settle(&w);
  if (overflow == FAN_OVERFLOW_DISCONNECT)
    CHECK_EQ(hub_notice(&w, FAN_NOTICE_EVICTED).reason, FAN_SLOW);
  else ungate();
  CHECK_RECEIVED(&w, 2, received);
  const fan_stats *stats = fan_hub_stats(w.hub);
  CHECK_EQ(stats->shed_events[FAN_DROP_OLDEST] + stats->shed_events[FAN_DROP_NEWEST], shed);
  hub_deinit(&w);
}

static void test_gate_what_is_held_obeys_the_policy(void) {
  check_policy(FAN_OVERFLOW_DISCONNECT, "", 0);
  check_policy(FAN_OVERFLOW_DROP_OLDEST, "efgh", 4);
  check_policy(FAN_OVERFLOW_DROP_NEWEST, "abcd", 4);
}

static void test_gate_what_is_held_gives_way_to_what_stands_in_front(void) {
  static const struct {
    enum fan_overflow overflow;
    const char *received;
  } cases[] = {{FAN_OVERFLOW_DROP_OLDEST, "123c"}, {FAN_OVERFLOW_DROP_NEWEST, "123a"}};
  for (int i = 0; i < 2; i++) {
    open_gated(&(fan_limits){
        .queue_bytes = 4 * EVENT, .total_bytes = 1 << 20, .overflow = cases[i].overflow});
    hub_block(&w, 2);
    for (const char *text = "123"; *text; text++) hub_send(&w, 2, (char[2]){*text, 0});
    hub_publish_each(&w, "r10", "abc", plain);
    hub_settle(&w);
    hub_unblock(&w, 2);
    ungate();
    CHECK_RECEIVED(&w, 2, cases[i].received);
    hub_deinit(&w);
  }
}

static void test_gate_the_newest_event_is_kept_beside_a_full_queue(void) {
  open_gated(&(fan_limits){
      .queue_bytes = 3 * EVENT, .total_bytes = 1 << 20, .overflow = FAN_OVERFLOW_DROP_OLDEST});
  hub_block(&w, 2);
  for (const char *text = "123"; *text; text++) hub_send(&w, 2, (char[2]){*text, 0});
  hub_publish_each(&w, "r10", "ab", plain);
  hub_settle(&w);
  hub_send(&w, 2, "4"); /* what passes the gate alone is too much: it is bounded, too */
  hub_settle(&w);
  hub_unblock(&w, 2);
  ungate();
  CHECK_RECEIVED(&w, 2, "234b");
  CHECK_EQ(fan_hub_stats(w.hub)->shed_events[FAN_DROP_OLDEST], 2);
  hub_deinit(&w);
}

/* JavaScript waits for what it hears of: behind a gate that is only what could be written. */
static void test_gate_reports_what_waits_in_front_and_once_open_all(void) {
  static char much[FAN_HIGH_BYTES + 1];
  memset(much, 'x', FAN_HIGH_BYTES);
  open_gated(NULL);
  hub_block(&w, 2);
  hub_publish(&w, "r10", much);
  hub_settle(&w);
  CHECK_EQ(hub_drop_notices(&w), 0);
  hub_send(&w, 2, much);
  hub_settle(&w);
  size_t chunk = hub_notice(&w, FAN_NOTICE_REPORT).queued_bytes;
  CHECK(chunk > FAN_HIGH_BYTES && chunk < FAN_HIGH_BYTES + 50);
  ungate();
  CHECK_EQ(hub_notice(&w, FAN_NOTICE_REPORT).queued_bytes, 2 * chunk);
  hub_unblock(&w, 2);
  hub_settle(&w);
  CHECK_EQ(hub_notice(&w, FAN_NOTICE_REPORT).queued_bytes, 0);
  hub_deinit(&w);
}

static void test_gate_lets_heartbeats_pass(void) {
  fan_buf *beat = frame_heartbeat(false);
  hub_init(&w, NULL);
  CHECK_EQ(fan_hub_connect(w.hub, 2, &(fan_client_config){100, beat, 0}), 0);
  hub_attach(&w, 2);
  CHECK_EQ(fan_hub_gate(w.hub, 2), 0);
  hub_publish(&w, "*", "a");
  hub_pass(&w, 110);
  CHECK_BYTES(w.sinks[2].bytes, w.sinks[2].size, "2\r\n:\n\r\n", 7);
  fan_buf_unref(beat);
  hub_deinit(&w);
}

int main(void) {
  RUN(test_gate_lets_pass_what_is_sent_to_the_client_and_holds_the_rest);
  RUN(test_gate_leaves_what_was_queued_before_in_front);
  RUN(test_gate_behind_a_reset_holds_from_the_reset_on);
  RUN(test_gate_before_the_sink_keeps_the_order_for_it);
  RUN(test_gate_opens_under_short_writes_of_every_length);
  RUN(test_gate_twice_or_opened_twice_or_of_nobody_is_harmless);
  RUN(test_gate_is_refused_while_catching_up);
  RUN(test_gate_closed_client_forgoes_what_is_held_and_that_is_told);
  RUN(test_gate_killed_client_tells_what_was_queued_and_held);
  RUN(test_gate_keeps_the_newest_of_a_key_in_its_place);
  RUN(test_gate_what_is_held_obeys_the_policy);
  RUN(test_gate_what_is_held_gives_way_to_what_stands_in_front);
  RUN(test_gate_the_newest_event_is_kept_beside_a_full_queue);
  RUN(test_gate_reports_what_waits_in_front_and_once_open_all);
  RUN(test_gate_lets_heartbeats_pass);
  return check_done("test_gate");
}
