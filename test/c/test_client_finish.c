/* client.h: the end of a stream whose sink has an end of its own to write (sink.h, finish). The sink itself checks that it is
 * asked in order. */
#include "core/err.h"
#include "support/check.h"
#include "support/client_world.h"

static client_world w;

static const fan_limits clocks = {
    .queue_bytes = 1 << 20, .total_bytes = 64 << 20, .stall_ms = 1000};

static void test_finish_is_asked_once_the_queue_is_empty(void) {
  world_open(&w, NULL, 0);
  world_push(&w, 20, 3);
  sink_script_answer(&w.sink, 25);
  fan_client_close(&w.client, FAN_SERVER);
  world_settle(&w);
  CHECK_EQ(w.sink.finishes, 0); /* 35 bytes wait */
  world_writable(&w);
  world_settle(&w);
  world_turn(&w, 1000);
  CHECK_EQ(w.sink.size, 60);
  CHECK_EQ(w.sink.finishes, 1);
  CHECK(w.ended && w.client.released);
  CHECK_EQ(w.sink.how, FAN_SINK_RELEASE);
  world_deinit(&w, 1);
}

static void test_finish_that_finds_no_room_is_asked_again_when_there_is(void) {
  world_open(&w, NULL, 0);
  w.sink.finish_answers[0] = w.sink.finish_answers[1] = FAN_EAGAIN;
  fan_client_close(&w.client, FAN_SERVER);
  for (unsigned times = 1; times <= 2; times++) {
    world_settle(&w);
    world_settle(&w);
    CHECK_EQ(w.sink.finishes, times);
    CHECK(w.sink.wanting && !w.ended);
    world_writable(&w);
  }
  world_settle(&w);
  world_turn(&w, 1000);
  CHECK_EQ(w.sink.finishes, 3);
  CHECK(w.ended && w.client.released && !w.sink.wanting);
  world_deinit(&w, 1);
}

static void test_finish_that_fails_cuts_the_connection(void) {
  world_open(&w, NULL, 0);
  w.sink.finish_answers[0] = FAN_EGONE;
  fan_client_close(&w.client, FAN_SERVER);
  world_settle(&w);
  world_turn(&w, 1000);
  CHECK(w.ended && !w.client.released);
  CHECK_EQ(w.client.reason, FAN_SERVER); /* the first one */
  CHECK_EQ(w.sink.how, FAN_SINK_EVICT);
  world_deinit(&w, 1);
}

static void test_finish_waits_no_longer_than_a_stalled_reader_may(void) {
  world_open(&w, &clocks, 0);
  w.sink.finish_answers[0] = FAN_EAGAIN;
  fan_client_close(&w.client, FAN_SERVER);
  world_settle(&w);
  world_turn(&w, 1990);
  CHECK(!w.ended);
  world_turn(&w, 2050);
  world_turn(&w, 2050);
  CHECK(w.ended && !w.client.released);
  CHECK_EQ(w.sink.finishes, 1);
  world_deinit(&w, 1);
}

int main(void) {
  RUN(test_finish_is_asked_once_the_queue_is_empty);
  RUN(test_finish_that_finds_no_room_is_asked_again_when_there_is);
  RUN(test_finish_that_fails_cuts_the_connection);
  RUN(test_finish_waits_no_longer_than_a_stalled_reader_may);
  return check_done("test_client_finish");
}
