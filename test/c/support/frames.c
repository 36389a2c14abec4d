#include "frames.h"

#include <stdlib.h>
#include <string.h>

fan_slice slice_of_text(const char *text) { return (fan_slice){text, text ? strlen(text) : 0}; }

static fan_buf *event_of(const void *data, size_t size) {
  fan_fields fields = {.retry_ms = FAN_NO_RETRY};
  fan_buf *frame = fan_frame_begin(&fields, size);
  if (!frame) abort();
  if (size) memcpy(fan_frame_data(frame), data, size);
  frame = fan_frame_seal(frame, size);
  if (!frame) abort();
  return frame;
}

fan_buf *frame_event(const char *data) { return event_of(data, strlen(data)); }

fan_buf *frame_sized(size_t size, unsigned seed) {
  size_t data = size - strlen("data: \n\n");
  char *text = malloc(data + 1);
  if (!text) abort();
  for (size_t i = 0; i < data; i++) text[i] = (char)('!' + (i * 7 + seed * 13) % 90);
  fan_buf *frame = event_of(text, data);
  free(text);
  return frame;
}

fan_buf *frame_heartbeat(bool event) {
  fan_slice text = slice_of_text(event ? "event: beat\ndata: \n\n" : ":\n");
  fan_buf *frame = fan_frame_text(text, FAN_BUF_HEARTBEAT);
  if (!frame) abort();
  return frame;
}
