/* The budget at the inbox, and the pacing of a large stretch: who reads gets everything, who does not is slow. */
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "io/clock.h"
#include "support/io_js.h"
#include "support/io_readers.h"

#define ROOM 7
#define CROWD 600 /* several slices of a turn */

/* ---- budget ---- */

static void test_budget_half_of_it_for_the_inbox(void) {
  js_side js;
  fan_limits limits = js_limits();
  limits.total_bytes = 1 << 20;
  js_init(&js); /* does not run yet: nothing leaves the inbox */
  fan_port *port = js_open(&js, &limits);
  size_t cost = 0, posted = 0;
  for (;;) {
    fan_buf *frame = frame_sized(3000, (unsigned)posted);
    cost = fan_buf_cost(frame);
    int error = fan_port_admit(port, cost);
    CHECK_EQ(error, posted > limits.total_bytes / 2 ? FAN_EFULL : 0);
    if (error) {
      fan_buf_unref(frame);
      break;
    }
    js_publish(&js, port, ROOM, frame);
    posted += cost;
    CHECK_EQ(fan_port_inbox_bytes(port), posted);
    CHECK_EQ(fan_port_live_bytes(port), posted);
  }
  CHECK(posted <= limits.total_bytes / 2 + cost);
  CHECK_EQ(fan_loop_start(js.loop), 0);
  js_fence(&js, port);
  CHECK_EQ(fan_port_live_bytes(port), 0); /* nobody is there */
  CHECK_EQ(fan_port_admit(port, limits.total_bytes / 2 - 256), 0);
  CHECK_EQ(fan_port_admit(port, limits.total_bytes / 2), FAN_ETOOLARGE);
  js_free(&js, port);
  js_end(&js);
}

/* Nobody is written to, so nothing is freed: while frames move from the inbox to the hub the sum must not dip. */
static void test_budget_the_sum_never_reads_too_small(void) {
  js_side js;
  fan_limits limits = js_limits();
  js_begin(&js);
  fan_port *port = js_open(&js, &limits);
  uint64_t client = js_connect(&js, port, ROOM);
  size_t posted = 0;
  unsigned dips = 0;
  for (unsigned i = 0; i < 20000; i++) {
    fan_buf *frame = frame_sized(100, i);
    posted += fan_buf_cost(frame);
    js_publish(&js, port, ROOM, frame);
    if (i % 200 != 199) continue;
    js_flush(&js);
    do dips += fan_port_live_bytes(port) < posted;
    while (fan_port_inbox_bytes(port) > 0); /* the loop is at work: look as often as possible */
  }
  CHECK_EQ(dips, 0);
  js_fence(&js, port);
  CHECK_EQ(fan_port_live_bytes(port), posted);
  CHECK_EQ(fan_port_inbox_bytes(port), 0);
  js_end_client(&js, port, client, true);
  js_fence(&js, port);
  CHECK_EQ(fan_port_live_bytes(port), 0);
  js_free(&js, port);
  js_end(&js);
}

static void test_budget_is_never_exceeded(void) {
  enum { STALLED = 6 };
  js_side js;
  int pairs[STALLED][2];
  fan_limits limits = js_limits();
  limits.total_bytes = 2 << 20;
  js_begin(&js);
  fan_port *port = js_open(&js, &limits);
  unsigned full = 0;
  for (unsigned i = 0; i < 6000; i++) {
    if (i % 1000 == 0) { /* who is cut for the budget is replaced */
      net_unix(pairs[i / 1000]);
      js_client(&js, port, ROOM, pairs[i / 1000][0], false);
    }
    fan_buf *frame = frame_sized(4000, i);
    if (fan_port_admit(port, fan_buf_cost(frame)) == 0) {
      js_publish(&js, port, ROOM, frame);
      CHECK(fan_port_live_bytes(port) <= limits.total_bytes);
    } else {
      full++;
      fan_buf_unref(frame);
      js_fence(&js, port);
    }
  }
  js_fence(&js, port);
  fan_stats stats = js_stats(&js, port);
  CHECK(stats.peak_bytes <= limits.total_bytes);
  CHECK(stats.ended[FAN_SLOW] > 0);
  CHECK(full < 6000);
  js_free(&js, port);
  js_end(&js);
  for (int i = 0; i < STALLED; i++) net_close(pairs[i]);
}

/* ---- pacing ---- */

/* The part of a stretch that has left before its end: whole batches to everybody in the room. Only expected if js is NULL. */
static void post_batches(js_side *js, fan_port *port, net_bytes *expected, unsigned batches) {
  unsigned seed = 0;
  for (unsigned i = 0; i < batches; i++)
    for (size_t cost = 0; cost < FAN_BATCH_BYTES;) {
      fan_buf *frame = frame_sized(3000, seed++);
      cost += fan_buf_cost(frame);
      if (js) js_publish(js, port, ROOM, frame);
      else fan_buf_unref(expect_frame(expected, frame, false));
    }
}

/* Two that read at once and one that has work to do. */
typedef struct audience {
  js_side js;
  fan_port *port;
  int pairs[3][2];
  net_bytes expected;
  readers quick, busy;
} audience;

static void begin(audience *a, unsigned batches) {
  fan_limits limits = js_limits();
  limits.queue_bytes = 1 << 20;
  js_begin(&a->js);
  a->port = js_open(&a->js, &limits);
  a->expected = (net_bytes){0};
  post_batches(NULL, NULL, &a->expected, batches);
  a->quick = (readers){.expected = &a->expected};
  a->busy = (readers){.expected = &a->expected, .pause_us = 1000};
  for (int i = 0; i < 3; i++) {
    net_tcp(a->pairs[i]);
    net_narrow(a->pairs[i]);
    js_client(&a->js, a->port, ROOM, a->pairs[i][0], false);
    readers *r = i < 2 ? &a->quick : &a->busy;
    r->fds[r->count++] = a->pairs[i][1];
  }
  readers_start(&a->quick);
  readers_start(&a->busy);
}

static void check_complete(audience *a) {
  CHECK_EQ(readers_join(&a->quick), 2);
  CHECK_EQ(readers_join(&a->busy), 1);
  CHECK_EQ(a->quick.wrong + a->busy.wrong, 0);
}

static void end(audience *a) {
  js_free(&a->js, a->port);
  js_end(&a->js);
  for (int i = 0; i < 3; i++) net_close(a->pairs[i]);
  net_bytes_free(&a->expected);
}

/* While the stretch goes on there is no hurry: however slowly a reader reads, it is waited for. */
static void test_pace_a_large_stretch_waits_for_its_readers(void) {
  static audience a;
  begin(&a, 40); /* ten times what a queue may hold */
  post_batches(&a.js, a.port, NULL, 40);
  check_complete(&a);
  js_fence(&a.js, a.port);
  CHECK_EQ(js_stats(&a.js, a.port).clients, 3);
  end(&a);
}

/* Answers whether all who read got everything. */
static bool flood_with_one_stalled(void) {
  static audience a;
  int stalled[2];
  begin(&a, 40);
  net_tcp(stalled);
  net_narrow(stalled);
  uint64_t victim = js_client(&a.js, a.port, ROOM, stalled[0], false);
  post_batches(&a.js, a.port, NULL, 40);
  js_flush(&a.js);
  unsigned complete = readers_join(&a.quick) + readers_join(&a.busy);
  CHECK_EQ(a.quick.wrong + a.busy.wrong, 0); /* a prefix at least */
  CHECK_EQ(js_await(&a.js, victim, FAN_NOTICE_EVICTED).reason, FAN_SLOW);
  size_t size;
  unsigned char *got = net_drain(stalled[1], &size);
  CHECK(size < a.expected.size);
  CHECK_BYTES(got, size, a.expected.data, size);
  free(got);
  js_fence(&a.js, a.port);
  CHECK_EQ(js_stats(&a.js, a.port).ended[FAN_SLOW], 1 + 3 - complete);
  end(&a);
  net_close(stalled);
  return complete == 3;
}

/* Now a stalled reader cannot hold the others up, so each has FAN_PACE_MS of real time: on a machine that is busy with other
 * things a good reader may miss that, but not each time. */
static void test_pace_a_large_stretch_ends_who_stalls_and_nobody_else(void) {
  int tries = 0;
  while (!flood_with_one_stalled() && ++tries < 8 && !check_failing()) continue;
  CHECK(tries < 8);
}

/* More is not taken in before everybody was written to: else the last of a crowd, with a smaller window than those before it,
 * would be past its limit before its first write. */
static void test_pace_a_crowd_that_reads_stays(void) {
  static int pairs[CROWD][2];
  static readers crowd;
  js_side js;
  net_bytes expected = {0};
  fan_limits limits = js_limits();
  limits.queue_bytes = FAN_BATCH_BYTES / 4;
  js_begin(&js);
  fan_port *port = js_open(&js, &limits);
  crowd = (readers){.expected = &expected};
  for (int i = 0; i < CROWD; i++) {
    net_unix(pairs[i]);
    net_set_option(pairs[i][0], SOL_SOCKET, SO_SNDBUF, i < CROWD - 80 ? 400 * 1024 : 8 * 1024);
    js_client(&js, port, ROOM, pairs[i][0], false);
    crowd.fds[crowd.count++] = pairs[i][1];
  }
  js_fence(&js, port);
  post_batches(NULL, NULL, &expected, 1);
  readers_start(&crowd);
  post_batches(&js, port, NULL, 1);
  CHECK_EQ(readers_join(&crowd), CROWD);
  CHECK_EQ(crowd.wrong + crowd.ended, 0);
  js_fence(&js, port);
  CHECK_EQ(js_stats(&js, port).ended[FAN_SLOW], 0);
  js_free(&js, port);
  js_end(&js);
  for (int i = 0; i < CROWD; i++) net_close(pairs[i]);
  net_bytes_free(&expected);
}

/* Holding back is for what comes in bulk; what others send meanwhile comes behind it, and soon. */
static void test_pace_does_not_hold_for_long(void) {
  js_side js;
  int stalled[2], quick[2];
  net_bytes expected = {0};
  fan_limits limits = js_limits();
  limits.queue_bytes = 256 * 1024;
  js_begin(&js);
  fan_port *port = js_open(&js, &limits), *other = js_open(&js, &limits);
  net_tcp(stalled);
  net_narrow(stalled);
  net_tcp(quick);
  js_client(&js, port, ROOM, stalled[0], false);
  uint64_t client = js_client(&js, other, 0, quick[0], false);
  js_fence(&js, port);
  for (unsigned i = 0; i < 600; i++) js_publish(&js, port, ROOM, frame_sized(1000, i));
  js_send(&js, other, client, expect_frame(&expected, frame_event("behind the flood"), false));
  uint64_t begun = fan_clock_ms();
  js_flush(&js);
  CHECK_READS(quick[1], &expected);
  CHECK(fan_clock_ms() - begun < 20 * FAN_PACE_MS);
  js_free(&js, port);
  js_free(&js, other);
  js_end(&js);
  net_bytes_free(&expected);
  net_close(stalled);
  net_close(quick);
}

int main(void) {
  IO_RUN(test_budget_half_of_it_for_the_inbox);
  IO_RUN(test_budget_the_sum_never_reads_too_small);
  IO_RUN(test_budget_is_never_exceeded);
  IO_RUN(test_pace_a_large_stretch_waits_for_its_readers);
  IO_RUN(test_pace_a_large_stretch_ends_who_stalls_and_nobody_else);
  IO_RUN(test_pace_a_crowd_that_reads_stays);
  IO_RUN(test_pace_does_not_hold_for_long);
  return check_done("io_pace");
}
