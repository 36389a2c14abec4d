#include "model.h"

#include <string.h>

#include "check.h"
#include "core/err.h"
#include "core/hub.h"
#include "core/mem.h"
#include "frames.h"
#include "invariants.h"
#include "sink_script.h"

#define PEERS 20
#define ROOMS 24
#define POOL 16

enum peer_state { NONE, OPENING, OPEN, DRAINING, DYING, DYING_QUIETLY };

typedef struct peer {
  enum peer_state state;
  bool attached;
  uint64_t id;
  bool in[ROOMS];
  sink_script sink;
  unsigned char *want; /* all that it must get, in both forms until it has a sink */
  unsigned char *want_raw;
  size_t size, raw_size, capacity;
} peer;

struct model {
  const uint8_t *bytes;
  size_t left;
  bool random;
  rng dice;
  fan_hub *hub;
  uint64_t now_ms, last_id, ops, given;
  unsigned released, cut;
  fan_buf *pool[POOL + 1]; /* and the heartbeat */
  peer peers[PEERS];
};

static uint32_t draw(model *m, uint32_t below) {
  if (m->random) return rng_below(&m->dice, below);
  if (!m->left) return 0;
  m->left--;
  return *m->bytes++ % below;
}

static peer *any(model *m) { return &m->peers[draw(m, PEERS)]; }

static bool known(const peer *p) { return p->state >= OPENING && p->state <= DRAINING; }
static bool hears(const peer *p) { return p->state == OPENING || p->state == OPEN; }
static int found(const peer *p) { return known(p) ? 0 : FAN_ENOTFOUND; }

/* ---- what a peer must get ---- */

static void expect(peer *p, const fan_buf *frame) {
  fan_slice chunk = fan_buf_chunked(frame), raw = fan_buf_raw(frame);
  if (p->size + chunk.size > p->capacity) {
    p->capacity = (p->size + chunk.size) * 2;
    p->want = realloc(p->want, p->capacity);
    p->want_raw = realloc(p->want_raw, p->capacity);
    if (!p->want || !p->want_raw) abort();
  }
  memcpy(p->want + p->size, chunk.data, chunk.size);
  p->size += chunk.size;
  memcpy(p->want_raw + p->raw_size, raw.data, raw.size);
  p->raw_size += raw.size;
}

/* `whole`: it must have got everything. */
static void check_stream(const peer *p, bool whole) {
  const unsigned char *want = p->sink.sink.raw ? p->want_raw : p->want;
  size_t size = p->sink.sink.raw ? p->raw_size : p->size;
  if (!whole && p->sink.size < size) size = p->sink.size;
  CHECK_BYTES(p->sink.bytes, p->sink.size, want, size);
}

static void forget(peer *p, bool whole) {
  check_stream(p, whole);
  sink_script_deinit(&p->sink, p->attached ? 1 : 0);
  free(p->want);
  free(p->want_raw);
  *p = (peer){.state = NONE};
}

/* ---- operations ---- */

static void op_connect(model *m) {
  peer *p = any(m);
  fan_client_config config = {1 << 30, m->pool[POOL], 0};
  if (p->state != NONE) {
    CHECK_EQ(fan_hub_connect(m->hub, p->id, &config), FAN_EEXISTS);
    return;
  }
  *p = (peer){.state = OPENING, .id = ++m->last_id};
  sink_script_init(&p->sink, draw(m, 2));
  if (m->random) p->sink.dice = &m->dice;
  CHECK_EQ(fan_hub_connect(m->hub, p->id, &config), 0);
}

static void op_attach(model *m) {
  peer *p = any(m);
  int want = !known(p) ? FAN_ENOTFOUND : p->attached ? FAN_EINVALID : 0;
  CHECK_EQ(fan_hub_attach(m->hub, p->id, &p->sink.sink), want);
  if (want) return;
  p->attached = true;
  if (p->state == OPENING) p->state = OPEN;
}

static void op_join(model *m) {
  peer *p = any(m);
  uint32_t room = draw(m, ROOMS);
  int want = !known(p) ? FAN_ENOTFOUND : p->in[room] ? FAN_EEXISTS : 0;
  CHECK_EQ(fan_hub_join(m->hub, p->id, room), want);
  if (!want) p->in[room] = true;
}

static void op_leave(model *m) {
  peer *p = any(m);
  uint32_t room = draw(m, ROOMS);
  CHECK_EQ(fan_hub_leave(m->hub, p->id, room), known(p) && p->in[room] ? 0 : FAN_ENOTFOUND);
  if (known(p)) p->in[room] = false;
}

static fan_buf *any_frame(model *m) {
  if (draw(m, 2)) return fan_buf_ref(m->pool[draw(m, POOL)]);
  return frame_sized(9 + draw(m, 120), draw(m, 90));
}

static void op_send(model *m) {
  peer *p = any(m);
  fan_buf *frame = any_frame(m);
  CHECK_EQ(fan_hub_send(m->hub, p->id, frame), found(p));
  if (hears(p)) expect(p, frame);
  fan_buf_unref(frame);
}

static bool in_any(const peer *p, const uint64_t *rooms, uint32_t count) {
  for (uint32_t i = 0; i < count; i++)
    if (p->in[rooms[i]]) return true;
  return false;
}

static bool is_any(const peer *p, const uint64_t *ids, uint32_t count) {
  for (uint32_t i = 0; i < count; i++)
    if (p->id == ids[i]) return true;
  return false;
}

static bool meant(const peer *p, const fan_target *t) {
  const uint64_t *rooms = t->keys, *clients = rooms + t->rooms, *except = clients + t->clients;
  if (in_any(p, except, t->except_rooms)) return false;
  if (is_any(p, except + t->except_rooms, t->except_clients)) return false;
  return t->everyone || in_any(p, rooms, t->rooms) || is_any(p, clients, t->clients);
}

static void op_publish(model *m) {
  fan_target *target = fan_target_new(12);
  uint64_t *key = target->keys;
  target->everyone = draw(m, 8) == 0;
  target->rooms = draw(m, 4);
  target->clients = draw(m, 3);
  target->except_rooms = draw(m, 4) ? 0 : draw(m, 3);
  target->except_clients = draw(m, 4) ? 0 : draw(m, 3);
  for (uint32_t i = 0; i < target->rooms; i++) *key++ = draw(m, ROOMS);
  for (uint32_t i = 0; i < target->clients; i++) *key++ = any(m)->id;
  for (uint32_t i = 0; i < target->except_rooms; i++) *key++ = draw(m, ROOMS);
  for (uint32_t i = 0; i < target->except_clients; i++) *key++ = any(m)->id;
  fan_buf *frame = any_frame(m);
  uint32_t given = 0;
  for (int i = 0; i < PEERS; i++) {
    peer *p = &m->peers[i];
    if (!hears(p) || !meant(p, target)) continue;
    expect(p, frame);
    given++;
  }
  CHECK_EQ(fan_hub_publish(m->hub, target, frame), given);
  m->given += given;
  fan_buf_unref(frame);
  fan_free(target);
}

static void op_close(model *m) {
  peer *p = any(m);
  if (draw(m, 8)) return; /* seldom: lives should be long */
  CHECK_EQ(fan_hub_close_client(m->hub, p->id, FAN_SERVER), found(p));
  if (known(p)) p->state = DRAINING;
}

static void op_end(model *m) {
  static const int errors[] = {FAN_EGONE, FAN_ETIMEOUT, FAN_EIO};
  peer *p = any(m);
  bool quiet = draw(m, 2), broken = draw(m, 2);
  if (broken) CHECK_EQ(fan_hub_broken(m->hub, p->id, errors[draw(m, 3)]), found(p));
  else CHECK_EQ(fan_hub_kill_client(m->hub, p->id, FAN_SERVER, quiet), found(p));
  if (known(p)) p->state = quiet && !broken ? DYING_QUIETLY : DYING;
}

static void op_writable(model *m) {
  peer *p = any(m);
  sink_script_room(&p->sink);
  CHECK_EQ(fan_hub_writable(m->hub, p->id), found(p));
}

static peer *peer_of(model *m, uint64_t id) {
  for (int i = 0; i < PEERS; i++)
    if (m->peers[i].state != NONE && m->peers[i].id == id) return &m->peers[i];
  return NULL;
}

static void take_notices(model *m) {
  for (fan_notice notice; fan_hub_next_notice(m->hub, &notice);) {
    peer *p = peer_of(m, notice.id);
    if (!CHECK(p != NULL && p->state != DYING_QUIETLY)) continue;
    if (notice.kind == FAN_NOTICE_REPORT) continue;
    bool whole = notice.kind == FAN_NOTICE_RELEASED;
    CHECK(!whole || p->state == DRAINING);
    CHECK(notice.reason < FAN_REASON_COUNT);
    if (p->attached) CHECK_EQ(p->sink.how, whole ? FAN_SINK_RELEASE : FAN_SINK_EVICT);
    m->released += whole;
    m->cut += !whole;
    forget(p, whole);
  }
  for (int i = 0; i < PEERS; i++)
    if (m->peers[i].state == DYING_QUIETLY) forget(&m->peers[i], false);
}

static void op_turn(model *m) {
  m->now_ms += draw(m, 3) ? 0 : draw(m, 200);
  if (!m->random) /* the sinks' answers come from the bytes, too */
    for (int i = 0; i < PEERS; i++)
      if (draw(m, 4) == 0) sink_script_answer(&m->peers[i].sink, (int64_t)draw(m, 256) - 1);
  fan_hub_turn(m->hub, m->now_ms, 1 + draw(m, PEERS));
  take_notices(m);
  CHECK(fan_hub_held_bytes(m->hub) <= 1 << 20);
  (void)fan_hub_wait(m->hub, m->now_ms, draw(m, 5000));
}

model *model_new(const uint8_t *bytes, size_t size, uint64_t seed) {
  static const fan_limits limits = {
      .queue_bytes = 4000, .total_bytes = 60000, .stall_ms = 3000, .batch_ms = 0};
  model *m = calloc(1, sizeof *m);
  if (!m) abort();
  m->bytes = bytes;
  m->left = size;
  m->random = !bytes;
  m->now_ms = 1000;
  rng_init(&m->dice, seed);
  fan_limits own = limits;
  own.batch_ms = draw(m, 2) ? 0 : 30;
  m->hub = fan_hub_new(&own, NULL, m->now_ms);
  for (unsigned i = 0; i < POOL; i++) m->pool[i] = frame_sized(9 + i * i * 5, i);
  m->pool[POOL] = frame_heartbeat(false);
  return m;
}

bool model_step(model *m) {
  static void (*const ops[])(model *) = {
      op_connect, op_connect, op_attach,   op_attach,   op_attach,   op_join, op_join, op_join,
      op_leave,   op_send,    op_send,     op_publish,  op_publish,  op_turn, op_turn, op_turn,
      op_turn,    op_turn,    op_writable, op_writable, op_writable, op_close};
  if (!m->random && !m->left) return false;
  m->ops++;
  if (draw(m, 250) == 0) op_end(m);
  else ops[draw(m, sizeof ops / sizeof *ops)](m);
  return true;
}

void model_check(model *m) {
  uint64_t pairs = 0;
  check_invariants(m->hub, m->pool, POOL + 1);
  for (int i = 0; i < PEERS; i++)
    for (int room = 0; room < ROOMS && m->peers[i].state != NONE; room++)
      pairs += m->peers[i].in[room];
  CHECK_EQ(fan_hub_stats(m->hub)->memberships, pairs);
}

/* Everybody reads whatever there is, for long enough. */
static void let_all_read(model *m) {
  for (int round = 0; round < 50; round++) {
    for (int i = 0; i < PEERS; i++) {
      peer *p = &m->peers[i];
      p->sink.dice = NULL;
      p->sink.count = p->sink.next = 0;
      sink_script_room(&p->sink);
      if (known(p)) fan_hub_writable(m->hub, p->id);
    }
    m->now_ms += 30;
    fan_hub_turn(m->hub, m->now_ms, 1000);
    take_notices(m);
  }
}

void model_free(model *m, bool verbose) {
  let_all_read(m);
  model_check(m);
  for (int i = 0; i < PEERS; i++)
    if (m->peers[i].attached) check_stream(&m->peers[i], true);
  for (unsigned i = 0; i <= POOL; i++) fan_buf_unref(m->pool[i]);
  if (verbose)
    printf("  %llu operations, %llu deliveries, %u released, %u cut (%u slow, %u stalled)\n",
           (unsigned long long)m->ops, (unsigned long long)m->given, m->released, m->cut,
           (unsigned)fan_hub_stats(m->hub)->ended[FAN_SLOW],
           (unsigned)fan_hub_stats(m->hub)->ended[FAN_STALLED]);
  fan_hub_free(m->hub);
  for (int i = 0; i < PEERS; i++)
    if (m->peers[i].state != NONE) forget(&m->peers[i], false);
  free(m);
}
