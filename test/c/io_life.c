/* loop.h and port.h: beginnings and ends in every order; nothing may be left of memory and descriptors (io_js.h looks). */
#define _GNU_SOURCE
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/sink_fd.h"
#include "support/io_js.h"

#define ROOM 7
#define CLIENTS 40
#define PORTS 100

static void test_life_a_loop_that_never_ran(void) {
  js_side js;
  int pair[2];
  fan_limits limits = js_limits();
  js_init(&js);
  fan_port *kept = js_open(&js, &limits), *freed = js_open(&js, &limits);
  net_tcp(pair);
  js_client(&js, kept, ROOM, pair[0], false);
  js_publish(&js, kept, ROOM, frame_event("never sent"));
  uint64_t client = js_connect(&js, freed, ROOM);
  js_send(&js, freed, client, frame_event("never sent"));
  js_free(&js, freed);
  CHECK(fan_port_inbox_bytes(kept) > 0);
  js_end(&js); /* stops what never ran: harmless */
  CHECK(net_ended(pair[1]));
  CHECK_EQ(fan_port_live_bytes(kept), 0);
  fan_port_free(kept);
  fan_port_free(NULL);
  net_close(pair);
}

static void test_life_a_port_that_was_never_opened(void) {
  fan_limits limits = js_limits();
  fan_buf *heartbeat = frame_heartbeat(false);
  fan_port *port = fan_port_new(1, &limits, NULL, heartbeat);
  fan_stats stats;
  fan_port_stats(port, &stats);
  CHECK_EQ(stats.clients, 0);
  CHECK_EQ(fan_port_live_bytes(port), 0);
  CHECK_EQ(fan_port_admit(port, limits.total_bytes / 2 - 256), 0);
  CHECK_EQ(fan_port_admit(port, limits.total_bytes / 2), FAN_ETOOLARGE);
  fan_port_free(port);
}

/* `posted_late`: commands wait in the inbox when the loop stops, some of them not even handed over. */
static void stop_in_the_middle(bool posted_late) {
  js_side js;
  int pairs[CLIENTS][2];
  fan_limits limits = js_limits();
  js_begin(&js);
  fan_port *port = js_open(&js, &limits), *freed = js_open(&js, &limits);
  for (int i = 0; i < CLIENTS; i++) {
    net_tcp(pairs[i]);
    if (i % 3 == 0) net_narrow(pairs[i]);
    js_client(&js, i % 2 ? port : freed, ROOM, pairs[i][0], i % 5 == 0);
  }
  uint64_t relayed = js_connect(&js, port, ROOM);
  js_attach_relay(&js, port, relayed);
  for (unsigned i = 0; i < 600; i++) {
    js_publish(&js, i % 2 ? port : freed, ROOM, frame_sized(2000 + i, i));
    if (i % 100 == 0 || !posted_late) js_flush(&js);
  }
  js_free(&js, freed);
  if (!posted_late) js_flush(&js);
  fan_loop_stop(js.loop);
  fan_loop_stop(js.loop); /* once more is harmless */
  for (int i = 0; i < CLIENTS; i++) CHECK(net_option(pairs[i][0], SOL_SOCKET, SO_ERROR) >= 0);
  fan_stats stats;
  fan_port_stats(port, &stats);
  CHECK_EQ(stats.clients + stats.rooms + stats.memberships, 0);
  CHECK_EQ(stats.ended[FAN_SHUTDOWN], CLIENTS / 2 + 1);
  CHECK_EQ(fan_port_live_bytes(port), 0);
  /* Who still holds the port after the stop may go on posting for a while: nothing of it takes effect. */
  js_publish(&js, port, ROOM, frame_event("nobody is there"));
  js_attach(&js, port, js_connect(&js, port, 0), pairs[0][0], false);
  js_end(&js);
  fan_port_free(port);
  for (int i = 0; i < CLIENTS; i++) {
    size_t size;
    free(net_drain(pairs[i][1], &size));
    CHECK(net_ended(pairs[i][1]));
    net_close(pairs[i]);
  }
}

static void test_life_stop_in_the_middle_of_traffic(void) {
  stop_in_the_middle(false);
  stop_in_the_middle(true);
}

static void test_life_letters_that_nobody_took_are_freed(void) {
  js_side js;
  fan_limits limits = js_limits();
  js_begin(&js);
  fan_port *port = js_open(&js, &limits);
  for (int i = 0; i < 200; i++) {
    uint64_t client = js_connect(&js, port, ROOM);
    js_attach_relay(&js, port, client);
    js_send(&js, port, client, frame_sized(500, 1));
    js_end_client(&js, port, client, false);
  }
  js_flush(&js);
  CHECK(net_readable(js.bell[0], NET_PATIENCE_MS)); /* some have come */
  js_free(&js, port);
  js_end(&js);
}

/* Notices that find no memory are told as soon as there is some, without any other event. */
static void test_life_notices_without_memory_are_only_late(void) {
  enum { MANY = 100 }; /* more than an array of letters begins with */
  js_side js;
  int pairs[MANY][2];
  uint64_t clients[MANY];
  fan_limits limits = js_limits();
  js_begin(&js);
  fan_port *port = js_open(&js, &limits);
  for (int i = 0; i < MANY; i++) {
    net_unix(pairs[i]);
    clients[i] = js_client(&js, port, ROOM, pairs[i][0], false);
  }
  js_fence(&js, port);
  io_fail_allocations(1);
  for (int i = 0; i < MANY; i++) shutdown(pairs[i][1], SHUT_WR);
  for (int i = 0; i < MANY; i++) CHECK(net_ended(pairs[i][0]));
  poll(NULL, 0, 20); /* to let the last turn end; too early is no failure */
  io_fail_allocations(0);
  for (int i = 0; i < MANY && !check_failing(); i++)
    CHECK_EQ(js_await(&js, clients[i], FAN_NOTICE_EVICTED).reason, FAN_CLIENT);
  js_free(&js, port);
  js_end(&js);
  for (int i = 0; i < MANY; i++) net_close(pairs[i]);
}

/* Nothing of these finds anybody; what they own is given back. */
static void post_one_of_each(js_side *js, fan_port *port, uint64_t client, int fd) {
  js_post(js, port, FAN_OP_JOIN, client, ROOM);
  js_post(js, port, FAN_OP_LEAVE, client, ROOM);
  js_send(js, port, client, frame_event("late"));
  js_publish(js, port, ROOM, frame_event("late"));
  js_credit(js, port, client, 100);
  js_end_client(js, port, client, false);
  js_end_client(js, port, client, true);
  js_attach(js, port, client, fd, false);
}

static void test_life_commands_for_a_dead_client_find_nothing(void) {
  js_side js;
  int dead[2], late[2], living[2];
  net_bytes expected = {0};
  fan_limits limits = js_limits();
  js_begin(&js);
  fan_port *port = js_open(&js, &limits);
  net_tcp(dead);
  net_tcp(late);
  net_tcp(living);
  uint64_t client = js_client(&js, port, ROOM, dead[0], false);
  uint64_t other = js_client(&js, port, 0, living[0], false);
  for (int turn = 0; turn < 2; turn++) {
    js_end_client(&js, port, client, true); /* first in the same stretch, then in a later one */
    post_one_of_each(&js, port, client, late[0]);
    js_fence(&js, port);
  }
  post_one_of_each(&js, port, 12345, late[0]); /* nobody ever had this id */
  js_send(&js, port, other, expect_frame(&expected, frame_event("still there"), false));
  js_flush(&js);
  CHECK_READS(living[1], &expected);
  CHECK(net_ended(dead[1]));
  CHECK(net_ended(late[1])); /* cut, without a byte */
  js_fence(&js, port);
  CHECK_EQ(js_stats(&js, port).clients, 1);
  CHECK_EQ(fan_port_live_bytes(port), 0);
  js_free(&js, port);
  js_end(&js);
  net_bytes_free(&expected);
  net_close(dead);
  net_close(late);
  net_close(living);
}

static void test_life_a_port_that_was_shut_takes_late_commands(void) {
  js_side js;
  int pair[2], late[2], other[2];
  net_bytes expected = {0};
  fan_limits limits = js_limits();
  js_begin(&js);
  fan_port *port = js_open(&js, &limits), *open = js_open(&js, &limits);
  net_tcp(pair);
  net_tcp(late);
  net_tcp(other);
  uint64_t client = js_client(&js, port, ROOM, pair[0], false);
  js_client(&js, open, ROOM, other[0], false);
  js_post(&js, port, FAN_OP_SHUT, 0, 0);
  post_one_of_each(&js, port, client, late[0]);
  js_connect_with(&js, port, ROOM, 100, frame_heartbeat(false));
  js_post(&js, port, FAN_OP_SHUT, 0, 0); /* once more is harmless */
  js_fence(&js, open);
  post_one_of_each(&js, port, client, late[0]);
  CHECK(net_ended(pair[1]));
  CHECK(net_ended(late[1]));
  fan_stats stats = js_stats(&js, port);
  CHECK_EQ(stats.clients, 0);
  CHECK_EQ(stats.ended[FAN_SHUTDOWN], 1);
  js_fence(&js, open);
  CHECK_EQ(fan_port_live_bytes(port), 0);
  CHECK(!js_has(&js, client, 0)); /* without notice */
  js_free(&js, port);
  js_publish(&js, open, ROOM, expect_frame(&expected, frame_event("the other hub"), false));
  js_flush(&js);
  CHECK_READS(other[1], &expected);
  js_free(&js, open);
  js_end(&js);
  net_bytes_free(&expected);
  net_close(pair);
  net_close(late);
  net_close(other);
}

static void test_life_a_heartbeat_is_not_held_once_the_port_is_shut(void) {
  js_side js;
  fan_limits limits = js_limits();
  js_begin(&js);
  fan_port *open = js_open(&js, &limits),
           *port = fan_port_new(1, &limits, NULL, frame_heartbeat(false));
  js_post(&js, port, FAN_OP_OPEN, 0, 0);
  js_connect_with(&js, port, ROOM, 1000, NULL);
  js_fence(&js, port);
  CHECK(js_stats(&js, port).held_bytes > 0);
  js_post(&js, port, FAN_OP_SHUT, 0, 0);
  js_fence(&js, open);
  CHECK_EQ(js_stats(&js, port).held_bytes, 0);
  js_free(&js, port);
  js_free(&js, open);
  js_end(&js);
}

static void test_life_many_ports_come_and_go(void) {
  js_side js;
  int pairs[PORTS][2];
  fan_port *ports[PORTS], *last = NULL;
  fan_limits limits = js_limits();
  js_begin(&js);
  for (int i = 0; i < PORTS; i++) {
    net_bytes expected = {0};
    ports[i] = js_open(&js, &limits);
    net_unix(pairs[i]);
    js_client(&js, ports[i], ROOM, pairs[i][0], true); /* the same room number in each hub */
    js_publish(&js, ports[i], ROOM, expect_frame(&expected, frame_sized(50 + (size_t)i, 0), true));
    js_flush(&js);
    CHECK_READS(pairs[i][1], &expected);
    net_bytes_free(&expected);
  }
  for (int i = 0; i < PORTS; i++) {
    if (i == PORTS / 2) last = ports[i];
    else if (i % 3 == 0) js_post(&js, ports[i], FAN_OP_SHUT, 0, 0);
    if (ports[i] != last) js_free(&js, ports[i]);
    if (i % 7 == 0) js_flush(&js);
  }
  js_fence(&js, last);
  for (int i = 0; i < PORTS; i++)
    if (ports[i] != last) CHECK(net_ended(pairs[i][1]));
  CHECK(!net_readable(pairs[PORTS / 2][1], 0));
  js_free(&js, last);
  js_end(&js);
  for (int i = 0; i < PORTS; i++) net_close(pairs[i]);
}

static void test_life_loops_come_and_go(void) {
  for (int i = 0; i < 30; i++) {
    js_side js;
    fan_limits limits = js_limits();
    js_begin(&js);
    if (i % 3) {
      fan_port *port = js_open(&js, &limits);
      if (i % 3 == 1) js_flush(&js);
      js_free(&js, port);
    }
    js_end(&js);
  }
}

int main(void) {
  IO_RUN(test_life_a_loop_that_never_ran);
  IO_RUN(test_life_a_port_that_was_never_opened);
  IO_RUN(test_life_stop_in_the_middle_of_traffic);
  IO_RUN(test_life_letters_that_nobody_took_are_freed);
  IO_RUN(test_life_notices_without_memory_are_only_late);
  IO_RUN(test_life_commands_for_a_dead_client_find_nothing);
  IO_RUN(test_life_a_port_that_was_shut_takes_late_commands);
  IO_RUN(test_life_a_heartbeat_is_not_held_once_the_port_is_shut);
  IO_RUN(test_life_many_ports_come_and_go);
  IO_RUN(test_life_loops_come_and_go);
  return check_done("io_life");
}
