/* What is done to the hub, and what the model expects of it. */
#include "check.h"
#include "core/err.h"
#include "core/mem.h"
#include "mem_fail.h"
#include "model_private.h"

static peer *any(model *m) { return &m->peers[draw(m, PEERS)]; }
static uint64_t any_room(model *m) { return 1 + draw(m, ROOMS); }
static int found(const peer *p) { return known(p) ? 0 : FAN_ENOTFOUND; }

/* Did a call answer what it should, or that there was no memory for it? */
static bool expected(int error, int want) {
  return CHECK_EQ(error, error == FAN_ENOMEM && mem_fail_happened() ? FAN_ENOMEM : want) && !error;
}

static bool catching_up(const model *m, const peer *p) {
  const fan_slot *slot = fan_hub_find(m->hub, p->id);
  return slot && slot->replay;
}

static void connect(model *m, peer *p) {
  fan_client_config config = {1 << 30, m->heartbeat, 0};
  if (p->state != NONE) {
    CHECK_EQ(fan_hub_connect(m->hub, p->id, &config), FAN_EEXISTS);
    return;
  }
  *p = (peer){.state = OPENING, .id = ++m->last_id};
  sink_script_init(&p->sink, draw(m, 2));
  if (m->random) p->sink.dice = &m->dice;
  model_starve(m);
  if (!expected(fan_hub_connect(m->hub, p->id, &config), 0)) peer_free(p);
  model_feed(m);
}

static void op_connect(model *m) { connect(m, any(m)); }

static void op_attach(model *m) {
  peer *p = any(m);
  int want = !known(p) ? FAN_ENOTFOUND : p->attached ? FAN_EINVALID : 0;
  CHECK_EQ(fan_hub_attach(m->hub, p->id, &p->sink.sink), want);
  if (want) return;
  p->attached = true;
  if (p->state == OPENING) p->state = OPEN;
}

static void join(model *m, peer *p) {
  uint64_t room = any_room(m);
  int want = !known(p) ? FAN_ENOTFOUND : p->in[room] ? FAN_EEXISTS : 0;
  model_starve(m);
  if (expected(fan_hub_join(m->hub, p->id, room), want)) p->in[room] = true;
  model_feed(m);
}

static void op_join(model *m) { join(m, any(m)); }

static void op_leave(model *m) {
  peer *p = any(m);
  uint64_t room = any_room(m);
  CHECK_EQ(fan_hub_leave(m->hub, p->id, room), known(p) && p->in[room] ? 0 : FAN_ENOTFOUND);
  if (known(p)) p->in[room] = false;
}

/* ---- sending ---- */

static uint8_t any_key(model *m) {
  return m->keyed && draw(m, 2) ? (uint8_t)(1 + draw(m, KEYS)) : 0;
}

static void op_send(model *m) {
  peer *p = any(m);
  fan_buf *frame = say(m, NULL, any_key(m), false);
  if (hears(p)) want_add(&p->wants, m->said_count - 1, true);
  model_starve(m);
  CHECK_EQ(fan_hub_send(m->hub, p->id, frame), found(p));
  fan_buf_unref(frame);
  model_feed(m);
}

static fan_target *any_target(model *m) {
  fan_target *target = fan_target_new(12);
  if (!target) abort();
  uint64_t *key = target->keys;
  target->everyone = draw(m, 8) == 0;
  target->rooms = draw(m, 4);
  target->clients = draw(m, 3);
  target->except_rooms = draw(m, 4) ? 0 : draw(m, 3);
  target->except_clients = draw(m, 4) ? 0 : draw(m, 3);
  for (uint32_t i = 0; i < target->rooms; i++) *key++ = any_room(m);
  for (uint32_t i = 0; i < target->clients; i++) *key++ = any(m)->id;
  for (uint32_t i = 0; i < target->except_rooms; i++) *key++ = any_room(m);
  for (uint32_t i = 0; i < target->except_clients; i++) *key++ = any(m)->id;
  return target;
}

static void op_publish(model *m) {
  fan_target *target = any_target(m);
  bool kept = draw(m, 2);
  fan_buf *frame = say(m, kept ? target : NULL, kept ? 0 : any_key(m), draw(m, 4) == 0);
  uint32_t number = m->said_count - 1, given = 0;
  for (int i = 0; i < PEERS; i++) {
    peer *p = &m->peers[i];
    if (!hears(p) || !meant(p, target, false)) continue;
    want_add(p->gated ? &p->held : &p->wants, number, true);
    given++;
  }
  m->said[number].given = given;
  m->given += given;
  model_starve(m);
  CHECK_EQ(fan_hub_publish(m->hub, target, frame), given);
  fan_buf_unref(frame);
  fan_free(target);
  model_feed(m);
}

/* ---- coming back ---- */

static uint64_t any_cursor(model *m) {
  switch (draw(m, 16)) {
  case 0:
    return FAN_NO_CURSOR;
  case 1:
    return m->seq + 1 + draw(m, 100);
  case 2:
    return draw(m, (uint32_t)m->seq + 1);
  default:
    return m->seq - draw(m, m->seq < 60 ? (uint32_t)m->seq + 1 : 60);
  }
}

/* Something of its rooms is not there any more, or nobody gave it that cursor. */
static bool reset_is_right(const model *m, const peer *p, uint64_t cursor) {
  if (cursor > m->seq) return true;
  bool right = fan_history_let_go(&m->hub->history, FAN_EVERYONE) > cursor;
  for (uint64_t room = 1; room <= ROOMS; room++)
    right |= p->in[room] && fan_history_let_go(&m->hub->history, room) > cursor;
  return right;
}

static void expect_replay(model *m, peer *p, uint64_t cursor) {
  p->replayed = true;
  m->replays++;
  for (uint64_t seq = cursor + 1; seq <= m->seq; seq++) {
    uint32_t number = m->kept[seq - 1];
    if (meant(p, m->said[number].target, true)) want_add(&p->wants, number, false);
  }
}

static void resume(model *m, peer *p) {
  bool gate = draw(m, 2), told = draw(m, 4) > 0;
  int want = !hears(p) ? FAN_ENOTFOUND : p->gated || catching_up(m, p) ? FAN_EINVALID : 0;
  uint64_t cursor = any_cursor(m), resets = fan_hub_stats(m->hub)->resets;
  /* A cursor in front of what it was given already: it gets that again. Only an exact run can tell which is which. */
  if (!m->exact && (p->wants.count || p->held.count)) return;
  fan_buf *frame = told ? say(m, NULL, 0, false) : NULL;
  model_starve(m);
  bool done = expected(fan_hub_resume(m->hub, p->id, cursor, frame, gate), want);
  bool reset = fan_hub_stats(m->hub)->resets != resets;
  fan_buf_unref(frame);
  if (!done) {
    CHECK(!reset);
    /* Without memory it may have been told before it ended. */
    if (told && mem_fail_happened()) want_add(&p->wants, m->said_count - 1, true);
  } else if (reset) {
    CHECK(reset_is_right(m, p, cursor));
    if (told) want_add(&p->wants, m->said_count - 1, true);
    p->gated = gate;
    p->reset_due = true;
    m->resets++;
  } else {
    CHECK(!reset_is_right(m, p, cursor));
    expect_replay(m, p, cursor);
  }
  model_feed(m);
}

static void op_resume(model *m) { resume(m, any(m)); }

/* As an application does it: all at once, and the sink later. */
static void op_return(model *m) {
  peer *p = any(m);
  if (p->state != NONE) return;
  connect(m, p);
  for (uint32_t rooms = draw(m, 5); rooms; rooms--) join(m, p);
  resume(m, p);
}

static void op_gate(model *m) {
  peer *p = any(m);
  int want = !hears(p) ? FAN_ENOTFOUND : catching_up(m, p) ? FAN_EINVALID : 0;
  model_starve(m);
  if (expected(fan_hub_gate(m->hub, p->id), want)) p->gated = true;
  model_feed(m);
}

static void op_ungate(model *m) {
  peer *p = any(m);
  want_move(&p->wants, &p->held);
  p->gated = false;
  model_starve(m);
  CHECK_EQ(fan_hub_ungate(m->hub, p->id), found(p));
  model_feed(m);
}

/* ---- ends ---- */

static void op_close(model *m) {
  peer *p = any(m);
  if (draw(m, 8)) return; /* seldom: lives should be long */
  CHECK_EQ(fan_hub_close_client(m->hub, p->id, FAN_SERVER), found(p));
  if (!known(p)) return;
  p->state = DRAINING;
  p->forgone += p->held.count;
  p->held.count = 0;
  p->gated = false;
}

static int any_error(model *m) {
  static const int errors[] = {FAN_EGONE, FAN_ETIMEOUT, FAN_EIO};
  return errors[draw(m, 3)];
}

static void op_end(model *m) {
  peer *p = any(m);
  bool quiet = draw(m, 2), broken = draw(m, 2);
  if (broken) CHECK_EQ(fan_hub_broken(m->hub, p->id, any_error(m)), found(p));
  else CHECK_EQ(fan_hub_kill_client(m->hub, p->id, FAN_SERVER, quiet), found(p));
  if (!known(p)) return;
  p->state = quiet && !broken ? DYING_QUIETLY : DYING;
  m->silent |= p->state == DYING_QUIETLY;
  p->reset_due = false; /* what it would be told does not matter any more */
}

static void op_writable(model *m) {
  peer *p = any(m);
  sink_script_room(&p->sink);
  CHECK_EQ(fan_hub_writable(m->hub, p->id), found(p));
  if (draw(m, 4) == 0) CHECK_EQ(fan_hub_progress(m->hub, p->id), found(p));
}

static void op_turn(model *m) {
  uint64_t ms = draw(m, 3) ? 0 : draw(m, 200);
  if (!m->random) /* the sinks' answers come from the bytes, too */
    for (uint32_t i = draw(m, 6); i; i--)
      sink_script_answer(&any(m)->sink, draw(m, 50) ? (int64_t)draw(m, 256) - 1 : any_error(m));
  uint32_t most = 1 + draw(m, PEERS);
  model_starve(m);
  model_turn(m, ms, most);
  model_feed(m);
  CHECK(fan_hub_held_bytes(m->hub) <= 1 << 20);
  (void)fan_hub_wait(m->hub, m->now_ms, draw(m, 5000));
}

void model_operate(model *m) {
  static void (*const ops[])(model *) = {
      op_connect, op_connect,  op_attach,   op_attach,   op_attach, op_join, op_join,    op_join,
      op_leave,   op_return,   op_return,   op_resume,   op_send,   op_send, op_publish, op_publish,
      op_publish, op_gate,     op_ungate,   op_ungate,   op_turn,   op_turn, op_turn,    op_turn,
      op_turn,    op_writable, op_writable, op_writable, op_close};
  if (draw(m, 250) == 0) op_end(m);
  else ops[draw(m, sizeof ops / sizeof *ops)](m);
}
