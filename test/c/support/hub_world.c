#include "hub_world.h"

#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "core/err.h"
#include "core/mem.h"
#include "core/ticket.h"
#include "frames.h"
#include "sse_parse.h"

void hub_init(hub_world *w, const fan_limits *limits) { hub_init_history(w, limits, 0); }

void hub_init_history(hub_world *w, const fan_limits *limits, uint32_t events) {
  static const fan_limits generous = {.queue_bytes = 1 << 20, .total_bytes = 64 << 20};
  fan_history_limits history = {.events = events, .bytes = 16 << 20, .age_ms = 60000};
  *w = (hub_world){.now_ms = 1000};
  w->hub = fan_hub_new(limits ? limits : &generous, events ? &history : NULL, w->now_ms);
  for (int i = 0; i < HUB_CLIENTS; i++) sink_script_init(&w->sinks[i], i & 1);
}

void hub_deinit(hub_world *w) {
  fan_hub_free(w->hub);
  for (int i = 0; i < HUB_CLIENTS; i++) sink_script_deinit(&w->sinks[i], w->attached[i] ? 1 : 0);
}

void hub_connect(hub_world *w, uint64_t id) {
  CHECK_EQ(fan_hub_connect(w->hub, id, &(fan_client_config){0}), 0);
}

void hub_attach(hub_world *w, uint64_t id) {
  if (CHECK_EQ(fan_hub_attach(w->hub, id, &w->sinks[id].sink), 0)) w->attached[id] = true;
}

void hub_open(hub_world *w, uint64_t first, uint64_t last) {
  for (uint64_t id = first; id <= last; id++) {
    hub_connect(w, id);
    hub_attach(w, id);
  }
}

void hub_block(hub_world *w, uint64_t id) { sink_script_answer(&w->sinks[id], FAN_EAGAIN); }

void hub_unblock(hub_world *w, uint64_t id) {
  sink_script_room(&w->sinks[id]);
  CHECK_EQ(fan_hub_writable(w->hub, id), 0);
}

void hub_join(hub_world *w, uint64_t room, uint64_t first, uint64_t last) {
  for (uint64_t id = first; id <= last; id++) CHECK_EQ(fan_hub_join(w->hub, id, room), 0);
}

/* The numbers behind `prefix` in the text, put at `keys`; answers how many. */
static uint32_t keys_of(const char *text, const char *prefix, uint64_t *keys) {
  uint32_t count = 0;
  size_t size = strlen(prefix);
  for (const char *at = text; (at = strstr(at, prefix)); at += size)
    if ((at == text || at[-1] == ' ') && at[size] >= '0' && at[size] <= '9')
      keys[count++] = strtoull(at + size, NULL, 10);
  return count;
}

fan_target *target_of(const char *text) {
  fan_target *target = fan_target_new(strlen(text));
  uint64_t *keys = target->keys;
  target->everyone = *text == '*';
  keys += target->rooms = keys_of(text, "r", keys);
  keys += target->clients = keys_of(text, "c", keys);
  keys += target->except_rooms = keys_of(text, "-r", keys);
  target->except_clients = keys_of(text, "-c", keys);
  return target;
}

uint32_t hub_publish_as(hub_world *w, const char *text, const char *data, hub_special special) {
  fan_target *target = target_of(text);
  fan_buf *frame = special.key ? frame_keyed(special.key, data) : frame_event(data);
  if (special.kept) frame->seq = ++w->seq;
  if (special.ticket && fan_ticket_attach(frame, special.ticket) != 0) abort();
  uint32_t given = fan_hub_publish(w->hub, target, frame);
  fan_buf_unref(frame);
  fan_free(target);
  return given;
}

uint32_t hub_publish(hub_world *w, const char *text, const char *data) {
  return hub_publish_as(w, text, data, (hub_special){0});
}

void hub_publish_each(hub_world *w, const char *text, const char *letters, hub_special special) {
  for (; *letters; letters++) hub_publish_as(w, text, (char[2]){*letters, 0}, special);
}

int hub_resume(hub_world *w, uint64_t id, uint64_t cursor, enum fan_otherwise otherwise) {
  fan_buf *frame = frame_event("R");
  int error = fan_hub_resume(w->hub, id, cursor, frame, otherwise);
  fan_buf_unref(frame);
  return error;
}

void hub_send(hub_world *w, uint64_t id, const char *data) {
  fan_buf *frame = frame_event(data);
  CHECK_EQ(fan_hub_send(w->hub, id, frame), 0);
  fan_buf_unref(frame);
}

void hub_send_sized(hub_world *w, uint64_t id, size_t size, unsigned count) {
  for (unsigned i = 0; i < count; i++) {
    fan_buf *frame = frame_sized(size, i);
    CHECK_EQ(fan_hub_send(w->hub, id, frame), 0);
    fan_buf_unref(frame);
  }
}

void hub_settle(hub_world *w) {
  for (int i = 0; fan_hub_turn(w->hub, w->now_ms, 1000); i++)
    if (!CHECK(i < 10000)) return;
}

void hub_pass(hub_world *w, uint64_t ms) {
  uint64_t until = w->now_ms + ms;
  while (w->now_ms < until) {
    uint64_t due = fan_hub_due_ms(w->hub);
    if (due <= w->now_ms) due = w->now_ms + 1;
    w->now_ms = due < until ? due : until;
    hub_settle(w);
  }
}

fan_notice hub_notice(hub_world *w, enum fan_notice_kind kind) {
  fan_notice notice = {0};
  CHECK(fan_hub_next_notice(w->hub, &notice));
  CHECK_EQ(notice.kind, kind);
  return notice;
}

unsigned hub_drop_notices(hub_world *w) {
  unsigned count = 0;
  for (fan_notice notice; fan_hub_next_notice(w->hub, &notice); count++) continue;
  return count;
}

const char *hub_received(hub_world *w, uint64_t id) {
  static char text[1000];
  sink_script *sink = &w->sinks[id];
  unsigned char *bytes = malloc(sink->size + 1);
  if (!bytes) abort();
  if (sink->size) memcpy(bytes, sink->bytes, sink->size);
  size_t size = sink->size, at = 0;
  bool complete = true;
  if (!sink->sink.raw) size = sse_dechunk(bytes, size, &complete);
  if (!CHECK(size != SIZE_MAX)) size = 0;
  sse_stream stream;
  sse_parse(&stream, bytes, size);
  for (size_t i = 0; i < stream.count; i++) {
    const sse_text *data = &stream.events[i].data;
    if (at + data->size < sizeof text) memcpy(text + at, data->bytes, data->size), at += data->size;
  }
  text[at] = 0;
  sse_free(&stream);
  free(bytes);
  return text;
}
