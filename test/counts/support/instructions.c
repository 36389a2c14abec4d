/*
 * What the core and the loop do, as small programs within one: instructions.js runs it under callgrind, which writes down what
 * happened within each function named scenario_*; here everything around them is set up. It is linked with the objects of the
 * addon's release build, so what is measured is the code that is shipped. Time stands still unless a scenario moves it.
 *
 * Each scenario runs twice, and the second time counts: pools and tables have their size then.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "core/fan.h"
#include "core/frame.h"
#include "core/mem.h"
#include "io/loop.h"
#include "io/sink_fd.h"

#define CLIENTS 1000
#define FLOOD 16
#define KEPT 100
#define BACK 100    /* clients that come back */
#define WIRED 100   /* clients with a socket */
#define LINES 16384 /* bytes of text in lines of 64 */

/* callgrind writes down what was counted so far, and begins anew, whenever a function scenario_* is entered. */
#define SCENARIO(name)                                                                             \
  static void do_##name(void);                                                                     \
  __attribute__((noinline)) static void scenario_##name(void) {                                    \
    do_##name();                                                                                   \
    scenario_end();                                                                                \
  }                                                                                                \
  static void do_##name(void)
#define TWICE(before, scenario)                                                                    \
  for (int twice = 0; twice < 2; twice++) {                                                        \
    before;                                                                                        \
    scenario;                                                                                      \
  }

__attribute__((noinline)) static void scenario_end(void) { __asm__ volatile(""); }

static void must(bool holds, const char *what) {
  if (holds) return;
  fprintf(stderr, "instructions: %s\n", what);
  exit(1);
}

/* ---- a sink that takes whatever it is given ---- */

static const void *seen;        /* the buffer that was given last */
static unsigned buffers, taken; /* how often another one came; writes */

static int64_t take(fan_sink *sink, const fan_slice *slices, int count) {
  (void)sink;
  int64_t bytes = 0;
  for (int i = 0; i < count; i++) bytes += (int64_t)slices[i].size;
  if (slices[0].data != seen) buffers++;
  seen = slices[0].data;
  taken++;
  return bytes;
}

static void want_nothing(fan_sink *sink, bool on) { (void)sink, (void)on; }
static void close_nothing(fan_sink *sink, enum fan_sink_close how) { (void)sink, (void)how; }

static const fan_sink_ops ops = {.write = take, .want_write = want_nothing, .close = close_nothing};
static fan_sink sinks[CLIENTS + 1];

/* ---- a hub ---- */

static const fan_limits limits = {.queue_bytes = 8 << 20, .total_bytes = 256 << 20};
static fan_hub *hub;
static uint64_t now_ms = 1000, seq;
static fan_buf *frames[CLIENTS];
static fan_buf *heartbeat;

/* Everybody is in room 1, every second one in room 2, too. */
static void open_client(uint64_t id, uint32_t heartbeat_ms) {
  fan_client_config config = {.heartbeat_ms = heartbeat_ms,
                              .heartbeat = heartbeat_ms ? heartbeat : NULL};
  sinks[id] = (fan_sink){.ops = &ops};
  must(fan_hub_connect(hub, id, &config) == 0, "connect");
  must(fan_hub_join(hub, id, 1) == 0, "join");
  if (id % 2) must(fan_hub_join(hub, id, 2) == 0, "join");
  must(fan_hub_attach(hub, id, &sinks[id]) == 0, "attach");
}

static void turns(void) {
  while (fan_hub_turn(hub, now_ms, 128)) continue;
}

static void begin(uint32_t events, uint64_t clients, uint32_t heartbeat_ms) {
  fan_history_limits history = {.events = events, .bytes = 64 << 20, .age_ms = 3600000};
  hub = fan_hub_new(&limits, events ? &history : NULL, now_ms);
  must(hub != NULL, "memory");
  for (uint64_t id = 1; id <= clients; id++) open_client(id, heartbeat_ms);
  turns();
}

static void end(void) { fan_hub_free(hub); }

static fan_buf *event(const char *text, size_t size) {
  fan_fields fields = {.retry_ms = FAN_NO_RETRY};
  fan_buf *frame = fan_frame_begin(&fields, size);
  must(frame != NULL, "memory");
  memcpy(fan_frame_data(frame), text, size);
  return fan_frame_seal(frame, size);
}

static char text[LINES];

static void make_frames(int count) {
  for (int i = 0; i < count; i++) frames[i] = event(text, 100);
}

static void drop_frames(int count) {
  for (int i = 0; i < count; i++) fan_buf_unref(frames[i]);
}

static fan_target *everyone, *room, *two_rooms;

static void make_targets(void) {
  everyone = fan_target_new(0);
  everyone->everyone = true;
  room = fan_target_new(1);
  room->rooms = 1, room->keys[0] = 1;
  two_rooms = fan_target_new(2);
  two_rooms->rooms = 2, two_rooms->keys[0] = 2, two_rooms->keys[1] = 1;
}

static void publish(const fan_target *target, int count, uint64_t given) {
  for (int i = 0; i < count; i++)
    must(fan_hub_publish(hub, target, frames[i]) == given, "it was not given to everybody");
}

/* ---- fan-out and flush ---- */

SCENARIO(publish) { publish(room, 1, CLIENTS); }
SCENARIO(turn) { turns(); }
SCENARIO(publish_everyone) { publish(everyone, 1, CLIENTS); }
SCENARIO(publish_two_rooms) { publish(two_rooms, 1, CLIENTS); }
SCENARIO(publish_flood) { publish(room, FLOOD, CLIENTS); }
SCENARIO(turn_flood) { turns(); }
SCENARIO(send) {
  for (uint64_t id = 1; id <= CLIENTS; id++)
    must(fan_hub_send(hub, id, frames[id - 1]) == 0, "send");
}
SCENARIO(turn_private) { turns(); }

static void fan_out(void) {
  begin(0, CLIENTS, 0);
  make_frames(CLIENTS);
  for (int i = 0; i < 2; i++) {
    scenario_publish();
    seen = NULL;
    buffers = taken = 0;
    scenario_turn();
  }
  must(taken == CLIENTS, "one write each");
  printf("buffers %u\n", buffers);
  TWICE(scenario_publish_everyone(), turns())
  TWICE(scenario_publish_two_rooms(), turns())
  TWICE(scenario_publish_flood(), scenario_turn_flood())
  TWICE(scenario_send(), scenario_turn_private())
  drop_frames(CLIENTS);
  end();
}

/* ---- clients that come, go, and say nothing ---- */

SCENARIO(connect) {
  for (uint64_t id = 1; id <= CLIENTS; id++) open_client(id, 0);
  turns();
}
SCENARIO(leave) {
  fan_notice notice;
  for (uint64_t id = 1; id <= CLIENTS; id++) fan_hub_broken(hub, id, FAN_EGONE);
  turns();
  while (fan_hub_next_notice(hub, &notice)) continue;
}
SCENARIO(heartbeats) {
  now_ms += 15000;
  turns();
}

static void come_and_go(void) {
  begin(0, 0, 0);
  TWICE(scenario_connect(), scenario_leave())
  end();
  heartbeat = fan_frame_comment((fan_slice){"", 0}, FAN_BUF_HEARTBEAT);
  begin(0, CLIENTS, 15000);
  fan_buf_unref(heartbeat); /* the clients have it */
  TWICE(taken = 0, scenario_heartbeats())
  must(taken == CLIENTS, "a heartbeat each");
  end();
}

/* ---- history ---- */

static void number_frames(void) {
  for (int i = 0; i < KEPT; i++) frames[i]->seq = ++seq;
}

SCENARIO(keep) { publish(room, KEPT, 0); }
SCENARIO(resume) {
  for (uint64_t id = 1; id <= BACK; id++)
    must(fan_hub_resume(hub, id, seq - KEPT, NULL, FAN_TELL) == 0, "resume");
  turns();
}

static void history(void) {
  begin(KEPT, 0, 0);
  for (int i = 0; i < 3; i++) { /* the second time the ring is full */
    make_frames(KEPT);
    number_frames();
    scenario_keep();
    drop_frames(KEPT);
  }
  for (int i = 0; i < 2; i++) {
    for (uint64_t id = 1; id <= BACK; id++) open_client(id, 0);
    uint64_t before = fan_hub_stats(hub)->replayed;
    scenario_resume();
    must(fan_hub_stats(hub)->replayed - before == BACK * KEPT, "everything that was missed");
    for (uint64_t id = 1; id <= BACK; id++) fan_hub_kill_client(hub, id, FAN_CLIENT, true);
    turns();
  }
  end();
}

/* ---- encoding ---- */

SCENARIO(encode) {
  for (int i = 0; i < CLIENTS; i++) fan_buf_unref(event(text, 100));
}
SCENARIO(encode_lines) { fan_buf_unref(event(text, LINES)); }

static void encode(void) {
  TWICE((void)0, scenario_encode())
  for (int i = 63; i < LINES; i += 64) text[i] = '\n';
  TWICE((void)0, scenario_encode_lines())
  memset(text, 'x', LINES);
}

/* ---- through the loop, into sockets ---- */

static atomic_uint sleeps; /* how often the loop has gone to sleep */

int __real_epoll_wait(int epoll, void *events, int max, int timeout_ms);
int __wrap_epoll_wait(int epoll, void *events, int max, int timeout_ms);
int __wrap_epoll_wait(int epoll, void *events, int max, int timeout_ms) {
  if (timeout_ms) atomic_fetch_add(&sleeps, 1);
  return __real_epoll_wait(epoll, events, max, timeout_ms);
}

int __wrap_clock_gettime(clockid_t clock, struct timespec *time);
int __wrap_clock_gettime(clockid_t clock, struct timespec *time) {
  (void)clock;
  *time = (struct timespec){.tv_sec = 1000};
  return 0;
}

static fan_loop *loop;
static fan_port *port;
static int pairs[WIRED + 1][2];

static void post(fan_command command) {
  command.port = port;
  must(fan_loop_post(loop, &command) == 0, "memory");
}

/* Ends the stretch, and waits until the loop sleeps again. */
static void leave_to_loop(void) {
  unsigned before = atomic_load(&sleeps);
  fan_loop_flush(loop);
  while (atomic_load(&sleeps) == before) sched_yield();
}

static void wire_client(uint64_t id) {
  fan_sink *sink;
  must(socketpair(AF_UNIX, SOCK_STREAM, 0, pairs[id]) == 0, "socketpair");
  must(fan_sink_fd_open(pairs[id][0], 0, false, &sink) == 0, "sink");
  post((fan_command){.op = FAN_OP_CONNECT, .client = id});
  post((fan_command){.op = FAN_OP_JOIN, .client = id, .number = id == 1 ? 2 : 1});
  post((fan_command){.op = FAN_OP_ATTACH, .client = id, .sink = sink});
}

static void through_loop(uint64_t number) {
  post((fan_command){.op = FAN_OP_PUBLISH, .number = number, .frame = fan_buf_ref(frames[0])});
  leave_to_loop();
}

SCENARIO(loop_one) { through_loop(2); }
SCENARIO(loop_many) { through_loop(1); }
SCENARIO(loop_commands) {
  for (uint64_t id = 1; id <= WIRED; id++)
    post((fan_command){.op = FAN_OP_JOIN, .client = id, .number = 3});
  leave_to_loop();
}

static void wake(void *context) { (void)context; }

static void loops(void) {
  make_frames(1);
  loop = fan_loop_new(wake, NULL);
  port = fan_port_new(1, &limits, NULL, NULL);
  must(loop && port, "memory");
  must(fan_loop_start(loop) == 0, "thread");
  while (!atomic_load(&sleeps)) sched_yield();
  post((fan_command){.op = FAN_OP_OPEN});
  for (uint64_t id = 1; id <= WIRED; id++) wire_client(id);
  leave_to_loop();
  TWICE((void)0, scenario_loop_one())
  TWICE((void)0, scenario_loop_many())
  TWICE((void)0, scenario_loop_commands())
  drop_frames(1);
  fan_loop_stop(loop);
  fan_port_free(port);
  fan_loop_free(loop);
}

int main(void) {
  memset(text, 'x', sizeof text);
  make_targets();
  fan_out();
  come_and_go();
  history();
  encode();
  loops();
  return 0;
}
