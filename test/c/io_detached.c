/* sink_detached.h, by itself and in the loop: a connection of which Node has let go. Index 0 of a pair is Node's descriptor. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/sink_detached.h"
#include "support/io_js.h"

#define ROOM 7
#define LETTERS 200 /* more than an outbox has room for that has not grown */
#define END "0\r\n\r\n"

static js_side js;
static fan_port *port;

static void begin(fan_limits limits) {
  js_begin(&js);
  port = js_open(&js, &limits);
}

static void end(void) {
  js_free(&js, port);
  js_end(&js);
}

/* A client whose socket is the loop's alone. */
static uint64_t detached(int pair[2], bool raw) {
  uint64_t client = js_client(&js, port, ROOM, pair[0], raw);
  js_post(&js, port, FAN_OP_DETACH, client, 0);
  js_flush(&js);
  CHECK_EQ(js_await(&js, client, FAN_NOTICE_DETACHED).id, client);
  close(pair[0]);
  pair[0] = -1;
  return client;
}

/* How a connection ended for the peer: 0 in order, or errno. */
static int end_of(int fd) {
  char byte;
  CHECK(net_readable(fd, NET_PATIENCE_MS));
  ssize_t got = recv(fd, &byte, 1, 0);
  CHECK(got <= 0);
  return got < 0 ? errno : 0;
}

static void await_descriptors(unsigned count) {
  for (int i = 0; net_descriptors() != count && i < 5000; i++) js_fence(&js, port);
  CHECK_EQ(net_descriptors(), count);
}

/* ---- writing, and the end in order ---- */

static void test_detached_stream_goes_on_and_ends_with_its_terminator(void) {
  for (int raw = 0; raw < 2; raw++) {
    int pair[2];
    net_bytes expected = {0};
    begin(js_limits());
    net_tcp(pair);
    uint64_t client = detached(pair, raw);
    unsigned before = net_descriptors();
    js_publish(&js, port, ROOM, expect_frame(&expected, frame_event("to all"), raw));
    js_send(&js, port, client, expect_frame(&expected, frame_event("to you"), raw));
    js_end_client(&js, port, client, false);
    js_flush(&js);
    if (!raw) net_bytes_add(&expected, END, strlen(END));
    CHECK_READS(pair[1], &expected);
    CHECK_EQ(end_of(pair[1]), 0);
    CHECK_EQ(js_await(&js, client, FAN_NOTICE_RELEASED).reason, FAN_SERVER);
    js_fence(&js, port);
    CHECK_EQ(net_descriptors(), before); /* it lingers until the peer has closed, too */
    close(pair[1]);
    pair[1] = -1;
    await_descriptors(before - 2);
    end();
    net_bytes_free(&expected);
    net_close(pair);
  }
}

static void test_detached_with_bytes_waiting_is_written_on(void) {
  int pair[2];
  net_bytes expected = {0};
  begin(js_limits());
  net_tcp(pair);
  net_narrow(pair);
  uint64_t client = js_client(&js, port, ROOM, pair[0], false);
  for (unsigned i = 0; i < 300; i++)
    js_publish(&js, port, ROOM, expect_frame(&expected, frame_sized(4000, i), false));
  js_fence(&js, port);
  CHECK(js_stats(&js, port).blocked > 0);
  js_post(&js, port, FAN_OP_DETACH, client, 0);
  js_flush(&js);
  js_await(&js, client, FAN_NOTICE_DETACHED);
  close(pair[0]);
  pair[0] = -1;
  js_end_client(&js, port, client, false);
  js_flush(&js);
  net_bytes_add(&expected, END, strlen(END));
  CHECK_READS(pair[1], &expected);
  CHECK_EQ(end_of(pair[1]), 0);
  js_await(&js, client, FAN_NOTICE_RELEASED);
  end();
  net_bytes_free(&expected);
  net_close(pair);
}

static void test_detached_reader_that_never_reads_is_cut_while_it_drains(void) {
  int pair[2];
  fan_limits limits = js_limits();
  limits.stall_ms = 100;
  begin(limits);
  net_tcp(pair);
  net_narrow(pair);
  uint64_t client = detached(pair, false);
  for (unsigned i = 0; i < 300; i++) js_send(&js, port, client, frame_sized(4000, i));
  js_end_client(&js, port, client, false);
  js_flush(&js);
  fan_letter letter = js_await(&js, client, FAN_NOTICE_EVICTED);
  CHECK_EQ(letter.reason, FAN_SERVER);
  CHECK(letter.numbers[1] > 0); /* events that it did not get */
  end();
  net_close(pair);
}

/* ---- what the peer does ---- */

static void test_detached_peer_that_leaves_is_noticed(void) {
  for (int way = 0; way < 3; way++) {
    int pair[2];
    begin(js_limits());
    net_tcp(pair);
    uint64_t client = detached(pair, false);
    if (way == 0) shutdown(pair[1], SHUT_WR);
    else if (way == 1) net_reset(&pair[1]);
    else {
      close(pair[1]);
      pair[1] = -1;
    }
    CHECK_EQ(js_await(&js, client, FAN_NOTICE_EVICTED).reason, FAN_CLIENT);
    end();
    net_close(pair);
  }
}

static void send_all(int fd, size_t size) {
  char block[4096];
  memset(block, 'x', sizeof block);
  while (size) {
    ssize_t sent = send(fd, block, size < sizeof block ? size : sizeof block, MSG_NOSIGNAL);
    if (sent <= 0) return; /* it has been cut meanwhile */
    size -= (size_t)sent;
  }
}

static void test_detached_input_is_thrown_away_and_a_flood_ends_the_stream(void) {
  int pair[2];
  net_bytes expected = {0};
  begin(js_limits());
  net_tcp(pair);
  uint64_t client = detached(pair, false);
  send_all(pair[1], FAN_INPUT_BYTES);
  js_send(&js, port, client, expect_frame(&expected, frame_event("still here"), false));
  js_flush(&js);
  CHECK_READS(pair[1], &expected);
  js_fence(&js, port);
  CHECK(!js_has(&js, client, FAN_NOTICE_EVICTED));
  send_all(pair[1], 1);
  CHECK_EQ(js_await(&js, client, FAN_NOTICE_EVICTED).reason, FAN_CLIENT);
  end();
  net_bytes_free(&expected);
  net_close(pair);
}

/* A socket that is closed with something unread resets the connection. */
static void test_detached_peer_that_talks_to_the_end_loses_nothing_of_it(void) {
  int pair[2];
  net_bytes expected = {0};
  begin(js_limits());
  net_tcp(pair);
  uint64_t client = detached(pair, false);
  send_all(pair[1], 1000);
  js_send(&js, port, client, expect_frame(&expected, frame_event("last"), false));
  js_end_client(&js, port, client, false);
  js_flush(&js);
  js_await(&js, client, FAN_NOTICE_RELEASED);
  send_all(pair[1], 1000);
  js_fence(&js, port);
  send_all(pair[1], 1000);
  net_bytes_add(&expected, END, strlen(END));
  CHECK_READS(pair[1], &expected);
  CHECK_EQ(end_of(pair[1]), 0);
  end();
  net_bytes_free(&expected);
  net_close(pair);
}

static void test_detached_peer_that_floods_a_closed_stream_is_cut(void) {
  int pair[2];
  begin(js_limits());
  net_tcp(pair);
  uint64_t client = detached(pair, false);
  unsigned before = net_descriptors();
  js_end_client(&js, port, client, false);
  js_flush(&js);
  js_await(&js, client, FAN_NOTICE_RELEASED);
  send_all(pair[1], FAN_INPUT_BYTES + 1);
  await_descriptors(before - 1);
  end();
  net_close(pair);
}

/* ---- who is detached when ---- */

static void test_detach_of_one_that_has_ended_says_nothing(void) {
  for (int way = 0; way < 2; way++) {
    int pair[2];
    begin(js_limits());
    net_tcp(pair);
    uint64_t client = js_client(&js, port, ROOM, pair[0], false);
    js_fence(&js, port);
    if (way) js_post(&js, port, FAN_OP_EVICT, client, 0);
    else js_end_client(&js, port, client, true);
    js_post(&js, port, FAN_OP_DETACH, client, 0);
    js_fence(&js, port);
    CHECK(!js_has(&js, client, FAN_NOTICE_DETACHED));
    end();
    net_close(pair);
  }
}

static void test_detach_without_memory_leaves_the_socket_shared(void) {
  int pair[2];
  begin(js_limits());
  net_tcp(pair);
  uint64_t client = js_client(&js, port, ROOM, pair[0], false);
  js_fence(&js, port); /* from here on the stats know of it */
  /* Each of these, sinks for nobody, has a letter of its own: no place is left. */
  for (uint64_t nobody = 1; nobody <= LETTERS; nobody++) js_attach_relay(&js, port, nobody);
  js_post(&js, port, FAN_OP_DETACH, client, 0);
  js_end_client(&js, port, client, false);
  io_fail_allocations(1);
  js_flush(&js);
  while (js_stats(&js, port).clients) continue; /* it has gone, and could not say so */
  io_fail_allocations(0);
  CHECK_EQ(js_await(&js, client, FAN_NOTICE_RELEASED).reason, FAN_SERVER);
  CHECK(!js_has(&js, client, FAN_NOTICE_DETACHED));
  CHECK_EQ(send(pair[0], "on", 2, MSG_NOSIGNAL), 2); /* Node goes on with it */
  char got[2];
  CHECK_EQ(net_read(pair[1], got, 2), 2);
  CHECK(memcmp(got, "on", 2) == 0);
  end();
  net_close(pair);
}

/* ---- lingering, without a loop ---- */

static void test_lingering_ends_when_its_time_is_up(void) {
  fan_poll *set = fan_poll_new();
  fan_map wires;
  fan_list evicted, lingering;
  int pairs[2][2];
  unsigned before;
  fan_map_init(&wires);
  fan_list_init(&evicted);
  fan_list_init(&lingering);
  CHECK_EQ(fan_lingering_due_ms(&lingering), FAN_NEVER);
  for (uint64_t i = 0; i < 2; i++) {
    fan_sink *sink = NULL;
    net_tcp(pairs[i]);
    CHECK_EQ(fan_sink_fd_open(pairs[i][0], 0, false, &sink), 0);
    CHECK_EQ(fan_wire_enter(fan_wire_of(sink), &wires, NULL, i + 1), 0);
    CHECK_EQ(fan_sink_fd_watch(sink, set, &evicted), 0);
    fan_sink_detach(sink, &lingering);
    CHECK(!fan_sink_lingers(sink));
    sink->ops->close(sink, FAN_SINK_RELEASE);
    CHECK(fan_sink_lingers(sink));
    CHECK_EQ(end_of(pairs[i][1]), 0);
  }
  before = net_descriptors();
  uint64_t due = fan_lingering_due_ms(&lingering);
  fan_lingering_close(&lingering, due - 1);
  CHECK_EQ(net_descriptors(), before);
  CHECK_EQ(wires.count, 2);
  fan_lingering_close(&lingering, due);
  CHECK(net_descriptors() < before);
  fan_lingering_close(&lingering, FAN_NEVER);
  CHECK_EQ(net_descriptors(), before - 2);
  CHECK_EQ(wires.count, 0);
  fan_map_deinit(&wires);
  fan_poll_free(set);
  net_close(pairs[0]);
  net_close(pairs[1]);
}

static void test_lingering_ends_with_the_loop(void) {
  int pair[2];
  begin(js_limits());
  net_tcp(pair);
  uint64_t client = detached(pair, false);
  js_end_client(&js, port, client, false);
  js_flush(&js);
  js_await(&js, client, FAN_NOTICE_RELEASED);
  end(); /* IO_RUN counts what is left */
  net_close(pair);
}

int main(void) {
  IO_RUN(test_detached_stream_goes_on_and_ends_with_its_terminator);
  IO_RUN(test_detached_with_bytes_waiting_is_written_on);
  IO_RUN(test_detached_reader_that_never_reads_is_cut_while_it_drains);
  IO_RUN(test_detached_peer_that_leaves_is_noticed);
  IO_RUN(test_detached_input_is_thrown_away_and_a_flood_ends_the_stream);
  IO_RUN(test_detached_peer_that_talks_to_the_end_loses_nothing_of_it);
  IO_RUN(test_detached_peer_that_floods_a_closed_stream_is_cut);
  IO_RUN(test_detach_of_one_that_has_ended_says_nothing);
  IO_RUN(test_detach_without_memory_leaves_the_socket_shared);
  IO_RUN(test_lingering_ends_when_its_time_is_up);
  IO_RUN(test_lingering_ends_with_the_loop);
  return check_done("io_detached");
}
