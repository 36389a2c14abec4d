#include "sse_parse.h"

#include <stdlib.h>
#include <string.h>

static void append(sse_text *text, const char *bytes, size_t size) {
  text->bytes = realloc(text->bytes, text->size + size + 1);
  if (!text->bytes) abort();
  if (size) memcpy(text->bytes + text->size, bytes, size);
  text->size += size;
}

static void assign(sse_text *text, const char *bytes, size_t size) {
  text->size = 0;
  append(text, bytes, size);
}

static bool is(const char *name, size_t size, const char *wanted) {
  return size == strlen(wanted) && memcmp(name, wanted, size) == 0;
}

static void dispatch(sse_stream *stream, sse_event *open) {
  if (open->data.size) {
    open->data.size--; /* the last LF */
    stream->events = realloc(stream->events, (stream->count + 1) * sizeof *stream->events);
    if (!stream->events) abort();
    sse_event *event = &stream->events[stream->count++];
    *event = (sse_event){.type = open->type, .data = open->data};
    assign(&event->last_id, open->last_id.bytes, open->last_id.size);
  } else {
    free(open->type.bytes);
    free(open->data.bytes);
  }
  open->type = open->data = (sse_text){NULL, 0};
}

static void on_retry(sse_stream *stream, const char *value, size_t size) {
  int64_t number = 0;
  for (size_t i = 0; i < size; i++) {
    if (value[i] < '0' || value[i] > '9') return;
    number = number * 10 + (value[i] - '0');
  }
  stream->retry_ms = number;
}

static void on_line(sse_stream *stream, sse_event *open, const char *line, size_t size) {
  if (!size) {
    dispatch(stream, open);
    return;
  }
  const char *colon = memchr(line, ':', size);
  size_t name = colon ? (size_t)(colon - line) : size;
  const char *value = colon ? colon + 1 : line + size;
  size_t left = size - (size_t)(value - line);
  if (!name) {
    stream->comments++;
    return;
  }
  if (left && *value == ' ') value++, left--;
  if (is(line, name, "event")) assign(&open->type, value, left);
  else if (is(line, name, "data")) append(&open->data, value, left), append(&open->data, "\n", 1);
  else if (is(line, name, "retry")) on_retry(stream, value, left);
  else if (is(line, name, "id") && !(left && memchr(value, 0, left)))
    assign(&open->last_id, value, left);
}

void sse_parse(sse_stream *stream, const void *bytes, size_t size) {
  const char *text = bytes;
  sse_event open = {0};
  size_t from = 0;
  *stream = (sse_stream){.retry_ms = -1};
  for (size_t i = 0; i < size; i++) {
    if (text[i] != '\n' && text[i] != '\r') continue;
    on_line(stream, &open, text + from, i - from);
    if (text[i] == '\r' && i + 1 < size && text[i + 1] == '\n') i++;
    from = i + 1;
  }
  stream->in_order = from == size;
  free(open.type.bytes);
  free(open.data.bytes);
  free(open.last_id.bytes);
}

void sse_free(sse_stream *stream) {
  for (size_t i = 0; i < stream->count; i++) {
    free(stream->events[i].type.bytes);
    free(stream->events[i].data.bytes);
    free(stream->events[i].last_id.bytes);
  }
  free(stream->events);
}

static int hex_digit(unsigned char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

size_t sse_dechunk(unsigned char *bytes, size_t size, bool *complete) {
  size_t at = 0, out = 0;
  *complete = true;
  while (at < size) {
    size_t chunk = 0, digits = 0;
    for (; at < size && hex_digit(bytes[at]) >= 0; at++, digits++)
      chunk = chunk * 16 + (size_t)hex_digit(bytes[at]);
    *complete = false;
    if (at == size || (at + 1 == size && bytes[at] == '\r')) return out;
    if (!digits || !chunk || bytes[at] != '\r' || bytes[at + 1] != '\n') return SIZE_MAX;
    at += 2;
    size_t here = chunk < size - at ? chunk : size - at;
    memmove(bytes + out, bytes + at, here);
    out += here;
    at += here;
    if (at < size && bytes[at] != '\r') return SIZE_MAX;
    if (at + 1 < size && bytes[at + 1] != '\n') return SIZE_MAX;
    if (here < chunk || size - at < 2) return out;
    at += 2;
    *complete = true;
  }
  return out;
}
