/*
 * socket.io by WebSocket, as its client speaks it: engine.io 4 (`0{…}` open, `2` ping, `3` pong) and in it socket.io 5
 * (`40` connect, `42[name, data]` event). Frames to the server are masked, frames from it are not.
 */
#include "load.h"

#include <stdlib.h>
#include <string.h>

enum { TEXT = 1, CLOSE = 8, PING = 9, PONG = 10 };

typedef struct websocket {
  uint8_t head[10], have;
  uint8_t opcode;
  bool last, in_payload;
  uint64_t left;
} websocket;

void socketio_begin(stream *s) {
  s->extra = calloc(1, sizeof(websocket));
  if (!s->extra) fatal("calloc");
  s->kept = 0;
}

void socketio_free(stream *s) {
  free(s->extra);
  s->extra = NULL;
}

static void say(stream *s, int opcode, const char *text) {
  static const uint8_t mask[4] = {0x9d, 0x31, 0xe7, 0x5a};
  uint8_t frame[6 + 32];
  size_t size = strlen(text);
  frame[0] = (uint8_t)(0x80 | opcode);
  frame[1] = (uint8_t)(0x80 | size);
  memcpy(frame + 2, mask, sizeof mask);
  for (size_t i = 0; i < size; i++) frame[6 + i] = (uint8_t)text[i] ^ mask[i % 4];
  stream_write(s, frame, 6 + size);
}

static void take_message(stream *s, const char *text, size_t size, uint64_t now) {
  const char *end = text + size, *data;
  if (size && *text == '0') say(s, TEXT, "40");
  else if (size == 1 && *text == '2') say(s, TEXT, "3");
  else if (size > 1 && memcmp(text, "40", 2) == 0) opened(s);
  else if (size > 2 && memcmp(text, "42[", 3) == 0) {
    data = memchr(text, ',', size);
    if (data && read_data(s, data + 1, end)) count_event(s, now);
  }
}

static size_t head_size(const websocket *w) {
  if (w->have < 2) return 2;
  unsigned size = w->head[1] & 127U;
  return size == 127 ? 10 : size == 126 ? 4 : 2;
}

static void begin_payload(websocket *w) {
  uint64_t size = w->head[1] & 127U;
  size_t from = 2;
  if (w->have > 2)
    for (size = 0; from < w->have; from++) size = size << 8 | w->head[from];
  if (w->head[0] & 15) w->opcode = w->head[0] & 15;
  w->last = w->head[0] & 128;
  w->left = size;
  w->in_payload = true;
  w->have = 0;
}

/* A frame is complete; false: it says that the connection ends. */
static bool end_payload(stream *s, websocket *w, uint64_t now) {
  w->in_payload = false;
  if (!w->last) return true;
  if (w->opcode == CLOSE) return false;
  if (w->opcode == PING) say(s, PONG, "");
  else if (w->opcode == TEXT) take_message(s, s->line, s->kept, now);
  s->kept = 0;
  return true;
}

bool socketio_take(stream *s, const char *bytes, size_t size, uint64_t now) {
  websocket *w = s->extra;
  for (size_t at = 0; at < size;) {
    if (!w->in_payload) {
      w->head[w->have++] = (uint8_t)bytes[at++];
      if (w->have < head_size(w)) continue;
      begin_payload(w);
    } else {
      size_t part = w->left < size - at ? (size_t)w->left : size - at;
      keep(s, bytes + at, part);
      at += part;
      w->left -= part;
    }
    if (!w->left && !end_payload(s, w, now)) return false;
  }
  return true;
}
