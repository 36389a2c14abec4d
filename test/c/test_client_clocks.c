/* client.h: heartbeat, idle, lifetime, stall and the batch window. */
#include "core/err.h"
#include "support/check.h"
#include "support/client_world.h"
#include "support/frames.h"

static client_world w;

#define LIMITS .queue_bytes = 1 << 20, .total_bytes = 64 << 20

/* Lets time pass in the steps in which a loop would wake. */
static void pass(uint64_t until) {
  while (w.clients.now_ms < until && !check_failing()) {
    uint64_t due = fan_wheel_due_ms(&w.clients.wheel);
    if (w.clients.flush_due_ms < due) due = w.clients.flush_due_ms;
    if (due <= w.clients.now_ms) due = w.clients.now_ms + 1;
    world_turn(&w, due < until ? due : until);
  }
}

static void block(void) {
  sink_script_answer(&w.sink, FAN_EAGAIN);
  world_push(&w, 20, 1);
  world_settle(&w);
  CHECK(w.client.blocked);
}

static void test_clock_heartbeat_comes_only_after_silence(void) {
  world_open(&w, NULL, 500);
  pass(1499);
  CHECK_EQ(w.sink.size, 0);
  pass(1504);
  CHECK_BYTES(w.sink.bytes, w.sink.size, ":\n", 2);
  CHECK_EQ(w.clients.stats.heartbeats, 1);
  pass(1800);
  world_push(&w, 20, 1); /* an event is a sign of life */
  pass(2299);
  CHECK_EQ(w.clients.stats.heartbeats, 1);
  pass(2304);
  CHECK_EQ(w.clients.stats.heartbeats, 2);
  pass(10000);
  CHECK_EQ(w.clients.stats.heartbeats, 2 + (10000 - 2304) / 500);
  world_deinit(&w, 0);
}

static void test_clock_heartbeat_is_not_sent_to_whom_bytes_wait_for(void) {
  world_open(&w, NULL, 500);
  block();
  pass(4000);
  CHECK_EQ(w.clients.stats.heartbeats, 0);
  CHECK_EQ(w.client.queue.count, 1);
  world_writable(&w);
  world_settle(&w);
  CHECK_EQ(w.sink.size, 20);
  pass(4000 + 500 + 500);
  CHECK(w.clients.stats.heartbeats >= 1);
  world_deinit(&w, 0);
}

static void test_clock_no_heartbeat_before_the_sink_is_attached(void) {
  fan_buf *beat = frame_heartbeat(false);
  world_init(&w, NULL, &(fan_client_config){100, beat, 0});
  pass(2000);
  CHECK_EQ(w.clients.stats.heartbeats, 0);
  world_deinit(&w, 0);
  CHECK_EQ(beat->refs, 1);
  fan_buf_unref(beat);
}

static void test_clock_heartbeats_are_no_activity_even_as_events(void) {
  fan_buf *beat = frame_heartbeat(true);
  world_init(&w, &(fan_limits){LIMITS, .idle_ms = 1000}, &(fan_client_config){100, beat, 0});
  world_attach(&w);
  world_settle(&w);
  pass(1999);
  CHECK(!w.ended);
  CHECK(w.clients.stats.heartbeats >= 8);
  pass(2004);
  CHECK(w.ended && w.client.released);
  CHECK_EQ(w.client.reason, FAN_IDLE);
  world_deinit(&w, 1);
  fan_buf_unref(beat);
}

static void test_clock_idle_counts_from_the_last_event(void) {
  world_open(&w, &(fan_limits){LIMITS, .idle_ms = 1000}, 0);
  pass(1900);
  world_push(&w, 20, 1);
  pass(2899);
  CHECK(!w.ended);
  fan_buf *comment = fan_frame_comment(slice_of_text("no event"), FAN_BUF_COMMENT);
  fan_client_push(&w.client, comment);
  fan_buf_unref(comment);
  pass(2904);
  CHECK(w.ended);
  CHECK_EQ(w.client.reason, FAN_IDLE);
  CHECK_EQ(w.sink.how, FAN_SINK_RELEASE);
  world_deinit(&w, 1);
}

static void test_clock_lifetime_ends_a_busy_client_in_order(void) {
  world_init(&w, NULL, &(fan_client_config){.lifetime_ms = 700});
  world_attach(&w);
  for (uint64_t now = 1000; now < 1700; now += 10) {
    world_push(&w, 20, 1);
    pass(now);
    CHECK(!w.ended);
  }
  pass(1704);
  CHECK(w.ended && w.client.released);
  CHECK_EQ(w.client.reason, FAN_LIFETIME);
  CHECK_EQ(w.sink.size, 70 * 20);
  world_deinit(&w, 1);
}

static void test_clock_stall_ends_who_takes_no_byte(void) {
  world_open(&w, &(fan_limits){LIMITS, .stall_ms = 300}, 0);
  pass(5000);
  CHECK(!w.ended); /* nothing waits for it */
  block();
  pass(5299);
  CHECK(!w.ended);
  pass(5304);
  CHECK(w.ended);
  CHECK_EQ(w.client.reason, FAN_STALLED);
  CHECK_EQ(w.sink.how, FAN_SINK_EVICT);
  CHECK_EQ(w.clients.stats.dropped_events[w.client.reason], 1);
  world_deinit(&w, 1);
}

static void test_clock_one_byte_is_progress(void) {
  world_open(&w, &(fan_limits){LIMITS, .stall_ms = 300}, 0);
  block();
  for (uint64_t now = 1200; now < 1200 + 19 * 250; now += 250) {
    pass(now);
    sink_script_answer(&w.sink, 1);
    world_writable(&w);
    world_settle(&w);
    CHECK(!w.ended);
  }
  CHECK_EQ(w.sink.size, 19);
  pass(w.clients.now_ms + 304);
  CHECK_EQ(w.client.reason, FAN_STALLED);
  world_deinit(&w, 1);
}

static void test_clock_stall_counts_from_when_bytes_began_to_wait(void) {
  world_open(&w, &(fan_limits){LIMITS, .stall_ms = 300}, 100000);
  pass(2000);
  world_push(&w, 20, 1);
  pass(2010);
  pass(4000); /* long after the last byte */
  block();
  pass(4299);
  CHECK(!w.ended);
  pass(4304);
  CHECK_EQ(w.client.reason, FAN_STALLED);
  world_deinit(&w, 1);
}

static void test_clock_stall_ends_who_never_gets_a_sink(void) {
  world_init(&w, &(fan_limits){LIMITS, .stall_ms = 300}, NULL);
  pass(1299);
  CHECK(!w.ended);
  pass(1304);
  CHECK_EQ(w.client.reason, FAN_STALLED);
  world_deinit(&w, 0);
}

static void test_clock_stall_ends_who_was_closed_and_never_gets_a_sink(void) {
  world_init(&w, &(fan_limits){LIMITS, .stall_ms = 300}, NULL);
  fan_client_close(&w.client, FAN_SERVER);
  pass(1304);
  CHECK(w.ended);
  CHECK_EQ(w.client.reason, FAN_SERVER);
  world_deinit(&w, 0);

  world_init(&w, &(fan_limits){LIMITS, .stall_ms = 3000}, &(fan_client_config){.lifetime_ms = 100});
  pass(1200);
  CHECK_EQ(w.client.state, FAN_DRAINING);
  pass(4110);
  CHECK(w.ended);
  CHECK_EQ(w.client.reason, FAN_LIFETIME);
  world_deinit(&w, 0);
}

static void test_clock_stall_of_the_reader_counts_from_the_attach(void) {
  world_init(&w, &(fan_limits){LIMITS, .stall_ms = 300}, NULL);
  world_push(&w, 20, 1);
  pass(1290);
  sink_script_answer(&w.sink, FAN_EAGAIN);
  world_attach(&w);
  world_settle(&w);
  CHECK(w.client.blocked);
  pass(1589);
  CHECK(!w.ended);
  pass(1594);
  CHECK_EQ(w.client.reason, FAN_STALLED);
  world_deinit(&w, 1);
}

static void test_clock_stall_ends_who_does_not_drain(void) {
  world_open(&w, &(fan_limits){LIMITS, .stall_ms = 300, .idle_ms = 100}, 50);
  block();
  pass(1204);
  CHECK_EQ(w.client.state, FAN_DRAINING);
  pass(1304);
  CHECK(w.ended && !w.client.released);
  CHECK_EQ(w.client.reason, FAN_IDLE);
  world_deinit(&w, 1);
}

/* The loop slept (or was late): "writable" and the stall are looked at in the same turn. */
static void test_clock_stall_is_judged_after_a_write_was_tried(void) {
  world_open(&w, &(fan_limits){LIMITS, .stall_ms = 300}, 0);
  block();
  w.clients.now_ms = 60000;
  world_writable(&w);
  world_turn(&w, 60000);
  CHECK(!w.ended);
  CHECK_EQ(w.sink.size, 20);
  block();
  w.clients.now_ms = 90000;
  sink_script_answer(&w.sink, FAN_EAGAIN);
  world_writable(&w);
  world_turn(&w, 90000);
  world_turn(&w, 90000);
  CHECK(w.ended);
  CHECK_EQ(w.client.reason, FAN_STALLED);
  world_deinit(&w, 1);
}

static void test_clock_batch_window_longer_than_the_stall_harms_nobody(void) {
  world_open(&w, &(fan_limits){LIMITS, .stall_ms = 100, .batch_ms = 400}, 100000);
  world_push(&w, 20, 1);
  pass(1399);
  fan_client_on_timer(&w.client); /* some other clock made it look */
  CHECK_EQ(w.client.state, FAN_OPEN);
  pass(1400);
  CHECK(!w.ended);
  CHECK_EQ(w.sink.size, 20);
  world_deinit(&w, 0);
}

static void test_clock_batch_window_gathers_frames_into_one_write(void) {
  world_open(&w, &(fan_limits){LIMITS, .batch_ms = 50}, 0);
  world_push(&w, 20, 1);
  for (uint64_t now = 1001; now < 1050; now++) {
    world_push(&w, 20, 1);
    world_turn(&w, now);
    CHECK_EQ(w.sink.writes, 0);
  }
  world_turn(&w, 1050);
  CHECK_EQ(w.sink.writes, 1);
  CHECK_EQ(w.sink.size, 50 * 20);
  world_push(&w, 20, 1);
  CHECK_EQ(w.clients.flush_due_ms, 1100);
  world_deinit(&w, 0);
}

static void test_clock_batch_window_does_not_hide_a_flood(void) {
  world_open(&w, &(fan_limits){.queue_bytes = 4000, .total_bytes = 64 << 20, .batch_ms = 5000}, 0);
  world_push(&w, 1000, 1);
  world_turn(&w, 1000);
  CHECK_EQ(w.sink.writes, 0);
  world_push(&w, 1000, 1);
  world_turn(&w, 1000);
  CHECK_EQ(w.sink.writes, 1);
  world_deinit(&w, 0);
}

int main(void) {
  RUN(test_clock_heartbeat_comes_only_after_silence);
  RUN(test_clock_heartbeat_is_not_sent_to_whom_bytes_wait_for);
  RUN(test_clock_no_heartbeat_before_the_sink_is_attached);
  RUN(test_clock_heartbeats_are_no_activity_even_as_events);
  RUN(test_clock_idle_counts_from_the_last_event);
  RUN(test_clock_lifetime_ends_a_busy_client_in_order);
  RUN(test_clock_stall_ends_who_takes_no_byte);
  RUN(test_clock_one_byte_is_progress);
  RUN(test_clock_stall_counts_from_when_bytes_began_to_wait);
  RUN(test_clock_stall_ends_who_never_gets_a_sink);
  RUN(test_clock_stall_ends_who_was_closed_and_never_gets_a_sink);
  RUN(test_clock_stall_of_the_reader_counts_from_the_attach);
  RUN(test_clock_stall_ends_who_does_not_drain);
  RUN(test_clock_stall_is_judged_after_a_write_was_tried);
  RUN(test_clock_batch_window_longer_than_the_stall_harms_nobody);
  RUN(test_clock_batch_window_gathers_frames_into_one_write);
  RUN(test_clock_batch_window_does_not_hide_a_flood);
  return check_done("test_client_clocks");
}
