/*
 * Event-stream lines. An event's data is `<number> <nanoseconds> <padding>`, or `<room>:<number> <nanoseconds> <padding>`, and
 * may be a JSON string of this. Numbers count up by one, for each room apart: a larger step is a hole, any other disorder.
 */
#include "load.h"

#include <string.h>

#define NO_ROOM UINT32_MAX

void events_begin(stream *s, uint64_t first) {
  const endpoint *to = s->to;
  s->seen_count = to->rooms ? to->joined : 1;
  for (uint32_t k = 0; k < s->seen_count; k++) {
    uint64_t room =
        (s->index + (uint64_t)k * (to->rooms / to->joined)) % (to->rooms ? to->rooms : 1);
    s->seen[k].room = to->rooms ? (uint32_t)room : NO_ROOM;
    s->seen[k].last = first == ANY_NUMBER ? ANY_NUMBER : first - 1;
  }
}

static const char *read_number(const char *at, const char *end, uint64_t *out) {
  uint64_t value = 0;
  while (at < end && *at >= '0' && *at <= '9') value = value * 10 + (uint64_t)(*at++ - '0');
  *out = value;
  return at;
}

bool read_data(stream *s, const char *data, const char *end) {
  uint64_t first;
  if (data < end && *data == ' ') data++;
  if (data < end && *data == '"') data++;
  const char *at = read_number(data, end, &first);
  if (at == data) return false; /* a greeting, a heartbeat */
  s->room = NO_ROOM;
  s->number = first;
  if (at < end && *at == ':') {
    s->room = (uint32_t)first;
    at = read_number(at + 1, end, &s->number);
  }
  if (at < end && *at == ' ') at++;
  read_number(at, end, &s->sent);
  return s->number > 0;
}

static void check_order(stream *s) {
  for (uint32_t k = 0; k < s->seen_count; k++) {
    if (s->seen[k].room != s->room) continue;
    uint64_t last = s->seen[k].last;
    s->seen[k].last = s->number;
    if (last == ANY_NUMBER || s->number == last + 1) return;
    if (s->number > last) s->group->holes++;
    else s->group->disorder++;
    return;
  }
  s->group->strays++;
}

void count_event(stream *s, uint64_t now) {
  group *g = s->group;
  check_order(s);
  g->events++;
  g->last_seen = now;
  if (s->sent) {
    if (!g->first_sent || s->sent < g->first_sent) g->first_sent = s->sent;
    histogram_add(&g->latency, now > s->sent ? now - s->sent : 0);
  }
  if (++s->events == g->wanted) g->complete++;
}

static void dispatch(stream *s, uint64_t now) {
  if (s->new_id[0]) memcpy(s->last_id, s->new_id, sizeof s->last_id);
  s->new_id[0] = '\0';
  if (s->is_reset) s->group->resets++;
  else if (s->has_data) count_event(s, now);
  s->has_data = s->is_reset = false;
}

static void take_id(stream *s, const char *id, size_t size) {
  if (size && *id == ' ') {
    id++;
    size--;
  }
  if (size > ID_KEPT) size = ID_KEPT;
  memcpy(s->new_id, id, size);
  s->new_id[size] = '\0';
}

static void take_line(stream *s, const char *line, size_t size, uint64_t now) {
  static const char reset[] = "event: fanline:reset";
  if (size && line[size - 1] == '\r') size--;
  if (!size) dispatch(s, now);
  else if (size > 5 && memcmp(line, "data:", 5) == 0) {
    if (!s->has_data) s->has_data = read_data(s, line + 5, line + size);
  } else if (size > 3 && memcmp(line, "id:", 3) == 0) take_id(s, line + 3, size - 3);
  else if (size == sizeof reset - 1 && memcmp(line, reset, size) == 0) s->is_reset = true;
}

void events_take(stream *s, const char *bytes, size_t size, uint64_t now) {
  const char *end = bytes + size;
  while (bytes < end) {
    const char *line_end = memchr(bytes, '\n', (size_t)(end - bytes));
    if (!line_end) {
      keep(s, bytes, (size_t)(end - bytes));
      return;
    }
    size_t part = (size_t)(line_end - bytes);
    if (s->kept) {
      keep(s, bytes, part);
      take_line(s, s->line, s->kept, now);
      s->kept = 0;
    } else {
      take_line(s, bytes, part, now);
    }
    bytes = line_end + 1;
  }
}
