/*
 * Connections come and go by the hundred while two rooms are flooded. Each event carries its room and its number there; each
 * peer judges what it got: whole chunks, events of its rooms alone, no number missing or twice, complete if it was closed in
 * order. At the end nothing is left: clients, memberships, frames, memory, descriptors.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/io_js.h"
#include "support/random.h"
#include "support/sse_parse.h"

#define ROOMS 2
#define PEERS 120 /* at a time */
#define ROUNDS 1800
#define EVENTS 6 /* for each round */

typedef struct peer {
  int pair[2];
  uint64_t client;
  bool raw, relay, lazy;              /* lazy: reads at the end only */
  bool ending;                        /* somebody has begun to end it */
  bool killed;                        /* without a letter */
  bool over;                          /* the loop has told its end */
  bool released;                      /* in order: nothing may be missing */
  uint32_t from[ROOMS], until[ROOMS]; /* numbers that were sent while it was in the room */
  net_bytes got;
} peer;

typedef struct storm {
  js_side js;
  fan_port *port;
  rng dice;
  peer peers[PEERS];
  uint32_t sent[ROOMS];
  unsigned opened, complete, cut, events;
} storm;

/* ---- what a peer got ---- */

/* One event, "data: room number filler"; answers its size, or 0 when it is cut off. */
static size_t read_event(const unsigned char *at, size_t size, unsigned *room, unsigned *number) {
  const unsigned char *end = memchr(at, '\n', size);
  char text[32] = "";
  if (!end || end + 1 == at + size) return 0;
  memcpy(text, at, (size_t)(end - at) < 31 ? (size_t)(end - at) : 31);
  if (end[1] != '\n' || sscanf(text, "data: %u %u x", room, number) != 2) *room = ROOMS;
  return (size_t)(end + 2 - at);
}

static void judge_events(storm *s, const peer *p, size_t size) {
  uint32_t next[ROOMS] = {p->from[0], p->from[1]};
  size_t at = 0, step;
  unsigned room, number;
  while ((step = read_event(p->got.data + at, size - at, &room, &number)) > 0) {
    if (!CHECK(room < ROOMS) || !CHECK_EQ(number, next[room]) || !CHECK(number < p->until[room]))
      return;
    next[room]++;
    at += step;
    s->events++;
  }
  if (!p->released) return;
  CHECK_EQ(at, size);
  for (room = 0; room < ROOMS; room++) CHECK_EQ(next[room], p->until[room]);
}

static void judge(storm *s, peer *p) {
  size_t size = p->got.size;
  bool whole = true;
  if (!p->raw && !p->relay && size) size = sse_dechunk(p->got.data, size, &whole);
  if (!CHECK(size != SIZE_MAX)) return;
  if (p->released) CHECK(whole);
  if (size) judge_events(s, p, size);
  if (p->released) s->complete++;
  else s->cut++;
}

/* ---- the JavaScript thread ---- */

static void hear(storm *s) {
  while (js_has(&s->js, 0, 0)) {
    fan_letter letter = js_await(&s->js, 0, 0);
    peer *p = s->peers;
    while (p < s->peers + PEERS && p->client != letter.id) p++;
    bool known = p < s->peers + PEERS;
    if (letter.kind == FAN_NOTICE_RELAY) {
      if (known) net_bytes_add(&p->got, letter.data, letter.size);
      js_credit(&s->js, s->port, letter.id, letter.size);
      fan_free(letter.data);
    } else if (known && letter.kind != FAN_NOTICE_REPORT) {
      CHECK(!p->over); /* told once; it may cross with our kill */
      p->over = p->ending = true;
      p->released = letter.kind == FAN_NOTICE_RELEASED;
    }
  }
}

static void move(storm *s, peer *p, unsigned room, bool join) {
  if (join == (p->until[room] == UINT32_MAX)) return;
  if (join && p->until[room]) return; /* once only, so that what it must get is one piece */
  js_post(&s->js, s->port, join ? FAN_OP_JOIN : FAN_OP_LEAVE, p->client, 100 + room);
  if (join) p->from[room] = s->sent[room];
  p->until[room] = join ? UINT32_MAX : s->sent[room];
}

static void open_peer(storm *s, peer *p) {
  uint32_t kind = rng_below(&s->dice, 10);
  *p = (peer){.pair = {-1, -1},
              .raw = rng_below(&s->dice, 4) == 0,
              .lazy = rng_below(&s->dice, 10) == 0,
              .relay = kind == 0};
  p->client = js_connect(&s->js, s->port, 0);
  s->opened++;
  move(s, p, rng_below(&s->dice, ROOMS), true);
  if (p->relay) {
    js_attach_relay(&s->js, s->port, p->client);
    return;
  }
  if (kind < 6) net_tcp(p->pair);
  else net_unix(p->pair);
  if (kind % 2) net_narrow(p->pair);
  js_attach(&s->js, s->port, p->client, p->pair[0], p->raw);
}

static void read_some(peer *p) {
  unsigned char block[16384];
  ssize_t size;
  while (p->pair[1] >= 0 && (size = recv(p->pair[1], block, sizeof block, MSG_DONTWAIT)) > 0)
    net_bytes_add(&p->got, block, (size_t)size);
}

static void begin_end(storm *s, peer *p) {
  uint32_t way = rng_below(&s->dice, p->relay ? 2 : 5);
  p->ending = true;
  if (way == 0) {
    for (unsigned room = 0; room < ROOMS; room++) /* what it must get, if nothing cuts it short */
      if (p->until[room] == UINT32_MAX) p->until[room] = s->sent[room];
    js_end_client(&s->js, s->port, p->client, false);
  } else if (way == 1 || way == 2) { /* Node's socket is closed first, sometimes */
    if (way == 2) close(p->pair[0]);
    if (way == 2) p->pair[0] = -1;
    js_end_client(&s->js, s->port, p->client, true);
    p->killed = true;
  } else if (way == 3) {
    shutdown(p->pair[1], rng_below(&s->dice, 2) ? SHUT_WR : SHUT_RDWR);
  } else {
    read_some(p);
    net_reset(&p->pair[1]);
  }
}

/* Its end has been told: Node ends the response or destroys the socket, the peer reads to the end. */
static void finish(storm *s, peer *p) {
  if (p->pair[0] >= 0) shutdown(p->pair[0], p->released ? SHUT_WR : SHUT_RDWR);
  if (p->pair[1] >= 0) {
    size_t size;
    unsigned char *rest = net_drain(p->pair[1], &size);
    net_bytes_add(&p->got, rest, size);
    free(rest);
  }
  judge(s, p);
  net_bytes_free(&p->got);
  net_close(p->pair);
  p->client = 0;
}

static void flood(storm *s) {
  char text[9000];
  for (int i = 0; i < EVENTS; i++) {
    unsigned room = rng_below(&s->dice, ROOMS);
    size_t filler = rng_below(&s->dice, 30) ? rng_below(&s->dice, 500) : 8000;
    int head = sprintf(text, "%u %u ", room, s->sent[room]++);
    memset(text + head, 'x', filler + 1);
    text[(size_t)head + filler + 1] = 0;
    js_publish(&s->js, s->port, 100 + room, frame_event(text));
  }
}

static void run_round(storm *s) {
  flood(s);
  for (int i = 0; i < PEERS; i++) {
    peer *p = &s->peers[i];
    uint32_t what = rng_below(&s->dice, 100);
    if (!p->client) {
      if (what < 20) open_peer(s, p);
    } else if (p->over || p->killed) {
      if (what < 50 && p->killed && !p->relay) js_flush(&s->js);
      if (what < 50) finish(s, p);
    } else if (!p->ending && what < 2) begin_end(s, p);
    else if (!p->ending && what < 4) move(s, p, what % ROOMS, rng_below(&s->dice, 3) > 0);
    else if (!p->lazy && what < 60) read_some(p);
  }
  if (rng_below(&s->dice, 4)) js_flush(&s->js);
  hear(s);
}

static bool wind_down(storm *s) {
  bool left = false;
  for (int i = 0; i < PEERS; i++) {
    peer *p = &s->peers[i];
    if (!p->client) continue;
    left = true;
    if (p->over || p->killed) finish(s, p);
    else if (!p->ending) begin_end(s, p);
    else read_some(p);
  }
  js_flush(&s->js);
  net_readable(s->js.bell[0], 1);
  hear(s);
  return left;
}

static void check_settled(storm *s) {
  js_fence(&s->js, s->port);
  hear(s);
  js_fence(&s->js, s->port);
  fan_stats stats = js_stats(&s->js, s->port);
  uint64_t ended = 0, dropped = 0;
  for (int reason = 0; reason < FAN_REASON_COUNT; reason++) {
    ended += stats.ended[reason];
    dropped += stats.dropped_events[reason];
  }
  CHECK_EQ(stats.clients + stats.memberships + stats.rooms, 0);
  CHECK_EQ(stats.held_bytes, 0);
  CHECK_EQ(fan_port_live_bytes(s->port), 0);
  CHECK_EQ(ended, s->opened);
  CHECK_EQ(stats.publishes, s->sent[0] + s->sent[1]);
  CHECK_EQ(stats.deliveries, stats.written_frames + dropped);
  CHECK(stats.blocked > 0);
  CHECK(s->opened > 3 * PEERS && s->complete > PEERS / 2 && s->cut > PEERS);
  printf("  storm: %u connections, %u closed in order, %u events read, %llu blocked writes\n",
         s->opened, s->complete, s->events, (unsigned long long)stats.blocked);
}

static uint64_t seed;

static void test_storm_nobody_gets_what_is_not_theirs(void) {
  static storm s;
  s = (storm){0};
  fan_limits limits = js_limits();
  limits.queue_bytes = 200 * 1024;
  rng_init(&s.dice, seed);
  js_begin(&s.js);
  s.port = js_open(&s.js, &limits);
  for (int round = 0; round < ROUNDS && !check_failing(); round++) run_round(&s);
  for (int round = 0; round < 20000 && wind_down(&s) && !check_failing(); round++) continue;
  if (!check_failing()) check_settled(&s);
  js_free(&s.js, s.port);
  js_end(&s.js);
  for (int i = 0; i < PEERS; i++) {
    if (!s.peers[i].client) continue;
    net_bytes_free(&s.peers[i].got);
    net_close(s.peers[i].pair);
  }
}

int main(void) {
  seed = rng_seed("io_storm");
  IO_RUN(test_storm_nobody_gets_what_is_not_theirs);
  return check_done("io_storm");
}
