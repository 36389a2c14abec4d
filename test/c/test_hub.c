/* hub.h: who is given what, in which order, in how many writes. How clients end: test_hub_ends.c. */
#include <string.h>

#include "core/err.h"
#include "core/mem.h"
#include "support/check.h"
#include "support/frames.h"
#include "support/hub_world.h"
#include "support/mem_fail.h"

static hub_world w;

static void test_hub_target_is_the_union_of_rooms_and_clients_once_each(void) {
  hub_init(&w, NULL);
  hub_open(&w, 1, 6);
  hub_join(&w, 10, 1, 3);
  hub_join(&w, 20, 2, 4);
  CHECK_EQ(hub_publish(&w, "r10", "a"), 3);
  CHECK_EQ(hub_publish(&w, "r10 r20", "b"), 4);
  CHECK_EQ(hub_publish(&w, "r10 r20 c2 c5", "c"), 5);
  CHECK_EQ(hub_publish(&w, "c6 c6 r10 r10", "d"), 4);
  CHECK_EQ(hub_publish(&w, "r99 c99", "e"), 0);
  CHECK_EQ(hub_publish(&w, "", "f"), 0);
  hub_settle(&w);
  CHECK_RECEIVED(&w, 1, "abcd");
  CHECK_RECEIVED(&w, 2, "abcd");
  CHECK_RECEIVED(&w, 4, "bc");
  CHECK_RECEIVED(&w, 5, "c");
  CHECK_RECEIVED(&w, 6, "d");
  const fan_stats *stats = fan_hub_stats(w.hub);
  CHECK_EQ(stats->publishes, 6);
  CHECK_EQ(stats->deliveries, 16);
  CHECK_EQ(stats->written_frames, 16);
  hub_deinit(&w);
}

static void test_hub_target_leaves_out_rooms_and_clients_excepted(void) {
  hub_init(&w, NULL);
  hub_open(&w, 1, 6);
  hub_join(&w, 10, 1, 4);
  hub_join(&w, 20, 3, 6);
  CHECK_EQ(hub_publish(&w, "r10 -r20", "a"), 2);
  CHECK_EQ(hub_publish(&w, "r10 -c1 -c2 -c99", "b"), 2);
  CHECK_EQ(hub_publish(&w, "r10 c5 -r20", "c"), 2); /* the exception wins */
  CHECK_EQ(hub_publish(&w, "r10 r20 -r10 -c6 -r77", "d"), 1);
  CHECK_EQ(hub_publish(&w, "c3 -c3", "e"), 0);
  CHECK_EQ(hub_publish(&w, "r10", "f"), 4); /* exceptions are forgotten by the next one */
  hub_settle(&w);
  CHECK_RECEIVED(&w, 1, "acf");
  CHECK_RECEIVED(&w, 2, "acf");
  CHECK_RECEIVED(&w, 3, "bf");
  CHECK_RECEIVED(&w, 4, "bf");
  CHECK_RECEIVED(&w, 5, "d");
  CHECK_RECEIVED(&w, 6, "");
  hub_deinit(&w);
}

static void test_hub_everyone_needs_no_room(void) {
  hub_init(&w, NULL);
  hub_open(&w, 1, 5);
  hub_join(&w, 10, 1, 2);
  CHECK_EQ(hub_publish(&w, "*", "a"), 5);
  CHECK_EQ(hub_publish(&w, "* -r10", "b"), 3);
  CHECK_EQ(hub_publish(&w, "* -r10 -c5", "c"), 2);
  CHECK_EQ(hub_publish(&w, "* r10 c1 -c1", "d"), 4);
  hub_settle(&w);
  CHECK_RECEIVED(&w, 1, "a");
  CHECK_RECEIVED(&w, 2, "ad");
  CHECK_RECEIVED(&w, 4, "abcd");
  CHECK_RECEIVED(&w, 5, "abd");
  hub_deinit(&w);
}

static void test_hub_private_and_room_frames_keep_their_order(void) {
  hub_init(&w, NULL);
  hub_open(&w, 1, 3);
  hub_join(&w, 10, 1, 3);
  hub_join(&w, 20, 2, 3);
  hub_send(&w, 2, "a");
  hub_publish(&w, "r10", "b");
  hub_send(&w, 2, "c");
  hub_publish(&w, "r20", "d");
  hub_publish(&w, "*", "e");
  hub_send(&w, 2, "f");
  hub_settle(&w);
  hub_publish(&w, "r20 r10", "g");
  hub_send(&w, 2, "h");
  hub_settle(&w);
  CHECK_RECEIVED(&w, 1, "beg");
  CHECK_RECEIVED(&w, 2, "abcdefgh");
  CHECK_RECEIVED(&w, 3, "bdeg");
  CHECK_EQ(fan_hub_stats(w.hub)->sends, 4);
  hub_deinit(&w);
}

static void test_hub_frames_sent_before_the_sink_wait_for_it(void) {
  hub_init(&w, NULL);
  hub_connect(&w, 1);
  hub_connect(&w, 2);
  hub_join(&w, 10, 1, 2);
  hub_publish(&w, "r10", "a");
  hub_send(&w, 2, "b");
  hub_settle(&w);
  hub_attach(&w, 1);
  hub_attach(&w, 2);
  hub_publish(&w, "r10", "c");
  hub_settle(&w);
  CHECK_RECEIVED(&w, 1, "ac");
  CHECK_RECEIVED(&w, 2, "abc");
  hub_deinit(&w);
}

static void test_hub_join_and_leave_decide_who_is_given_what_comes_next(void) {
  hub_init(&w, NULL);
  hub_open(&w, 1, 2);
  hub_join(&w, 10, 1, 1);
  CHECK_EQ(fan_hub_join(w.hub, 1, 10), FAN_EEXISTS);
  CHECK_EQ(fan_hub_leave(w.hub, 2, 10), FAN_ENOTFOUND);
  hub_publish(&w, "r10", "a");
  hub_join(&w, 10, 2, 2);
  hub_publish(&w, "r10", "b");
  CHECK_EQ(fan_hub_leave(w.hub, 1, 10), 0);
  hub_publish(&w, "r10", "c");
  hub_settle(&w);
  CHECK_RECEIVED(&w, 1, "ab");
  CHECK_RECEIVED(&w, 2, "bc");
  hub_deinit(&w);
}

static void test_hub_twenty_frames_in_one_turn_are_one_write_for_each_client(void) {
  hub_init(&w, NULL);
  hub_open(&w, 1, 10);
  hub_join(&w, 10, 1, 10);
  for (int i = 0; i < 20; i++) CHECK_EQ(hub_publish(&w, "r10", "x"), 10);
  CHECK_EQ(fan_hub_stats(w.hub)->writes, 0);
  hub_settle(&w);
  for (int id = 1; id <= 10; id++) {
    CHECK_EQ(w.sinks[id].writes, 1);
    CHECK_RECEIVED(&w, (uint64_t)id, "xxxxxxxxxxxxxxxxxxxx");
  }
  CHECK_EQ(fan_hub_stats(w.hub)->writes, 10);
  hub_deinit(&w);
}

static void test_hub_batch_window_gathers_what_comes_within_it(void) {
  hub_init(&w, &(fan_limits){.queue_bytes = 1 << 20, .total_bytes = 64 << 20, .batch_ms = 40});
  hub_open(&w, 1, 3);
  hub_settle(&w);
  CHECK_EQ(fan_hub_due_ms(w.hub), FAN_NEVER);
  hub_publish(&w, "*", "a");
  CHECK_EQ(fan_hub_due_ms(w.hub), 1040);
  hub_pass(&w, 39);
  hub_publish(&w, "c1 c2", "b");
  hub_settle(&w);
  CHECK_RECEIVED(&w, 1, "");
  hub_pass(&w, 1);
  CHECK_RECEIVED(&w, 1, "ab");
  CHECK_RECEIVED(&w, 3, "a");
  CHECK_EQ(w.sinks[1].writes, 1);
  hub_send(&w, 3, "c"); /* opens the next window */
  CHECK_EQ(fan_hub_due_ms(w.hub), 1080);
  hub_deinit(&w);
}

static void test_hub_turn_in_slices_writes_each_client_once(void) {
  hub_init(&w, NULL);
  hub_open(&w, 1, 10);
  hub_settle(&w);
  hub_publish(&w, "*", "a");
  unsigned written = 0;
  for (int slice = 1; slice <= 4; slice++) {
    bool more = fan_hub_turn(w.hub, w.now_ms, 3);
    written = 0;
    for (int id = 1; id <= 10; id++) written += w.sinks[id].writes;
    CHECK_EQ(written, slice < 4 ? 3 * slice : 10);
    CHECK(more == (slice < 4));
    CHECK(fan_hub_due_ms(w.hub) == (more ? w.now_ms : FAN_NEVER));
  }
  hub_deinit(&w);
}

static void test_hub_turn_writes_a_measure_to_each_client_and_goes_round(void) {
  hub_init(&w, &(fan_limits){.queue_bytes = 8 << 20, .total_bytes = 64 << 20});
  hub_open(&w, 1, 3);
  hub_settle(&w);
  hub_send_sized(&w, 1, 1000, 3000);
  hub_send_sized(&w, 2, 1000, 3000);
  hub_send(&w, 3, "x");
  for (size_t turn = 1; turn <= 4; turn++) {
    CHECK(fan_hub_turn(w.hub, w.now_ms, 1000));
    CHECK(w.sinks[1].size >= turn * FAN_TURN_BYTES);
    CHECK(w.sinks[1].size < turn * (FAN_TURN_BYTES + 1000));
    CHECK(w.sinks[2].size >= turn * FAN_TURN_BYTES);
    CHECK_RECEIVED(&w, 3, "x");
  }
  hub_settle(&w);
  CHECK_EQ(w.sinks[1].size, 3000 * 1000);
  hub_deinit(&w);
}

static void test_hub_time_does_not_go_backwards(void) {
  hub_init(&w, &(fan_limits){.queue_bytes = 1 << 20, .total_bytes = 64 << 20, .batch_ms = 40});
  hub_open(&w, 1, 1);
  hub_settle(&w);
  fan_hub_set_time(w.hub, 2000);
  fan_hub_set_time(w.hub, 1500);
  hub_send(&w, 1, "a");
  CHECK_EQ(fan_hub_due_ms(w.hub), 2040);
  fan_hub_turn(w.hub, 1999, 100);
  CHECK_RECEIVED(&w, 1, "");
  fan_hub_turn(w.hub, 2040, 100);
  CHECK_RECEIVED(&w, 1, "a");
  hub_deinit(&w);
}

static void test_hub_wakes_for_heartbeats_and_sends_the_shared_frame(void) {
  fan_buf *beat = frame_heartbeat(false);
  hub_init(&w, NULL);
  for (uint64_t id = 1; id <= 3; id++) {
    CHECK_EQ(fan_hub_connect(w.hub, id, &(fan_client_config){100, beat, 0}), 0);
    hub_attach(&w, id);
  }
  hub_settle(&w);
  CHECK(fan_hub_due_ms(w.hub) > 1000 && fan_hub_due_ms(w.hub) <= 1104);
  CHECK_EQ(fan_hub_held_bytes(w.hub), fan_buf_cost(beat)); /* once, not once a client */
  hub_pass(&w, 104);
  CHECK_BYTES(w.sinks[1].bytes, w.sinks[1].size, ":\n", 2);
  CHECK_BYTES(w.sinks[2].bytes, w.sinks[2].size, "2\r\n:\n\r\n", 7);
  CHECK_EQ(fan_hub_stats(w.hub)->heartbeats, 3);
  fan_buf_unref(beat);
  hub_deinit(&w);
}

static void test_hub_waits_for_readers_that_are_behind(void) {
  hub_init(&w, &(fan_limits){.queue_bytes = 1000, .total_bytes = 64 << 20});
  hub_open(&w, 1, 2);
  hub_block(&w, 1);
  hub_send_sized(&w, 1, 600, 1);
  CHECK(!fan_hub_wait(w.hub, w.now_ms, 0));
  hub_settle(&w);
  CHECK(fan_hub_wait(w.hub, w.now_ms, 0));
  fan_hub_set_time(w.hub, w.now_ms + FAN_PACE_MS);
  CHECK(!fan_hub_wait(w.hub, w.now_ms, 0));
  hub_deinit(&w);
}

int main(void) {
  RUN(test_hub_target_is_the_union_of_rooms_and_clients_once_each);
  RUN(test_hub_target_leaves_out_rooms_and_clients_excepted);
  RUN(test_hub_everyone_needs_no_room);
  RUN(test_hub_private_and_room_frames_keep_their_order);
  RUN(test_hub_frames_sent_before_the_sink_wait_for_it);
  RUN(test_hub_join_and_leave_decide_who_is_given_what_comes_next);
  RUN(test_hub_twenty_frames_in_one_turn_are_one_write_for_each_client);
  RUN(test_hub_batch_window_gathers_what_comes_within_it);
  RUN(test_hub_turn_in_slices_writes_each_client_once);
  RUN(test_hub_turn_writes_a_measure_to_each_client_and_goes_round);
  RUN(test_hub_time_does_not_go_backwards);
  RUN(test_hub_wakes_for_heartbeats_and_sends_the_shared_frame);
  RUN(test_hub_waits_for_readers_that_are_behind);
  return check_done("test_hub");
}
