/* replay.h: clients that come and go at random, against a list of all events ever that is searched from end to end. */
#include <string.h>

#include "core/mem.h"
#include "core/replay.h"
#include "support/check.h"
#include "support/frames.h"
#include "support/random.h"

#define ROOMS 12 /* 0 is everyone */
#define CLIENTS 6
#define EVENTS 6000
#define STAYS 4000

typedef struct event {
  bool room[ROOMS], except_room[ROOMS], except_client[CLIENTS];
} event;

/* A client was in a room beyond `after`, up to `until`. */
typedef struct stay {
  uint64_t room, after, until;
} stay;

typedef struct client {
  fan_replay replay;
  bool limited;
  uint64_t given; /* the last number it was given, or began with */
  stay stays[STAYS];
  unsigned count;
} client;

static event events[EVENTS + 1];
static uint64_t latest, now_ms, seed;
static client clients[CLIENTS];
static fan_history h;
static rng dice;
static struct { unsigned given, lost, excepted, finished, returns; } seen;

/* --- the oracle --- */

static bool was_in(const client *c, uint64_t room, uint64_t seq) {
  for (unsigned i = 0; i < c->count; i++)
    if (c->stays[i].room == room && c->stays[i].after < seq && seq <= c->stays[i].until)
      return true;
  return false;
}

static bool is_for(const client *c, uint64_t seq) {
  const event *e = &events[seq];
  bool in = false, excepted = e->except_client[c - clients];
  for (uint64_t room = 0; room < ROOMS; room++) {
    in = in || (e->room[room] && was_in(c, room, seq));
    excepted = excepted || (e->except_room[room] && was_in(c, room, seq));
  }
  seen.excepted += in && excepted;
  return in && !excepted;
}

/* The next event of all there ever were; 0: none. */
static uint64_t next_for(const client *c) {
  for (uint64_t seq = c->given + 1; seq <= latest; seq++)
    if (is_for(c, seq)) return seq;
  return 0;
}

/* Has a room let go of something beyond the cursor from a time when the client may have been in it? */
static bool is_lost(const client *c) {
  for (unsigned i = 0; i < c->count; i++) {
    const stay *s = &c->stays[i];
    uint64_t from = s->after > c->replay.cursor ? s->after : c->replay.cursor;
    if (s->until > from && fan_history_let_go(&h, s->room) > from) return true;
  }
  return false;
}

/* --- the clients --- */

static stay *present_stay(client *c, uint64_t room) {
  for (unsigned i = 0; i < c->count; i++)
    if (c->stays[i].room == room && c->stays[i].until == UINT64_MAX) return &c->stays[i];
  return NULL;
}

static void join(client *c, uint64_t room, uint64_t after) {
  if (present_stay(c, room) || c->count == STAYS) return;
  CHECK_EQ(fan_replay_join(&c->replay, room, after), 0);
  c->stays[c->count++] = (stay){room, after, UINT64_MAX};
}

/* It comes back with the cursor of some time ago. */
static void come_back(client *c) {
  uint64_t ago = rng_below(&dice, 60), cursor = latest > ago ? latest - ago : 0;
  fan_replay_deinit(&c->replay);
  fan_replay_init(&c->replay, (uint64_t)(c - clients), cursor, latest);
  c->given = cursor;
  c->count = 0;
  c->limited = false;
  if (rng_below(&dice, 4)) join(c, FAN_EVERYONE, cursor);
  for (uint32_t i = rng_below(&dice, 6); i-- > 0;) join(c, 1 + rng_below(&dice, ROOMS - 1), cursor);
  seen.returns++;
}

static void op_join(client *c) {
  if (!c->limited) join(c, rng_below(&dice, ROOMS), latest);
}

static void op_leave(client *c) {
  uint64_t room = rng_below(&dice, ROOMS);
  stay *s = present_stay(c, room);
  fan_replay_leave(&c->replay, room, latest);
  if (s) s->until = latest;
}

static void op_limit(client *c) {
  if (rng_below(&dice, 20)) return;
  c->limited = true;
  fan_replay_limit(&c->replay, latest);
  for (unsigned i = 0; i < c->count; i++)
    if (c->stays[i].until > latest) c->stays[i].until = latest;
}

/* Some of what is due, or all; sometimes looked at twice. */
static void op_read(client *c) {
  bool lost = is_lost(c);
  CHECK_EQ(fan_replay_possible(&c->replay, &h), !lost);
  enum fan_replay_state state = fan_replay_open(&c->replay, &h);
  CHECK_EQ(state, lost ? FAN_REPLAY_LOST : FAN_REPLAY_READY);
  if (state != FAN_REPLAY_READY) {
    seen.lost++;
    come_back(c);
    return;
  }
  for (uint32_t left = rng_below(&dice, 30); left-- > 0;) {
    uint64_t want = next_for(c);
    const fan_record *record = fan_replay_peek(&c->replay);
    CHECK_EQ(record ? record->frame->seq : 0, want);
    if (rng_below(&dice, 3) == 0) CHECK(fan_replay_peek(&c->replay) == record);
    if (check_failing() || (!record && ++seen.finished)) break;
    fan_replay_advance(&c->replay);
    c->given = want;
    seen.given++;
  }
  if (c->limited && !next_for(c)) come_back(c);
}

/* --- the events --- */

static uint32_t put(bool *flags, uint64_t **at, uint32_t most, uint32_t below) {
  uint32_t count = rng_below(&dice, most + 1);
  for (uint32_t i = 0; i < count; i++) flags[*(*at)++ = rng_below(&dice, below)] = true;
  return count;
}

static void op_send(client *c) {
  (void)c;
  if (latest == EVENTS) return;
  event *e = &events[++latest];
  fan_target *target = fan_target_new(12);
  uint64_t *at = target->keys;
  target->everyone = rng_below(&dice, 8) == 0;
  if (target->everyone) e->room[FAN_EVERYONE] = true;
  else target->rooms = put(e->room, &at, 3, ROOMS);
  if (rng_below(&dice, 3) == 0) {
    target->except_rooms = put(e->except_room, &at, 3, ROOMS);
    target->except_clients = put(e->except_client, &at, 3, CLIENTS);
  }
  fan_buf *frame = frame_sized(20 + rng_below(&dice, 100), 1);
  frame->seq = latest;
  fan_history_add(&h, target, frame, now_ms += rng_below(&dice, 3));
  fan_buf_unref(frame);
  fan_free(target);
}

static void op_expire(client *c) {
  uint64_t room, last;
  (void)c;
  fan_history_expire(&h, now_ms);
  while (fan_history_next_forgotten(&h, &room, &last)) continue;
}

static void run(fan_history_limits limits) {
  static void (*const ops[])(client *) = {op_send, op_send, op_send,  op_send,  op_join,
                                          op_join, op_read, op_leave, op_limit, op_expire};
  memset(&seen, 0, sizeof seen);
  memset(events, 0, sizeof events);
  latest = 0;
  now_ms = 1000;
  fan_history_init(&h, &limits);
  for (int i = 0; i < CLIENTS; i++) come_back(&clients[i]);
  while (latest < EVENTS && !check_failing())
    ops[rng_below(&dice, sizeof ops / sizeof *ops)](&clients[rng_below(&dice, CLIENTS)]);
  for (int i = 0; i < CLIENTS; i++) fan_replay_deinit(&clients[i].replay);
  fan_history_deinit(&h);
  CHECK(seen.given > 500 && seen.excepted > 50 && seen.finished > 50 && seen.returns > 50);
}

static void test_replay_gives_what_a_filter_over_all_events_does(void) {
  run((fan_history_limits){.events = 1000, .bytes = 1 << 20, .age_ms = UINT64_MAX});
  CHECK_EQ(seen.lost, 0);
}

static void test_replay_is_lost_when_and_only_when_something_may_be_missing(void) {
  run((fan_history_limits){.events = 12, .bytes = 1 << 20, .age_ms = UINT64_MAX});
  CHECK(seen.lost > 50);
  run((fan_history_limits){.events = 1000, .bytes = 20000, .age_ms = UINT64_MAX});
  CHECK(seen.lost > 50);
  run((fan_history_limits){.events = 1000, .bytes = 12000, .age_ms = 60});
  CHECK(seen.lost > 50);
}

/* One client in a thousand rooms, and a hundred thousand events, each in one of the rooms or in several. */
static void test_replay_merges_a_thousand_long_rings(void) {
  static const fan_history_limits limits = {.events = 100000, .bytes = SIZE_MAX, .age_ms = 1000};
  fan_replay replay;
  fan_target *target = fan_target_new(3);
  fan_history_init(&h, &limits);
  fan_replay_init(&replay, 1, 0, 0);
  for (uint64_t room = 1000; room > 0; room--) CHECK_EQ(fan_replay_join(&replay, room, 0), 0);
  for (uint64_t seq = 1; seq <= 100000; seq++) {
    fan_buf *frame = frame_sized(9, 0);
    frame->seq = seq;
    target->rooms = 1 + rng_below(&dice, 3);
    for (uint32_t i = 0; i < target->rooms; i++)
      target->keys[i] = rng_below(&dice, 2) ? 1 : 1 + rng_below(&dice, 1000);
    fan_history_add(&h, target, frame, 0);
    fan_buf_unref(frame);
  }
  uint64_t expected = 1;
  while (expected <= 100000 && !check_failing()) {
    CHECK_EQ(fan_replay_open(&replay, &h), FAN_REPLAY_READY);
    fan_record *record;
    for (int i = 0; i < 1000 && (record = fan_replay_peek(&replay)); i++) {
      if (!CHECK_EQ(record->frame->seq, expected++)) break;
      fan_replay_advance(&replay);
    }
  }
  CHECK(fan_replay_peek(&replay) == NULL);
  fan_replay_deinit(&replay);
  fan_history_deinit(&h);
  fan_free(target);
}

int main(void) {
  seed = rng_seed("test_replay_model");
  rng_init(&dice, seed);
  RUN(test_replay_gives_what_a_filter_over_all_events_does);
  RUN(test_replay_is_lost_when_and_only_when_something_may_be_missing);
  RUN(test_replay_merges_a_thousand_long_rings);
  return check_done("test_replay_model");
}
