/* What a client must have got. In an exact run that is each byte of what was sent to it, in the order of the calls. In the others
 * frames are found by the number in their text. */
#include <string.h>

#include "check.h"
#include "model_private.h"

#define NOWHERE UINT32_MAX

void want_add(wants *list, uint32_t number, bool live) {
  if (list->count == list->capacity) {
    list->capacity = list->capacity ? list->capacity * 2 : 16;
    list->items = realloc(list->items, list->capacity * sizeof *list->items);
    if (!list->items) abort();
  }
  list->items[list->count++] = (wanted){number, live};
}

void want_move(wants *to, wants *from) {
  for (uint32_t i = 0; i < from->count; i++)
    want_add(to, from->items[i].number, from->items[i].live);
  from->count = 0;
}

/* What the sink takes for a frame: its body, or that as a chunk. Answers the size. */
static size_t encoded(const model *m, const peer *p, uint32_t number, char *to) {
  uint32_t size = m->said[number].size;
  if (p->sink.sink.raw) {
    body_of(m, number, to);
    return size;
  }
  size_t at = (size_t)snprintf(to, 10, "%x\r\n", size);
  body_of(m, number, to + at);
  memcpy(to + at + size, "\r\n", 2);
  return at + size + 2;
}

/* The number that a text tells; NOWHERE: there is none, or its end is not there. */
static uint32_t number_at(const peer *p, size_t from) {
  const char *bytes = (const char *)p->sink.bytes;
  uint32_t number = 0;
  while (from < p->sink.size && bytes[from] != ':') from++;
  for (from += 2; from < p->sink.size; from++) {
    if (bytes[from] == '.') return number;
    number = number * 10 + (uint32_t)(bytes[from] - '0');
  }
  return NOWHERE;
}

typedef struct reading {
  size_t from;
  uint32_t count;   /* complete frames */
  bool cut;         /* a part of a frame was the last */
  bool last;        /* nothing more will come: what it has got counts for those who asked */
  uint32_t first;   /* the place of the first */
  uint32_t unkeyed; /* the place of the last one without a key; NOWHERE: none yet */
  uint32_t unkeyed_count;
  uint32_t keyed[KEYS + 1]; /* the same by key */
} reading;

/* Where it stands among what the peer must get; NOWHERE: it is not for this peer. */
static uint32_t place_of(const model *m, const peer *p, const reading *r, uint32_t number) {
  if (m->exact) return r->count;
  if (number >= m->said_count) return NOWHERE;
  uint32_t at = m->said[number].at;
  return at < p->wants.count && p->wants.items[at].number == number ? at : NOWHERE;
}

/* Frames keep their order, and those with one key, too: a later one may stand in the place of an earlier one. */
static bool in_order(const model *m, const peer *p, reading *r, uint32_t at) {
  uint8_t key = m->said[p->wants.items[at].number].key;
  uint32_t *last = key ? &r->keyed[key] : &r->unkeyed;
  if (!m->exact && !CHECK(*last == NOWHERE || *last < at)) return false;
  *last = at;
  r->unkeyed_count += !key;
  return true;
}

/* Reads one frame, or the part of it that is there. False: that was the last. */
static bool read_frame(model *m, const peer *p, reading *r) {
  char want[2100];
  size_t left = p->sink.size - r->from;
  if (!left) return false;
  uint32_t at = place_of(m, p, r, number_at(p, r->from));
  if (at == NOWHERE && left < 20) { /* too little to tell whose it is */
    r->cut = true;
    return false;
  }
  if (!CHECK(at < p->wants.count)) return false;
  const wanted *w = &p->wants.items[at];
  size_t size = encoded(m, p, w->number, want);
  r->cut = left < size;
  if (!CHECK_BYTES(p->sink.bytes + r->from, r->cut ? left : size, want, r->cut ? left : size))
    return false;
  if (!in_order(m, p, r, at) || r->cut) return false;
  if (!r->count++) r->first = at;
  r->from += size;
  if (r->last && w->live) m->said[w->number].written++;
  return true;
}

/* Which frames the policy may not have lost. */
static void check_complete(const model *m, const peer *p, const reading *r, bool whole) {
  uint32_t unkeyed = 0, newest[KEYS + 1], count = p->wants.count;
  enum fan_overflow overflow = m->limits.overflow;
  memset(newest, 0xff, sizeof newest);
  for (uint32_t i = 0; i < count; i++) {
    uint8_t key = m->said[p->wants.items[i].number].key;
    if (key) newest[key] = i;
    else unkeyed += whole || (r->unkeyed != NOWHERE && i <= r->unkeyed);
  }
  /* What has no key comes without a gap, up to where the stream ends. */
  if (overflow == FAN_OVERFLOW_DISCONNECT) CHECK_EQ(r->unkeyed_count, unkeyed);
  if (!whole || !count) return;
  for (int key = 1; key <= KEYS && overflow == FAN_OVERFLOW_DISCONNECT; key++)
    CHECK_EQ(r->keyed[key], newest[key]);
  if (m->keyed) return;
  if (overflow == FAN_OVERFLOW_DROP_OLDEST) CHECK_EQ(r->unkeyed, count - 1);
  if (overflow == FAN_OVERFLOW_DROP_NEWEST) CHECK_EQ(r->first, 0);
}

static uint32_t read_stream(model *m, const peer *p, bool whole, bool last) {
  reading r = {.unkeyed = NOWHERE, .first = NOWHERE, .last = last};
  memset(r.keyed, 0xff, sizeof r.keyed);
  for (uint32_t i = 0; i < p->wants.count; i++) m->said[p->wants.items[i].number].at = i;
  while (read_frame(m, p, &r)) continue;
  if (whole) CHECK(!r.cut);
  if (whole && m->exact) CHECK_EQ(r.count, p->wants.count);
  if (!m->exact) check_complete(m, p, &r, whole);
  return r.count;
}

uint32_t check_stream(model *m, const peer *p, bool whole) {
  return read_stream(m, p, whole, false);
}

void peer_ended(model *m, peer *p, bool whole, uint64_t dropped) {
  uint32_t got = read_stream(m, p, whole, true);
  uint64_t given = p->wants.count + p->held.count + p->forgone;
  if (p->state != DYING_QUIETLY) {
    if (whole || !(p->replayed || m->starved)) CHECK_EQ(got + p->shed + dropped, given);
    else CHECK(got + p->shed + dropped <= given);
  }
  if (m->exact) CHECK_EQ(p->shed, 0);
  sink_script_deinit(&p->sink, p->attached ? 1 : 0);
  peer_free(p);
}

void peer_free(peer *p) {
  free(p->wants.items);
  free(p->held.items);
  free(p->sink.bytes);
  *p = (peer){.state = NONE};
}
