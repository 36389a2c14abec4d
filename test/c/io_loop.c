/* loop.h and sink_fd.h, end to end on real sockets: what the peer of each client reads, how streams end. */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "support/io_js.h"

#define ROOM 7

/* ---- delivery ---- */

static void test_loop_publish_reaches_members_chunked_and_raw(void) {
  js_side js;
  int chunked[2], raw[2], other[2];
  net_bytes as_chunks = {0}, as_raw = {0}, alone = {0};
  fan_limits limits = js_limits();
  js_begin(&js);
  fan_port *port = js_open(&js, &limits);
  net_tcp(chunked);
  net_unix(raw);
  net_tcp(other);
  js_client(&js, port, ROOM, chunked[0], false);
  js_client(&js, port, ROOM, raw[0], true);
  uint64_t outsider = js_client(&js, port, ROOM + 1, other[0], false);
  for (unsigned i = 0; i < 50; i++) {
    fan_buf *frame = expect_frame(&as_raw, frame_sized(20 + i * 97, i), true);
    js_publish(&js, port, ROOM, expect_frame(&as_chunks, frame, false));
  }
  js_send(&js, port, outsider, expect_frame(&alone, frame_event("for you alone"), false));
  js_flush(&js);
  CHECK_READS(chunked[1], &as_chunks);
  CHECK_READS(raw[1], &as_raw);
  CHECK_READS(other[1], &alone);
  js_fence(&js, port);
  fan_stats stats = js_stats(&js, port);
  CHECK_EQ(stats.clients, 3);
  CHECK_EQ(stats.memberships, 3);
  CHECK_EQ(stats.deliveries, 101);
  CHECK_EQ(stats.written_bytes, as_chunks.size + as_raw.size + alone.size);
  CHECK_EQ(stats.held_bytes, 0);
  CHECK_EQ(fan_port_live_bytes(port), 0);
  js_free(&js, port);
  js_end(&js);
  CHECK(net_ended(chunked[1]) && net_ended(raw[1]) && net_ended(other[1]));
  net_bytes_free(&as_chunks);
  net_bytes_free(&as_raw);
  net_bytes_free(&alone);
  net_close(chunked);
  net_close(raw);
  net_close(other);
}

static void test_loop_keeps_the_order_of_the_calls(void) {
  js_side js;
  int pair[2];
  net_bytes expected = {0};
  fan_limits limits = js_limits();
  js_begin(&js);
  fan_port *port = js_open(&js, &limits);
  net_tcp(pair);
  uint64_t client = js_connect(&js, port, ROOM);
  /* sent before there is a socket, then in turn to the room and to the client, over several batches */
  for (unsigned i = 0; i < 1500; i++) {
    fan_buf *frame = expect_frame(&expected, frame_sized(30 + i % 40, i), false);
    if (i == 10) js_attach(&js, port, client, pair[0], false);
    if (i % 3) js_publish(&js, port, ROOM, frame);
    else js_send(&js, port, client, frame);
    if (i % 400 == 0) js_flush(&js);
  }
  js_post(&js, port, FAN_OP_LEAVE, client, ROOM);
  js_publish(&js, port, ROOM, frame_event("after leaving"));
  js_send(&js, port, client, expect_frame(&expected, frame_event("last"), false));
  js_flush(&js);
  CHECK_READS(pair[1], &expected);
  js_free(&js, port);
  js_end(&js);
  net_bytes_free(&expected);
  net_close(pair);
}

static void test_loop_a_stalled_reader_goes_on_where_it_stopped(void) {
  js_side js;
  int pair[2];
  net_bytes expected = {0};
  fan_limits limits = js_limits();
  js_begin(&js);
  fan_port *port = js_open(&js, &limits);
  net_tcp(pair);
  net_narrow(pair);
  uint64_t client = js_client(&js, port, ROOM, pair[0], false);
  for (unsigned i = 0; i < 400; i++)
    js_publish(&js, port, ROOM, expect_frame(&expected, frame_sized(4000 + i, i), false));
  js_fence(&js, port);
  fan_stats stats = js_stats(&js, port);
  CHECK(stats.blocked > 0);
  CHECK(stats.written_bytes < expected.size);
  CHECK_EQ(js_await(&js, client, FAN_NOTICE_REPORT).id, client);
  CHECK_READS(pair[1], &expected);
  fan_letter low = js_await(&js, client, FAN_NOTICE_REPORT);
  while (low.kind && low.numbers[0] > FAN_LOW_BYTES) low = js_await(&js, client, FAN_NOTICE_REPORT);
  CHECK_EQ(low.kind, FAN_NOTICE_REPORT);
  js_free(&js, port);
  js_end(&js);
  net_bytes_free(&expected);
  net_close(pair);
}

/* ---- endings ---- */

static void begin_with_client(js_side *js, fan_port **port, int pair[2], uint64_t *client) {
  fan_limits limits = js_limits();
  js_begin(js);
  *port = js_open(js, &limits);
  net_tcp(pair);
  *client = js_client(js, *port, ROOM, pair[0], false);
}

static void test_loop_close_drains_then_gives_the_socket_back(void) {
  js_side js;
  fan_port *port;
  uint64_t client;
  int pair[2];
  net_bytes expected = {0};
  begin_with_client(&js, &port, pair, &client);
  net_narrow(pair);
  for (unsigned i = 0; i < 100; i++)
    js_send(&js, port, client, expect_frame(&expected, frame_sized(5000, i), false));
  js_end_client(&js, port, client, false);
  js_end_client(&js, port, client, false); /* once more is no news */
  js_send(&js, port, client, frame_event("too late"));
  js_publish(&js, port, ROOM, frame_event("too late"));
  js_fence(&js, port);
  CHECK(!js_has(&js, client, FAN_NOTICE_RELEASED));
  CHECK_READS(pair[1], &expected);
  CHECK_EQ(js_await(&js, client, FAN_NOTICE_RELEASED).reason, FAN_SERVER);
  /* The connection is Node's again: nothing of ours follows. */
  char got[8] = "";
  CHECK_EQ(send(pair[0], "node", 4, 0), 4);
  CHECK_EQ(net_read(pair[1], got, 4), 4);
  CHECK(memcmp(got, "node", 4) == 0);
  CHECK_EQ(send(pair[1], "next", 4, 0), 4);
  CHECK_EQ(net_read(pair[0], got, 4), 4);
  js_fence(&js, port);
  CHECK(!js_has(&js, client, FAN_NOTICE_RELEASED) && !js_has(&js, client, FAN_NOTICE_EVICTED));
  CHECK_EQ(js_stats(&js, port).clients, 0);
  js_free(&js, port);
  js_end(&js);
  CHECK(!net_readable(pair[1], 0));
  net_bytes_free(&expected);
  net_close(pair);
}

static void test_loop_kill_cuts_the_connection_without_a_notice(void) {
  js_side js;
  fan_port *port;
  uint64_t client;
  int pair[2];
  begin_with_client(&js, &port, pair, &client);
  js_end_client(&js, port, client, true);
  js_flush(&js);
  CHECK(net_ended(pair[1]));
  CHECK(net_ended(pair[0])); /* Node's own duplicate sees it too */
  CHECK(send(pair[0], "x", 1, MSG_NOSIGNAL) < 0 && errno == EPIPE);
  js_fence(&js, port);
  CHECK(!js_has(&js, client, 0));
  fan_stats stats = js_stats(&js, port);
  CHECK_EQ(stats.clients + stats.rooms + stats.memberships, 0);
  CHECK_EQ(stats.ended[FAN_SERVER], 1);
  js_free(&js, port);
  js_end(&js);
  net_close(pair);
}

/* ways: 0 FIN, 1 RST, 2 FIN while bytes wait, 3 RST while bytes wait */
static void peer_leaves(unsigned way) {
  js_side js;
  fan_port *port;
  uint64_t client;
  int pair[2];
  begin_with_client(&js, &port, pair, &client);
  if (way >= 2) {
    net_narrow(pair);
    for (unsigned i = 0; i < 200; i++) js_publish(&js, port, ROOM, frame_sized(6000, i));
  }
  js_fence(&js, port);
  if (way >= 2) CHECK(js_stats(&js, port).blocked > 0);
  if (way % 2) net_reset(&pair[1]);
  else shutdown(pair[1], SHUT_WR);
  CHECK_EQ(js_await(&js, client, FAN_NOTICE_EVICTED).reason, FAN_CLIENT);
  CHECK(net_ended(pair[0]));
  js_fence(&js, port);
  CHECK(!js_has(&js, client, FAN_NOTICE_EVICTED));
  CHECK_EQ(js_stats(&js, port).held_bytes, 0);
  js_free(&js, port);
  js_end(&js);
  net_close(pair);
}

static void test_loop_a_peer_that_leaves_is_noticed_as_client(void) {
  for (unsigned way = 0; way < 4; way++) peer_leaves(way);
}

static void test_loop_a_slow_reader_gets_a_prefix_then_the_end(void) {
  js_side js;
  int slow[2], quick[2];
  net_bytes expected = {0};
  fan_limits limits = js_limits();
  limits.queue_bytes = 64 * 1024;
  js_begin(&js);
  fan_port *port = js_open(&js, &limits);
  net_tcp(slow);
  net_narrow(slow);
  net_tcp(quick);
  uint64_t client = js_client(&js, port, ROOM, slow[0], false);
  js_client(&js, port, ROOM, quick[0], false);
  while (!check_failing() && !js_has(&js, client, FAN_NOTICE_EVICTED)) {
    net_bytes now = {0};
    fan_buf *frame = expect_frame(&now, frame_sized(3000, (unsigned)expected.size), false);
    net_bytes_add(&expected, now.data, now.size);
    js_publish(&js, port, ROOM, frame);
    js_flush(&js);
    CHECK_READS(quick[1], &now); /* who reads is not delayed */
    net_bytes_free(&now);
  }
  CHECK_EQ(js_await(&js, client, FAN_NOTICE_EVICTED).reason, FAN_SLOW);
  size_t size;
  unsigned char *got = net_drain(slow[1], &size);
  CHECK(size > 0 && size < expected.size && expected.size < size + limits.queue_bytes + 64 * 1024);
  CHECK_BYTES(got, size, expected.data, size < expected.size ? size : 0);
  free(got);
  js_free(&js, port);
  js_end(&js);
  net_bytes_free(&expected);
  net_close(slow);
  net_close(quick);
}

static void test_loop_clocks_run_without_any_event(void) {
  js_side js;
  int stalled[2], idle[2], beating[2];
  net_bytes beats = {0};
  fan_limits limits = js_limits();
  limits.stall_ms = 60;
  js_begin(&js);
  fan_port *port = js_open(&js, &limits);
  net_tcp(stalled);
  net_narrow(stalled);
  net_tcp(beating);
  net_tcp(idle);
  uint64_t client = js_client(&js, port, ROOM, stalled[0], false);
  for (unsigned i = 0; i < 100; i++) js_send(&js, port, client, frame_sized(9000, i));
  uint64_t other = js_connect_with(&js, port, 0, 20, frame_heartbeat(true));
  js_attach(&js, port, other, beating[0], true);
  uint64_t opening = js_connect(&js, port, 0); /* never attached */
  js_flush(&js);
  for (int i = 0; i < 3; i++) fan_buf_unref(expect_frame(&beats, frame_heartbeat(true), true));
  CHECK_READS(beating[1], &beats);
  CHECK_EQ(js_await(&js, client, FAN_NOTICE_EVICTED).reason, FAN_STALLED);
  CHECK_EQ(js_await(&js, opening, FAN_NOTICE_EVICTED).reason, FAN_STALLED);
  /* The answer to a sink that comes too late: its connection is cut. */
  js_attach(&js, port, opening, idle[0], false);
  js_flush(&js);
  CHECK(net_ended(idle[1]));
  CHECK_EQ(js_await(&js, opening, FAN_NOTICE_EVICTED).reason, FAN_ERROR);
  js_free(&js, port);
  js_end(&js);
  net_bytes_free(&beats);
  net_close(stalled);
  net_close(idle);
  net_close(beating);
}

static void test_loop_a_second_sink_is_refused_and_ends_the_client(void) {
  js_side js;
  fan_port *port;
  uint64_t client;
  int first[2], second[2];
  begin_with_client(&js, &port, first, &client);
  net_tcp(second);
  js_attach(&js, port, client, second[0], false);
  js_flush(&js);
  CHECK_EQ(js_await(&js, client, FAN_NOTICE_EVICTED).reason, FAN_ERROR);
  CHECK(net_ended(first[1]));
  CHECK(net_ended(second[1]));
  js_free(&js, port);
  js_end(&js);
  net_close(first);
  net_close(second);
}

/* ---- rest ---- */

static double cpu_seconds(void) {
  struct timespec used;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return (double)used.tv_sec + (double)used.tv_nsec / 1e9;
}

/* A released, a blocked, a killed and a quiet client: none of them may keep the loop turning. */
static void test_loop_rests_when_nothing_happens(void) {
  js_side js;
  fan_port *port;
  uint64_t released;
  int gone[2], blocked[2], killed[2], quiet[2];
  begin_with_client(&js, &port, gone, &released);
  net_tcp(blocked);
  net_tcp(killed);
  net_tcp(quiet);
  net_narrow(blocked);
  uint64_t stuck = js_client(&js, port, 0, blocked[0], false);
  for (unsigned i = 0; i < 100; i++) js_send(&js, port, stuck, frame_sized(9000, i));
  js_end_client(&js, port, js_client(&js, port, 0, killed[0], false), true);
  js_client(&js, port, 0, quiet[0], false);
  js_end_client(&js, port, released, false);
  js_fence(&js, port);
  CHECK_EQ(js_await(&js, released, FAN_NOTICE_RELEASED).reason, FAN_SERVER);
  shutdown(gone[1], SHUT_WR); /* Node's business now */
  CHECK(net_ended(gone[0]));
  fan_stats before = js_stats(&js, port);
  double used = cpu_seconds();
  CHECK(!net_readable(js.bell[0], 150)); /* the only wait for something that must not come */
  used = cpu_seconds() - used;
  CHECK(used < 0.05);
  CHECK(js_stats(&js, port).turns < before.turns + 20); /* the kernel may still move some bytes */
  js_free(&js, port);
  js_end(&js);
  net_close(gone);
  net_close(blocked);
  net_close(killed);
  net_close(quiet);
}

int main(void) {
  IO_RUN(test_loop_publish_reaches_members_chunked_and_raw);
  IO_RUN(test_loop_keeps_the_order_of_the_calls);
  IO_RUN(test_loop_a_stalled_reader_goes_on_where_it_stopped);
  IO_RUN(test_loop_close_drains_then_gives_the_socket_back);
  IO_RUN(test_loop_kill_cuts_the_connection_without_a_notice);
  IO_RUN(test_loop_a_peer_that_leaves_is_noticed_as_client);
  IO_RUN(test_loop_a_slow_reader_gets_a_prefix_then_the_end);
  IO_RUN(test_loop_clocks_run_without_any_event);
  IO_RUN(test_loop_a_second_sink_is_refused_and_ends_the_client);
  IO_RUN(test_loop_rests_when_nothing_happens);
  return check_done("io_loop");
}
