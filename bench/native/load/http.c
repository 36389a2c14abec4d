/* The response: its head, then a body that is chunked, has a length, or lasts until the end of the connection. */
#define _GNU_SOURCE
#include "load.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

void http_begin(stream *s) {
  s->http = HTTP_HEAD;
  s->status = 0;
  s->kept = 0;
  s->chunked = s->sized = false;
  s->left = 0;
}

void keep(stream *s, const char *bytes, size_t size) {
  size_t part = size < LINE_KEPT - s->kept ? size : LINE_KEPT - s->kept;
  memcpy(s->line + s->kept, bytes, part);
  s->kept += (uint32_t)part;
}

static void take_header(stream *s) {
  static const char coding[] = "transfer-encoding:", length[] = "content-length:";
  if (!s->status) {
    s->status = s->kept > 12 ? atoi(s->line + 9) : -1;
  } else if (strncasecmp(s->line, coding, sizeof coding - 1) == 0) {
    s->chunked = strcasestr(s->line, "chunked") != NULL;
  } else if (strncasecmp(s->line, length, sizeof length - 1) == 0) {
    s->sized = true;
    s->left = strtoull(s->line + sizeof length - 1, NULL, 10);
  }
}

/* What is left of `size` bytes after the head, or `size` while it lasts. */
static size_t take_head(stream *s, const char *bytes, size_t size, bool *whole) {
  size_t at = 0;
  while (at < size) {
    const char *end = memchr(bytes + at, '\n', size - at);
    keep(s, bytes + at, end ? (size_t)(end - bytes) - at : size - at);
    if (!end) return size;
    at = (size_t)(end - bytes) + 1;
    if (s->kept && s->line[s->kept - 1] == '\r') s->kept--;
    s->line[s->kept] = '\0';
    if (!s->kept) {
      *whole = true;
      return at;
    }
    take_header(s);
    s->kept = 0;
  }
  return at;
}

/* One byte of a chunk's size line; false: it was the last one's. */
static bool take_size(stream *s, char c) {
  if (c >= '0' && c <= '9') s->left = s->left * 16 + (uint64_t)(c - '0');
  else if ((c | 32) >= 'a' && (c | 32) <= 'f')
    s->left = s->left * 16 + (uint64_t)((c | 32) - 'a' + 10);
  else if (c == '\n') {
    if (!s->left) return false;
    s->http = HTTP_CHUNK;
  }
  return true;
}

static void take_payload(stream *s, const char *bytes, size_t size, uint64_t now) {
  if (!is_ping(s)) events_take(s, bytes, size, now);
}

static bool take_chunked(stream *s, const char *bytes, size_t size, uint64_t now) {
  for (size_t at = 0; at < size;) {
    if (s->http == HTTP_SIZE) {
      if (!take_size(s, bytes[at++])) return false;
    } else if (s->http == HTTP_CHUNK) {
      size_t part = s->left < size - at ? (size_t)s->left : size - at;
      take_payload(s, bytes + at, part, now);
      at += part;
      s->left -= part;
      if (!s->left) s->http = HTTP_CHUNK_END;
    } else if (bytes[at++] == '\n') {
      s->http = HTTP_SIZE;
    }
  }
  return true;
}

static bool take_identity(stream *s, const char *bytes, size_t size, uint64_t now) {
  if (s->sized && size > s->left) size = (size_t)s->left;
  take_payload(s, bytes, size, now);
  if (!s->sized) return true;
  s->left -= size;
  return s->left > 0;
}

bool http_take(stream *s, const char *bytes, size_t size, uint64_t now) {
  size_t at = 0;
  if (s->http == HTTP_HEAD) {
    bool whole = false;
    at = take_head(s, bytes, size, &whole);
    if (!whole) return true;
    s->http = s->chunked ? HTTP_SIZE : HTTP_IDENTITY;
    if (s->chunked) s->left = 0;
    s->phase = OPEN;
    if (s->to->websocket) {
      if (s->status != 101) return false;
      socketio_begin(s);
    } else if (!is_ping(s)) {
      if (s->status != 200) return false;
      opened(s);
    }
  }
  if (s->to->websocket) return socketio_take(s, bytes + at, size - at, now);
  if (s->http == HTTP_IDENTITY) return take_identity(s, bytes + at, size - at, now);
  return take_chunked(s, bytes + at, size - at, now);
}
