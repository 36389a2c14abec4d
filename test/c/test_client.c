/* client.h: writing, ending, slow readers, reports. The clocks are in test_client_clocks.c. */
#include <string.h>

#include "core/err.h"
#include "support/check.h"
#include "support/client_world.h"
#include "support/frames.h"

static client_world w;

static const fan_limits small = {.queue_bytes = 1000, .total_bytes = 64 << 20};

static void test_client_short_write_of_every_length_loses_nothing(void) {
  fan_buf *a = frame_sized(30, 1), *b = frame_sized(50, 2);
  for (int64_t taken = 0; taken <= 80; taken++) {
    world_open(&w, NULL, 0);
    sink_script_answer(&w.sink, taken);
    fan_client_push(&w.client, a);
    fan_client_push(&w.client, b);
    world_turn(&w, 1000);
    CHECK(w.client.blocked == (taken < 80));
    CHECK(w.sink.wanting == w.client.blocked);
    world_writable(&w);
    world_settle(&w);
    CHECK(!w.sink.wanting);
    CHECK_BYTES(w.sink.bytes, 30, fan_buf_raw(a).data, 30);
    CHECK_BYTES(w.sink.bytes + 30, w.sink.size - 30, fan_buf_raw(b).data, 50);
    world_deinit(&w, 0);
  }
  fan_buf_unref(a);
  fan_buf_unref(b);
}

static void test_client_again_waits_for_room_before_it_writes(void) {
  world_open(&w, NULL, 0);
  sink_script_answer(&w.sink, FAN_EAGAIN);
  world_push(&w, 20, 1);
  world_settle(&w);
  CHECK_EQ(w.sink.writes, 1);
  world_push(&w, 20, 3);
  world_settle(&w);
  CHECK_EQ(w.sink.writes, 1);
  CHECK_EQ(w.clients.stats.blocked, 1);
  world_writable(&w);
  world_settle(&w);
  CHECK_EQ(w.sink.writes, 2);
  CHECK_EQ(w.sink.size, 80);
  CHECK_EQ(w.clients.stats.written_bytes, 80);
  CHECK_EQ(w.clients.stats.written_frames, 4);
  CHECK_EQ(w.clients.stats.deliveries, 4);
  fan_client_writable(&w.client); /* a late word: harmless */
  CHECK(fan_list_empty(&w.clients.dirty));
  world_deinit(&w, 0);
}

static void test_client_errors_of_the_sink_end_it_with_their_reason(void) {
  static const struct {
    int error;
    enum fan_reason reason;
  } cases[] = {{FAN_EGONE, FAN_CLIENT}, {FAN_ETIMEOUT, FAN_STALLED}, {FAN_EIO, FAN_ERROR}};
  for (int i = 0; i < 3; i++) {
    world_open(&w, NULL, 0);
    sink_script_answer(&w.sink, cases[i].error);
    world_push(&w, 20, 2);
    world_turn(&w, 1000);
    CHECK(w.ended);
    CHECK_EQ(w.client.reason, cases[i].reason);
    CHECK_EQ(w.sink.how, FAN_SINK_EVICT);
    CHECK_EQ(w.clients.stats.dropped_events[cases[i].reason], 2);
    CHECK_EQ(w.clients.stats.dropped_bytes[cases[i].reason], 40);
    world_deinit(&w, 1);
  }
}

static void test_client_queues_while_it_is_opening_and_writes_once_attached(void) {
  world_init(&w, NULL, NULL);
  world_push(&w, 20, 5);
  world_settle(&w);
  CHECK_EQ(w.client.state, FAN_OPENING);
  world_attach(&w);
  CHECK_EQ(w.client.state, FAN_OPEN);
  CHECK_EQ(w.client.queue.bytes, 100); /* the sink is raw */
  sink_script other;
  sink_script_init(&other, false);
  CHECK_EQ(fan_client_attach(&w.client, &other.sink), FAN_EINVALID);
  world_settle(&w);
  CHECK_EQ(w.sink.writes, 1);
  CHECK_EQ(w.sink.size, 100);
  world_deinit(&w, 0);
  CHECK_EQ(fan_client_attach(&w.client, &other.sink), FAN_EINVALID);
  sink_script_deinit(&other, 0);
}

static void test_client_is_slow_only_after_a_write_was_tried(void) {
  world_open(&w, &small, 0);
  world_push(&w, 500, 4);
  CHECK_EQ(w.client.state, FAN_OPEN);
  world_settle(&w);
  CHECK(!w.ended);
  CHECK_EQ(w.sink.size, 2000);
  sink_script_answer(&w.sink, 100);
  world_push(&w, 500, 2);
  world_settle(&w);
  CHECK(!w.ended);
  world_push(&w, 500, 1);
  world_settle(&w);
  CHECK(w.ended);
  CHECK_EQ(w.client.reason, FAN_SLOW);
  CHECK_EQ(w.sink.size, 2100);
  CHECK_EQ(w.clients.stats.dropped_events[FAN_SLOW], 3);
  CHECK_EQ(w.clients.stats.dropped_bytes[FAN_SLOW], 1400);
  world_deinit(&w, 1);
}

static void test_client_without_a_sink_is_slow_by_its_queue(void) {
  world_init(&w, &small, NULL);
  world_push(&w, 400, 2);
  world_settle(&w);
  CHECK(!w.ended);
  world_push(&w, 400, 1);
  world_settle(&w);
  CHECK(w.ended);
  CHECK_EQ(w.client.reason, FAN_SLOW);
  world_deinit(&w, 0);
}

static void test_client_one_event_always_fits_an_empty_queue(void) {
  world_open(&w, &small, 0);
  sink_script_answer(&w.sink, 10);
  sink_script_answer(&w.sink, 10);
  world_push(&w, 5000, 1);
  world_settle(&w);
  CHECK(!w.ended && w.client.blocked);
  world_writable(&w);
  world_settle(&w);
  CHECK(!w.ended && w.client.blocked);
  world_push(&w, 10, 1); /* the second one does not */
  world_settle(&w);
  CHECK(w.ended);
  CHECK_EQ(w.client.reason, FAN_SLOW);
  world_deinit(&w, 1);
}

/* What is given at once may be many times the limit, as one event or as many. */
static void check_flood(size_t size, unsigned count) {
  world_open(&w, NULL, 0);
  w.sink.forgetful = true;
  world_push(&w, size, count);
  world_turn(&w, 1000);
  CHECK(w.sink.size >= FAN_TURN_BYTES);
  CHECK(w.sink.size < FAN_TURN_BYTES + size);
  world_settle(&w);
  CHECK(!w.ended);
  CHECK_EQ(w.sink.size, size * count);
  world_deinit(&w, 0);
}

static void test_client_healthy_reader_given_5_mb_at_once_survives(void) {
  check_flood(5 << 20, 1);
  check_flood(1 << 20, 5);
  check_flood(5 << 10, 1024);
  check_flood(100, 52430);
}

static void test_client_takes_turns_when_it_has_much_to_write(void) {
  world_open(&w, NULL, 0);
  world_push(&w, 1000, 600);
  world_turn(&w, 1000);
  CHECK_EQ(w.sink.size, 263000); /* whole frames, just past the 256 KiB */
  CHECK(fan_list_linked(&w.client.dirty_node));
  CHECK_EQ(w.clients.flush_due_ms, 1000);
  world_settle(&w);
  CHECK_EQ(w.sink.size, 600000);
  world_deinit(&w, 0);
}

static void test_client_close_drains_the_queue_and_releases_the_sink(void) {
  world_open(&w, &small, 0);
  sink_script_answer(&w.sink, 5);
  world_push(&w, 400, 2);
  world_settle(&w);
  fan_client_close(&w.client, FAN_SERVER);
  CHECK_EQ(w.client.state, FAN_DRAINING);
  fan_buf *late = frame_event("late");
  CHECK_EQ(fan_client_push(&w.client, late), FAN_DEAF);
  CHECK_EQ(late->refs, 1);
  fan_buf_unref(late);
  world_settle(&w);
  CHECK(!w.ended);
  world_writable(&w);
  world_settle(&w);
  CHECK(w.ended);
  CHECK_EQ(w.client.reason, FAN_SERVER);
  CHECK_EQ(w.sink.how, FAN_SINK_RELEASE);
  CHECK_EQ(w.sink.size, 800);
  CHECK_EQ(w.clients.stats.dropped_events[FAN_SERVER], 0);
  world_deinit(&w, 1);
}

static void test_client_closed_while_opening_is_released_once_attached(void) {
  world_init(&w, NULL, NULL);
  world_push(&w, 20, 1);
  fan_client_close(&w.client, FAN_SERVER);
  world_settle(&w);
  CHECK(!w.ended);
  world_attach(&w);
  CHECK_EQ(w.client.state, FAN_DRAINING);
  world_settle(&w);
  CHECK(w.ended && w.client.released);
  CHECK_EQ(w.sink.size, 20);
  world_deinit(&w, 1);
}

static void test_client_draining_is_not_slow(void) {
  world_open(&w, &small, 0);
  sink_script_answer(&w.sink, FAN_EAGAIN);
  sink_script_answer(&w.sink, FAN_EAGAIN);
  world_push(&w, 500, 4);
  fan_client_close(&w.client, FAN_SERVER);
  world_settle(&w);
  CHECK(!w.ended);
  world_writable(&w);
  world_settle(&w);
  CHECK(!w.ended);
  world_writable(&w);
  world_settle(&w);
  CHECK(w.ended && w.client.released);
  CHECK_EQ(w.sink.size, 2000);
  world_deinit(&w, 1);
}

static void test_client_first_reason_wins(void) {
  world_open(&w, NULL, 0);
  sink_script_answer(&w.sink, FAN_EAGAIN);
  world_push(&w, 20, 1);
  world_settle(&w);
  fan_client_close(&w.client, FAN_SERVER);
  fan_client_close(&w.client, FAN_SHUTDOWN);
  fan_client_kill(&w.client, FAN_STALLED);
  fan_client_kill(&w.client, FAN_CLIENT);
  CHECK_EQ(w.client.state, FAN_DEAD);
  CHECK_EQ(w.sink.closed, 0); /* not before the sweep */
  world_turn(&w, 1000);
  CHECK_EQ(w.client.reason, FAN_SERVER);
  CHECK_EQ(w.sink.how, FAN_SINK_EVICT); /* not drained: no orderly end */
  CHECK_EQ(w.clients.stats.dropped_events[w.client.reason], 1);
  world_deinit(&w, 1);
}

static void take_report(void) {
  fan_list_shift(&w.clients.notices);
  w.client.report = false;
  w.client.reported_bytes = w.client.queue.bytes;
  w.client.private_reported_bytes = w.client.private_bytes;
}

static bool reports(void) { return fan_list_linked(&w.client.notice_node); }

static void test_client_reports_high_and_low_water(void) {
  world_open(&w, NULL, 0);
  sink_script_answer(&w.sink, FAN_EAGAIN);
  world_push(&w, 5000, 12);
  world_settle(&w);
  CHECK(!reports());
  world_push(&w, 5000, 2);
  world_settle(&w);
  CHECK(reports()); /* past 64 KiB */
  take_report();
  world_push(&w, 5000, 12);
  world_settle(&w);
  CHECK(!reports());
  world_push(&w, 5000, 4);
  world_settle(&w);
  CHECK(reports()); /* twice as much */
  take_report();
  sink_script_answer(&w.sink, 130000); /* 20,000 left */
  world_writable(&w);
  world_settle(&w);
  CHECK(!reports());
  sink_script_answer(&w.sink, 5000); /* 15,000 left: below 16 KiB */
  world_writable(&w);
  world_settle(&w);
  CHECK(reports());
  take_report();
  world_writable(&w);
  world_settle(&w);
  CHECK(!reports());
  world_deinit(&w, 0);
}

static void test_client_reports_private_bytes_in_steps_of_16_kib(void) {
  world_open(&w, NULL, 0);
  fan_client_count_private(&w.client, FAN_LOW_BYTES - 1);
  world_push(&w, 20, 1);
  world_settle(&w);
  CHECK(!reports());
  fan_client_count_private(&w.client, 1);
  world_push(&w, 20, 1);
  world_settle(&w);
  CHECK(reports());
  take_report();
  world_push(&w, 20, 1);
  world_settle(&w);
  CHECK(!reports());
  world_deinit(&w, 0);
}

static void test_client_behind_is_waited_for_and_then_given_up(void) {
  world_open(&w, &small, 0);
  CHECK(!fan_clients_wait(&w.clients, 1000, 0));
  sink_script_answer(&w.sink, FAN_EAGAIN);
  world_push(&w, 300, 2); /* more than half */
  world_settle(&w);
  CHECK(fan_clients_wait(&w.clients, 1000, 0));
  world_turn(&w, 1000 + FAN_PACE_MS - 1);
  CHECK(fan_clients_wait(&w.clients, 1000, 0));
  CHECK(fan_clients_wait(&w.clients, 1050, 0));
  world_turn(&w, 1000 + FAN_PACE_MS);
  CHECK(fan_clients_wait(&w.clients, 1050, 0));
  CHECK(!fan_clients_wait(&w.clients, 1000, 0));
  CHECK(w.client.given_up);
  world_push(&w, 20, 1);
  world_settle(&w);
  CHECK(!fan_clients_wait(&w.clients, w.clients.now_ms, 0)); /* not again, until it has caught up */
  world_writable(&w);
  world_settle(&w);
  CHECK(!w.client.given_up);
  sink_script_answer(&w.sink, FAN_EAGAIN);
  world_push(&w, 300, 2);
  world_settle(&w);
  CHECK(fan_clients_wait(&w.clients, w.clients.now_ms, 0));
  world_deinit(&w, 0);
}

static void take(int64_t bytes) {
  sink_script_answer(&w.sink, bytes);
  world_writable(&w);
  world_settle(&w);
}

static void test_client_behind_is_waited_for_until_the_next_frame_fits(void) {
  world_open(&w, &small, 0);
  sink_script_answer(&w.sink, FAN_EAGAIN);
  world_push(&w, 300, 2);
  world_settle(&w);
  take(50);
  CHECK(fan_clients_wait(&w.clients, 1000, 0)); /* 550 of 1,000 left */
  take(100);
  CHECK(!fan_clients_wait(&w.clients, 1000, 0));
  CHECK(fan_clients_wait(&w.clients, 1000, 600));
  CHECK(fan_clients_wait(&w.clients, 1000, 5000));
  take(100);
  CHECK(!fan_clients_wait(&w.clients, 1000, 600));
  CHECK(fan_clients_wait(&w.clients, 1000, 5000)); /* that one fits an empty queue only */
  take(350);
  CHECK(!fan_clients_wait(&w.clients, 1000, 5000));
  world_deinit(&w, 0);
}

static void test_client_behind_that_goes_on_taking_is_waited_for_but_not_for_ever(void) {
  uint64_t now = 1000;
  world_open(&w, &small, 0);
  sink_script_answer(&w.sink, FAN_EAGAIN);
  world_push(&w, 300, 3);
  world_settle(&w);
  while (now < 1000 + FAN_PACE_MAX_MS) {
    CHECK(fan_clients_wait(&w.clients, 1000, 0));
    world_turn(&w, now += FAN_PACE_MS - 100);
    take(1);
  }
  CHECK(!fan_clients_wait(&w.clients, 1000, 0));
  world_deinit(&w, 0);
}

int main(void) {
  RUN(test_client_short_write_of_every_length_loses_nothing);
  RUN(test_client_again_waits_for_room_before_it_writes);
  RUN(test_client_errors_of_the_sink_end_it_with_their_reason);
  RUN(test_client_queues_while_it_is_opening_and_writes_once_attached);
  RUN(test_client_is_slow_only_after_a_write_was_tried);
  RUN(test_client_without_a_sink_is_slow_by_its_queue);
  RUN(test_client_one_event_always_fits_an_empty_queue);
  RUN(test_client_healthy_reader_given_5_mb_at_once_survives);
  RUN(test_client_takes_turns_when_it_has_much_to_write);
  RUN(test_client_close_drains_the_queue_and_releases_the_sink);
  RUN(test_client_closed_while_opening_is_released_once_attached);
  RUN(test_client_draining_is_not_slow);
  RUN(test_client_first_reason_wins);
  RUN(test_client_reports_high_and_low_water);
  RUN(test_client_reports_private_bytes_in_steps_of_16_kib);
  RUN(test_client_behind_is_waited_for_and_then_given_up);
  RUN(test_client_behind_is_waited_for_until_the_next_frame_fits);
  RUN(test_client_behind_that_goes_on_taking_is_waited_for_but_not_for_ever);
  return check_done("test_client");
}
