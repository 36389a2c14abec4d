/* The frames of a run: each has a number, which its text tells; those that are kept have a target. */
#include <string.h>

#include "check.h"
#include "core/frame.h"
#include "core/mem.h"
#include "frames.h"
#include "model_private.h"

#define FIELD "data: "
#define LEAST 20 /* bytes of a body: the field's name, a number, two line breaks */

static void *grow(void *items, uint64_t count, uint64_t *capacity, size_t size) {
  if (count < *capacity) return items;
  *capacity = *capacity ? *capacity * 2 : 64;
  items = realloc(items, *capacity * size);
  if (!items) abort();
  return items;
}

void body_of(const model *m, uint32_t number, char *to) {
  uint32_t size = m->said[number].size;
  uint32_t at = (uint32_t)snprintf(to, LEAST, FIELD "%u.", number);
  for (; at < size - 2; at++) to[at] = (char)('!' + (at * 7 + number * 13) % 90);
  memcpy(to + size - 2, "\n\n", 2);
}

static fan_buf *encode(const model *m, uint32_t number) {
  const said *s = &m->said[number];
  char key = (char)('a' + s->key), body[2048];
  fan_fields fields = {.retry_ms = FAN_NO_RETRY};
  if (s->key) fields.key = (fan_slice){&key, 1};
  size_t data = s->size - strlen(FIELD) - 2;
  body_of(m, number, body);
  fan_buf *frame = fan_frame_begin(&fields, data);
  if (!frame) abort();
  memcpy(fan_frame_data(frame), body + strlen(FIELD), data);
  frame = fan_frame_seal(frame, data);
  if (!frame) abort();
  frame->seq = s->seq;
  return frame;
}

static fan_target *copy_of(const fan_target *target) {
  size_t keys = target->rooms + target->clients + target->except_rooms + target->except_clients;
  fan_target *copy = fan_target_new(keys);
  if (!copy) abort();
  memcpy(copy, target, sizeof *target + keys * sizeof *target->keys);
  return copy;
}

static void file(model *m, const fan_target *target, uint32_t number) {
  if (target->everyone) want_add(&m->filed[FAN_EVERYONE], number, false);
  for (uint32_t i = 0; i < target->rooms && !target->everyone; i++) {
    wants *filed = &m->filed[target->keys[i]];
    if (!filed->count || filed->items[filed->count - 1].number != number)
      want_add(filed, number, false);
  }
}

fan_buf *say(model *m, const fan_target *target, uint8_t key, bool tracked) {
  uint64_t capacity = m->said_capacity;
  uint32_t number = m->said_count;
  m->said = grow(m->said, number, &capacity, sizeof *m->said);
  m->said_capacity = (uint32_t)capacity;
  said *s = &m->said[m->said_count++];
  *s = (said){.size = LEAST + draw(m, 120), .key = key, .tracked = tracked};
  if (draw(m, 8) == 0) s->size += draw(m, 250) * 5;
  if (target) {
    m->kept = grow(m->kept, m->seq, &m->kept_capacity, sizeof *m->kept);
    m->kept[m->seq] = number;
    s->seq = ++m->seq;
    s->target = copy_of(target);
    file(m, target, number);
  }
  fan_buf *frame = encode(m, number);
  if (tracked && fan_ticket_attach(frame, number) != 0) abort();
  m->tickets += tracked;
  if (draw(m, 4) == 0) {
    fan_buf **other = &m->others[draw(m, OTHERS)];
    fan_buf_unref(*other);
    *other = fan_buf_ref(frame);
  }
  return frame;
}

/* ---- who is meant ---- */

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

bool meant(const peer *p, const fan_target *t, bool by_rooms) {
  if (in_any(p, fan_target_except_rooms(t), t->except_rooms)) return false;
  if (is_any(p, fan_target_except_clients(t), t->except_clients)) return false;
  if (t->everyone || in_any(p, fan_target_rooms(t), t->rooms)) return true;
  return !by_rooms && is_any(p, fan_target_clients(t), t->clients);
}

/* ---- what the history must have ---- */

/* A ring has all that was kept for its room and not let go of. */
static void check_ring(const model *m, uint64_t room) {
  const fan_ring *ring = fan_history_ring(&m->hub->history, room);
  uint64_t let_go = fan_history_let_go(&m->hub->history, room);
  uint32_t left = ring ? ring->count : 0;
  CHECK(let_go <= m->seq);
  for (uint32_t i = m->filed[room].count; i-- > 0;) {
    uint64_t seq = m->said[m->filed[room].items[i].number].seq;
    if (seq <= let_go) break;
    if (!CHECK(left > 0)) return;
    CHECK_EQ(fan_ring_at(ring, --left)->frame->seq, seq);
  }
  CHECK_EQ(left, 0);
}

void check_history(model *m) {
  CHECK_EQ(m->hub->history.latest, m->seq);
  CHECK_EQ(m->hub->clients.latest, m->seq);
  for (uint64_t room = FAN_EVERYONE; room <= ROOMS; room++) check_ring(m, room);
}
