/* history.h: random events against arrays that are searched from end to end. */
#include <string.h>

#include "core/history.h"
#include "core/mem.h"
#include "support/check.h"
#include "support/frames.h"
#include "support/random.h"

#define ROOMS 24 /* 0 is everyone */
#define EVENTS 5000
#define NAMED 4 /* keys in a list, at most */
#define RING_COST (sizeof(fan_ring) + 2 * sizeof(fan_map_slot))

typedef struct event {
  uint64_t sent_ms;
  size_t frame_cost, cost;
  uint64_t rooms[NAMED], except[NAMED];
  uint32_t room_count, except_count;
  bool alive, in[ROOMS]; /* the rings that hold it */
} event;

typedef struct model_room {
  bool known;
  uint64_t let_go, last;
  uint32_t capacity, excepted;
  uint64_t quiet_since; /* 0: it is not; else rising */
} model_room;

static struct {
  fan_history_limits limits;
  event events[EVENTS + 1]; /* by number */
  uint64_t latest, oldest;  /* the oldest that may be alive */
  model_room rooms[ROOMS];
  uint64_t floor, clock;
  uint64_t told_room[EVENTS * NAMED], told_last[EVENTS * NAMED];
  size_t told, asked;
  unsigned overflows, trims, expiries; /* how often each rule was needed */
} m;

static fan_history h;
static rng dice;
static uint64_t seed;

/* --- the model --- */

static uint32_t held_by(uint64_t room) {
  uint32_t count = 0;
  for (uint64_t n = m.oldest; n <= m.latest; n++) count += m.events[n].in[room];
  return count;
}

static size_t bytes_of_rings(bool quiet) {
  size_t bytes = 0;
  for (int i = 0; i < ROOMS; i++)
    if (m.rooms[i].known && (!quiet || m.rooms[i].quiet_since))
      bytes += RING_COST + m.rooms[i].capacity * sizeof(void *);
  return bytes;
}

static size_t bytes_of_all(void) {
  size_t bytes = bytes_of_rings(false);
  for (uint64_t n = m.oldest; n <= m.latest; n++)
    if (m.events[n].alive) bytes += m.events[n].cost;
  return bytes;
}

static void know(uint64_t room) {
  if (!m.rooms[room].known) m.rooms[room] = (model_room){.known = true, .let_go = m.floor};
}

static void settle(uint64_t room) {
  model_room *r = &m.rooms[room];
  uint32_t held = held_by(room);
  if (held && r->capacity > 4 && held <= r->capacity / 4) r->capacity /= 2;
  if (!held) r->capacity = 0;
  if (!held && !r->excepted && !r->quiet_since) r->quiet_since = ++m.clock;
}

static void take_out(uint64_t n, uint64_t room) {
  m.events[n].in[room] = false;
  m.rooms[room].let_go = n;
}

static void end_event(uint64_t n) {
  event *e = &m.events[n];
  e->alive = false;
  for (uint32_t i = 0; i < e->except_count; i++) {
    m.rooms[e->except[i]].excepted--;
    settle(e->except[i]);
  }
}

static void drop_oldest(void) {
  while (!m.events[m.oldest].alive) m.oldest++;
  event *e = &m.events[m.oldest];
  for (uint32_t i = 0; i < e->room_count; i++)
    if (e->in[e->rooms[i]]) {
      take_out(m.oldest, e->rooms[i]);
      settle(e->rooms[i]);
    }
  end_event(m.oldest);
}

static bool any_alive(void) {
  while (m.oldest <= m.latest && !m.events[m.oldest].alive) m.oldest++;
  return m.oldest <= m.latest;
}

static void forget(void) {
  while (bytes_of_rings(true) > m.limits.bytes / 8) {
    uint64_t quietest = 0;
    for (uint64_t i = 0; i < ROOMS; i++) {
      uint64_t since = m.rooms[i].quiet_since;
      if (since && (!m.rooms[quietest].quiet_since || since < m.rooms[quietest].quiet_since))
        quietest = i;
    }
    model_room *r = &m.rooms[quietest];
    if (r->let_go > m.floor) m.floor = r->let_go;
    if (quietest != FAN_EVERYONE) {
      m.told_room[m.told] = quietest;
      m.told_last[m.told++] = r->last;
    }
    *r = (model_room){0};
  }
}

static bool in_any(const event *e) {
  for (int i = 0; i < ROOMS; i++)
    if (e->in[i]) return true;
  return false;
}

static void model_file(uint64_t n, uint64_t room) {
  event *e = &m.events[n];
  model_room *r = &m.rooms[room];
  if (e->in[room]) return;
  uint32_t held = held_by(room);
  if (held == m.limits.events) {
    uint64_t first = m.oldest;
    while (!m.events[first].in[room]) first++;
    take_out(first, room);
    m.overflows++;
  } else if (held == r->capacity) r->capacity = held ? held * 2 : 4;
  e->in[room] = true;
}

static void model_add(uint64_t n) {
  event *e = &m.events[n];
  e->alive = true;
  m.latest = n;
  for (uint32_t i = 0; i < e->room_count; i++) know(e->rooms[i]);
  for (uint32_t i = 0; i < e->except_count; i++) {
    know(e->except[i]);
    m.rooms[e->except[i]].excepted++;
    m.rooms[e->except[i]].quiet_since = 0;
    m.rooms[e->except[i]].last = n;
  }
  for (uint32_t i = 0; i < e->room_count; i++) {
    m.rooms[e->rooms[i]].quiet_since = 0;
    m.rooms[e->rooms[i]].last = n;
    model_file(n, e->rooms[i]);
  }
  /* What left its last ring just now; in the order of the rooms, which differs from that of the numbers. */
  for (uint32_t i = 0; i < e->room_count; i++) {
    uint64_t gone = m.rooms[e->rooms[i]].let_go;
    if (gone && m.events[gone].alive && !in_any(&m.events[gone])) end_event(gone);
  }
  forget();
  while (bytes_of_all() > m.limits.bytes && any_alive()) {
    drop_oldest();
    forget();
    m.trims++;
  }
}

static void model_expire(uint64_t now_ms) {
  while (any_alive() && m.events[m.oldest].sent_ms + m.limits.age_ms <= now_ms) {
    drop_oldest();
    m.expiries++;
  }
  forget();
}

/* --- the comparison --- */

static void check_ring(uint64_t room) {
  const model_room *r = &m.rooms[room];
  const fan_ring *ring = fan_history_ring(&h, room);
  CHECK_EQ(fan_history_let_go(&h, room), r->known ? r->let_go : m.floor);
  if (!CHECK((ring != NULL) == r->known) || !ring) return;
  CHECK_EQ(ring->last, r->last);
  CHECK_EQ(ring->capacity, r->capacity);
  uint32_t index = 0;
  for (uint64_t n = m.oldest; n <= m.latest; n++) {
    if (!m.events[n].in[room]) continue;
    if (!CHECK(index < ring->count)) return;
    const fan_record *record = fan_ring_at(ring, index);
    CHECK_EQ(record->frame->seq, n);
    CHECK_EQ(fan_ring_after(ring, n - 1), index);
    CHECK_EQ(fan_ring_after(ring, n), ++index);
  }
  CHECK_EQ(ring->count, index);
}

static void check_told(void) {
  uint64_t room, last;
  while (fan_history_next_forgotten(&h, &room, &last)) {
    if (!CHECK(m.asked < m.told)) return;
    CHECK_EQ(room, m.told_room[m.asked]);
    CHECK_EQ(last, m.told_last[m.asked++]);
  }
  CHECK_EQ(m.asked, m.told);
}

static void check_all(void) {
  size_t frames = 0;
  uint64_t alive = 0;
  for (uint64_t n = m.oldest; n <= m.latest; n++)
    if (m.events[n].alive) frames += m.events[n].frame_cost, alive++;
  CHECK_EQ(h.count, alive);
  CHECK_EQ(h.frame_bytes, frames);
  CHECK_EQ(h.bytes, bytes_of_all());
  CHECK_EQ(h.quiet_bytes, bytes_of_rings(true));
  CHECK_EQ(h.floor, m.floor);
  CHECK(h.bytes <= m.limits.bytes);
  for (uint64_t room = 0; room < ROOMS; room++) check_ring(room);
  if (rng_below(&dice, 4) == 0) check_told();
}

/* --- the run --- */

/* A few rooms speak often, the others seldom. */
static uint64_t some_room(void) {
  return 1 + (rng_below(&dice, 3) ? rng_below(&dice, 4) : rng_below(&dice, ROOMS - 1));
}

static fan_target *invent(event *e) {
  fan_target *target = fan_target_new(NAMED * 3);
  uint64_t *at = target->keys;
  target->everyone = rng_below(&dice, 12) == 0;
  e->room_count = 1 + rng_below(&dice, NAMED);
  e->except_count = rng_below(&dice, 3) ? 0 : rng_below(&dice, NAMED + 1);
  for (uint32_t i = 0; i < e->room_count; i++) e->rooms[i] = some_room();
  for (uint32_t i = 0; i < e->except_count; i++) e->except[i] = some_room();
  if (target->everyone) {
    e->room_count = 1;
    e->rooms[0] = FAN_EVERYONE;
  } else {
    target->rooms = e->room_count;
    for (uint32_t i = 0; i < e->room_count; i++) *at++ = e->rooms[i];
  }
  target->except_rooms = e->except_count;
  for (uint32_t i = 0; i < e->except_count; i++) *at++ = e->except[i];
  target->except_clients = rng_below(&dice, 3);
  e->cost = sizeof(fan_record) + (e->room_count + e->except_count + target->except_clients) * 8;
  return target;
}

static void add_one(uint64_t now_ms) {
  uint64_t n = m.latest + 1;
  event *e = &m.events[n];
  fan_target *target = invent(e);
  bool huge = rng_below(&dice, 60) == 0;
  fan_buf *frame = frame_sized(20 + rng_below(&dice, huge ? 9000 : 200), (unsigned)n);
  frame->seq = n;
  e->sent_ms = now_ms;
  e->frame_cost = fan_buf_cost(frame);
  e->cost += e->frame_cost;
  fan_history_add(&h, target, frame, now_ms);
  fan_buf_unref(frame);
  fan_free(target);
  model_add(n);
}

static void run(fan_history_limits limits, uint64_t events) {
  uint64_t now_ms = 1000;
  memset(&m, 0, sizeof m);
  m.limits = limits;
  m.oldest = 1;
  fan_history_init(&h, &limits);
  while (m.latest < events && !check_failing()) {
    now_ms += rng_below(&dice, 4) ? 0 : rng_below(&dice, 40);
    if (rng_below(&dice, 300) == 0) now_ms += limits.age_ms / 2;
    if (rng_below(&dice, 5) == 0) {
      fan_history_expire(&h, now_ms);
      model_expire(now_ms);
    } else add_one(now_ms);
    check_all();
  }
  check_told();
  fan_history_deinit(&h);
}

static void test_history_agrees_with_arrays_when_rings_are_short(void) {
  run((fan_history_limits){.events = 3, .bytes = 20000, .age_ms = 5000}, 5000);
  CHECK(m.overflows > 500);
  run((fan_history_limits){.events = 1, .bytes = 30000, .age_ms = 5000}, 5000);
  CHECK(m.overflows > 500);
  run((fan_history_limits){.events = 1, .bytes = 7000, .age_ms = 5000}, 5000);
  CHECK(m.overflows > 500 && m.told > 100);
}

static void test_history_agrees_with_arrays_when_bytes_are_few(void) {
  run((fan_history_limits){.events = 1000, .bytes = 9000, .age_ms = 50000}, 5000);
  CHECK(m.trims > 500 && m.told > 100);
  run((fan_history_limits){.events = 5, .bytes = 2500, .age_ms = 50000}, 5000);
  CHECK(m.trims > 500 && m.told > 100);
}

static void test_history_agrees_with_arrays_when_age_is_short(void) {
  run((fan_history_limits){.events = 50, .bytes = 100000, .age_ms = 200}, 5000);
  CHECK(m.expiries > 500 && m.overflows < 100);
  run((fan_history_limits){.events = 50, .bytes = 12000, .age_ms = 60}, 5000);
  CHECK(m.expiries > 500 && m.told > 100);
}

int main(void) {
  seed = rng_seed("test_history_model");
  rng_init(&dice, seed);
  RUN(test_history_agrees_with_arrays_when_rings_are_short);
  RUN(test_history_agrees_with_arrays_when_bytes_are_few);
  RUN(test_history_agrees_with_arrays_when_age_is_short);
  return check_done("test_history_model");
}
