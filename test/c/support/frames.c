#include "frames.h"

#include <stdlib.h>
#include <string.h>

fan_slice slice_of_text(const char *text) { return (fan_slice){text, text ? strlen(text) : 0}; }

static fan_buf *event_of(fan_slice key, const void *data, size_t size) {
  fan_fields fields = {.retry_ms = FAN_NO_RETRY, .key = key};
  fan_buf *frame = fan_frame_begin(&fields, size);
  if (!frame) abort();
  if (size) memcpy(fan_frame_data(frame), data, size);
  frame = fan_frame_seal(frame, size);
  if (!frame) abort();
  return frame;
}

fan_buf *frame_event(const char *data) { return frame_keyed(NULL, data); }

fan_buf *frame_keyed(const char *key, const char *data) {
  return event_of(slice_of_text(key), data, strlen(data));
}

fan_buf *frame_sized(size_t size, unsigned seed) {
  size_t data = size - strlen("data: \n\n");
  char *text = malloc(data + 1);
  if (!text) abort();
  for (size_t i = 0; i < data; i++) text[i] = (char)('!' + (i * 7 + seed * 13) % 90);
  fan_buf *frame = event_of((fan_slice){NULL, 0}, text, data);
  free(text);
  return frame;
}

fan_buf *frame_heartbeat(bool event) {
  fan_slice text = slice_of_text(event ? "event: beat\ndata: \n\n" : ":\n");
  fan_buf *frame = fan_frame_text(text, FAN_BUF_HEARTBEAT);
  if (!frame) abort();
  return frame;
}

/* Where `text` is in the bytes, or NULL. */
static const char *find(const char *bytes, size_t size, const char *text) {
  size_t length = strlen(text);
  for (; size >= length; bytes++, size--)
    if (memcmp(bytes, text, length) == 0) return bytes;
  return NULL;
}

const char *frames_say(const fan_slice *slices, int count) {
  static char text[1024];
  size_t size = 0;
  for (int i = 0; i < count; i++) {
    const char *from = slices[i].data, *end = from + slices[i].size;
    const char *data = find(from, slices[i].size, "data: ");
    const char *tail = data ? find(data, (size_t)(end - data), "\n\n") : NULL;
    if (tail) from = data + strlen("data: "), end = tail;
    if ((size_t)(end - from) >= sizeof text - size) abort();
    memcpy(text + size, from, (size_t)(end - from));
    size += (size_t)(end - from);
  }
  text[size] = 0;
  return text;
}
