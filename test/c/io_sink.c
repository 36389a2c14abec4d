/* sink_fd.h and poll.h by themselves: the options of the socket, the duplicate, what the poll backend reports. One thread. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/sink_fd.h"
#include "support/io_js.h"

#define CLIENT (UINT64_C(3) << 40)
#define MANY 300

static fan_poll *set;
static fan_map wires;
static fan_list evicted;

static void begin(void) {
  set = fan_poll_new();
  fan_map_init(&wires);
  fan_list_init(&evicted);
}

static void end(void) {
  fan_sinks_fd_cut(&evicted);
  CHECK_EQ(wires.count, 0);
  fan_map_deinit(&wires);
  fan_poll_free(set);
}

static fan_sink *open_watched(int fd, uint64_t client) {
  fan_sink *sink = NULL;
  CHECK_EQ(fan_sink_fd_open(fd, 7000, false, &sink), 0);
  CHECK_EQ(fan_wire_enter(fan_wire_of(sink), &wires, NULL, client), 0);
  CHECK_EQ(fan_sink_fd_watch(sink, set, &evicted), 0);
  return sink;
}

static int64_t write_text(fan_sink *sink, const char *text) {
  fan_slice slice = slice_of_text(text);
  return sink->ops->write(sink, &slice, 1);
}

/* ---- options ---- */

static void check_tuned(int fd) {
  CHECK(net_option(fd, SOL_SOCKET, SO_KEEPALIVE) != 0);
  CHECK(net_option(fd, IPPROTO_TCP, TCP_NODELAY) != 0);
#ifdef TCP_NOTSENT_LOWAT
  CHECK_EQ(net_option(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT), FAN_NOTSENT_BYTES);
#endif
#ifdef TCP_USER_TIMEOUT
  CHECK_EQ(net_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT), 7000);
#endif
}

static void check_untuned(int fd, bool had_flags) {
  CHECK_EQ(net_option(fd, SOL_SOCKET, SO_KEEPALIVE) != 0, had_flags);
  CHECK_EQ(net_option(fd, IPPROTO_TCP, TCP_NODELAY) != 0, had_flags);
#ifdef TCP_NOTSENT_LOWAT
  CHECK_EQ(net_option(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT), 0);
#endif
#ifdef TCP_USER_TIMEOUT
  CHECK_EQ(net_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT), 0);
#endif
}

static void test_sink_release_undoes_the_options(void) {
  for (int had_flags = 0; had_flags < 2; had_flags++) {
    int pair[2];
    begin();
    net_tcp(pair);
    net_set_option(pair[0], SOL_SOCKET, SO_KEEPALIVE, had_flags);
    net_set_option(pair[0], IPPROTO_TCP, TCP_NODELAY, had_flags);
    int flags = fcntl(pair[0], F_GETFL);
    fan_sink *sink = open_watched(pair[0], CLIENT);
    check_tuned(pair[0]);
    CHECK_EQ(write_text(sink, "hello"), 5);
    sink->ops->close(sink, FAN_SINK_RELEASE);
    check_untuned(pair[0], had_flags);
    CHECK_EQ(fcntl(pair[0], F_GETFL), flags);
    end();
    net_close(pair);
  }
}

static void test_sink_evict_shuts_and_release_does_not(void) {
  for (int how = 0; how < 2; how++) {
    int pair[2];
    char got[8] = "";
    begin();
    net_tcp(pair);
    fan_sink *sink = open_watched(pair[0], CLIENT);
    CHECK_EQ(write_text(sink, "bye"), 3);
    sink->ops->close(sink, how ? FAN_SINK_EVICT : FAN_SINK_RELEASE);
    CHECK_EQ(net_read(pair[1], got, 3), 3);
    if (how) {
      /* The connection lives until its notice is out. */
      CHECK(recv(pair[1], got, 1, MSG_DONTWAIT) < 0);
      fan_sinks_fd_cut(&evicted);
      CHECK(net_ended(pair[1]));
    } else CHECK(send(pair[0], "on", 2, MSG_NOSIGNAL) == 2 && net_read(pair[1], got, 2) == 2);
    end();
    net_close(pair);
  }
}

static void test_sink_a_unix_socket_works_without_tcp_options(void) {
  int pair[2];
  char got[8];
  begin();
  net_unix(pair);
  fan_sink *sink = open_watched(pair[0], CLIENT);
  CHECK_EQ(write_text(sink, "local"), 5);
  CHECK_EQ(net_read(pair[1], got, 5), 5);
  sink->ops->close(sink, FAN_SINK_RELEASE);
  end();
  net_close(pair);
}

/* ---- the duplicate ---- */

static void test_sink_is_a_duplicate_that_children_do_not_get(void) {
  int pair[2];
  begin();
  net_tcp(pair);
  int next = dup(pair[0]); /* the number that the duplicate will have */
  close(next);
  fan_sink *sink = open_watched(pair[0], CLIENT);
  CHECK(fcntl(next, F_GETFD) == FD_CLOEXEC);
  /* Node closes its own: ours still leads to the same connection. */
  close(pair[0]);
  pair[0] = -1;
  char got[8];
  CHECK_EQ(write_text(sink, "same"), 4);
  CHECK_EQ(net_read(pair[1], got, 4), 4);
  sink->ops->close(sink, FAN_SINK_EVICT);
  end();
  net_close(pair);
}

static void test_sink_open_fails_cleanly(void) {
  int pair[2];
  struct rlimit limit, low;
  fan_sink *sink = NULL;
  net_tcp(pair);
  net_set_option(pair[0], IPPROTO_TCP, TCP_NODELAY, 0);
  CHECK_EQ(fan_sink_fd_open(-22, 0, false, &sink),
           FAN_EIO); /* what Node answers for a closing handle */
  int closed = dup(pair[0]);
  close(closed);
  CHECK_EQ(fan_sink_fd_open(closed, 0, false, &sink), FAN_EIO);
  io_fail_allocations(1);
  CHECK_EQ(fan_sink_fd_open(pair[0], 0, false, &sink), FAN_ENOMEM);
  io_fail_allocations(0);
  getrlimit(RLIMIT_NOFILE, &limit);
  low = limit;
  low.rlim_cur = (rlim_t)closed; /* the first number that is free: the table is full */
  CHECK(setrlimit(RLIMIT_NOFILE, &low) == 0);
  CHECK_EQ(fan_sink_fd_open(pair[0], 7000, false, &sink), FAN_EIO);
  CHECK(fan_poll_new() == NULL);
  CHECK(fan_loop_new(NULL, NULL) == NULL);
  setrlimit(RLIMIT_NOFILE, &limit);
  CHECK(sink == NULL);
  check_untuned(pair[0], false);
  char got[4];
  CHECK_EQ(send(pair[0], "ok", 2, 0), 2); /* the connection has not noticed */
  CHECK_EQ(net_read(pair[1], got, 2), 2);
  net_close(pair);
}

/* ---- what the poll says ---- */

static int wait_one(fan_poll_event *event, int timeout_ms) {
  *event = (fan_poll_event){0};
  return fan_poll_wait(set, event, 1, timeout_ms);
}

static void test_sink_reports_room_only_when_asked(void) {
  int pair[2];
  fan_poll_event event;
  begin();
  net_tcp(pair);
  net_narrow(pair);
  fan_sink *sink = open_watched(pair[0], CLIENT);
  CHECK_EQ(wait_one(&event, 0), 0); /* writable, but nobody asked */
  net_bytes block = {0};
  while (block.size < 100000) net_bytes_add(&block, "0123456789", 10);
  fan_slice slices[] = {{block.data, 10}, {block.data + 10, block.size - 10}};
  size_t sent = 0;
  int64_t taken;
  while ((taken = sink->ops->write(sink, slices, 2)) > 0) sent += (size_t)taken;
  CHECK_EQ(taken, FAN_EAGAIN);
  sink->ops->want_write(sink, true);
  CHECK_EQ(send(pair[1], "request", 7, 0), 7); /* what the peer sends is Node's */
  unsigned char *got = malloc(sent);
  CHECK_EQ(net_read(pair[1], got, sent), sent);
  free(got);
  CHECK_EQ(wait_one(&event, NET_PATIENCE_MS), 1);
  CHECK(event.token == CLIENT && event.writable && !event.broken);
  sink->ops->want_write(sink, false);
  CHECK_EQ(wait_one(&event, 0), 0);
  sink->ops->close(sink, FAN_SINK_RELEASE);
  net_bytes_free(&block);
  end();
  net_close(pair);
}

/* Node's own descriptor keeps the socket alive: one that was not removed first would be reported for ever. */
static void test_sink_closed_is_not_reported_any_more(void) {
  for (int how = 0; how < 2; how++) {
    int pair[2];
    fan_poll_event event;
    begin();
    net_tcp(pair);
    fan_sink *sink = open_watched(pair[0], CLIENT);
    sink->ops->want_write(sink, true);
    CHECK_EQ(wait_one(&event, NET_PATIENCE_MS), 1);
    sink->ops->close(sink, how ? FAN_SINK_EVICT : FAN_SINK_RELEASE);
    net_reset(&pair[1]);
    CHECK(net_ended(pair[0]));
    CHECK_EQ(wait_one(&event, 0), 0);
    end();
    net_close(pair);
  }
}

static void test_sink_a_peer_that_left_is_gone(void) {
  for (int way = 0; way < 2; way++) {
    int pair[2];
    fan_poll_event event;
    begin();
    net_tcp(pair);
    fan_sink *sink = open_watched(pair[0], CLIENT);
    if (way) net_reset(&pair[1]);
    else shutdown(pair[1], SHUT_WR);
    CHECK_EQ(wait_one(&event, NET_PATIENCE_MS), 1);
    CHECK(event.token == CLIENT && event.broken);
    CHECK_EQ(fan_sink_fd_error(sink), FAN_EGONE);
    if (way) CHECK_EQ(write_text(sink, "x"), FAN_EGONE); /* and no SIGPIPE */
    sink->ops->close(sink, FAN_SINK_EVICT);
    end();
    net_close(pair);
  }
}

/* However few events are taken at a time, each socket has its turn, although all of them stay ready. */
static void test_sink_no_ready_socket_waits_for_ever(void) {
  static int pairs[MANY][2];
  static fan_sink *sinks[MANY];
  static bool seen[MANY];
  fan_poll_event events[64];
  unsigned count = 0;
  begin();
  for (int i = 0; i < MANY; i++) {
    net_unix(pairs[i]);
    sinks[i] = open_watched(pairs[i][0], (uint64_t)i + 1);
    sinks[i]->ops->want_write(sinks[i], true);
  }
  for (int round = 0; round < 2 * MANY / 64 + 2; round++) {
    int n = fan_poll_wait(set, events, 64, 0);
    for (int i = 0; i < n; i++) {
      if (!seen[events[i].token - 1]) count++;
      seen[events[i].token - 1] = true;
    }
  }
  CHECK_EQ(count, MANY);
  for (int i = 0; i < MANY; i++) {
    int at = i % 2 ? i : MANY - 2 - i; /* out of order: holes are filled from the end */
    sinks[at]->ops->close(sinks[at], FAN_SINK_RELEASE);
    net_close(pairs[at]);
  }
  end();
}

static void test_sink_a_wake_up_ends_the_wait_before_or_during_it(void) {
  fan_poll_event event;
  begin();
  for (int i = 0; i < 100000; i++) fan_poll_wake(set); /* more than a pipe can hold */
  CHECK_EQ(wait_one(&event, NET_PATIENCE_MS), 0);
  for (int i = 0; i < 2000; i++) CHECK_EQ(wait_one(&event, 0), 0);
  fan_poll_wake(set);
  CHECK_EQ(wait_one(&event, -1), 0);
  end();
}

int main(void) {
  IO_RUN(test_sink_release_undoes_the_options);
  IO_RUN(test_sink_evict_shuts_and_release_does_not);
  IO_RUN(test_sink_a_unix_socket_works_without_tcp_options);
  IO_RUN(test_sink_is_a_duplicate_that_children_do_not_get);
  IO_RUN(test_sink_open_fails_cleanly);
  IO_RUN(test_sink_reports_room_only_when_asked);
  IO_RUN(test_sink_closed_is_not_reported_any_more);
  IO_RUN(test_sink_a_peer_that_left_is_gone);
  IO_RUN(test_sink_no_ready_socket_waits_for_ever);
  IO_RUN(test_sink_a_wake_up_ends_the_wait_before_or_during_it);
  return check_done("io_sink");
}
