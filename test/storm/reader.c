#define _GNU_SOURCE
#include "reader.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHOWN 20
#define FENCE "fanline:end:"

unsigned violations;

void violation(const reader *r, const char *format, ...) {
  va_list list;
  if (violations++ >= SHOWN) return;
  fprintf(stderr, "client %u: ", r->token);
  va_start(list, format);
  vfprintf(stderr, format, list);
  va_end(list);
  fputc('\n', stderr);
}

/* ---- events ---- */

/* "length filler" to the end of the data: the filler is one letter, told by the number, `length` times. */
static void judge_filler(reader *r, const char *text, uint64_t number) {
  char *end;
  uint64_t size = strtoull(text, &end, 10);
  char letter = (char)('a' + number % 26);
  bool right = end > text && *end == ' ' && strlen(end + 1) == size;
  for (uint64_t i = 0; right && i < size; i++) right = end[1 + i] == letter;
  if (!right) violation(r, "filler of %" PRIu64 ": %.60s", number, text);
}

static void judge_room(reader *r) {
  char room;
  uint64_t number;
  int used = 0;
  if (sscanf(r->data, "R %c %" SCNu64 " %n", &room, &number, &used) != 2 || !used) {
    violation(r, "not an event of a room: %.60s", r->data);
    return;
  }
  unsigned index = (unsigned)(room - 'a');
  if (index >= ROOMS || !(r->rooms & 1u << index)) {
    violation(r, "event of a room that it is not in: %.60s", r->data);
    return;
  }
  if (number != r->next[index])
    violation(r, "room %c: %" PRIu64 " after %" PRIu64, room, number, r->next[index] - 1);
  r->next[index] = number + 1;
  judge_filler(r, r->data + used, number);
}

/* The server's next numbers: nothing may be missing of a room that this client is in. */
static void judge_complete(const reader *r, const uint64_t next[ROOMS]) {
  for (unsigned room = 0; room < ROOMS; room++)
    if (r->rooms & 1u << room && r->next[room] != next[room])
      violation(r, "room %c: has up to %" PRIu64 " of %" PRIu64, 'a' + room, r->next[room] - 1,
                next[room] - 1);
}

static void judge_private(reader *r) {
  char kind;
  uint32_t token, rooms = 0;
  uint64_t number, next[ROOMS];
  int used = 0;
  if (sscanf(r->data, "%c %" SCNu32 " %" SCNu64 " %n", &kind, &token, &number, &used) != 3 ||
      !used || token != r->token) {
    violation(r, "not for it: %.60s", r->data);
    return;
  }
  if (number != r->privates + 1)
    violation(r, "private event %" PRIu64 " after %" PRIu64, number, r->privates);
  r->privates = number;
  const char *rest = r->data + used;
  if (kind == 'P') {
    judge_filler(r, rest, number);
  } else if (kind == 'M' &&
             sscanf(rest, "%" SCNu32 " %" SCNu64 " %" SCNu64, &rooms, &next[0], &next[1]) == 3) {
    judge_complete(r, next);
    r->rooms = rooms;
    memcpy(r->next, next, sizeof next);
  } else if (kind == 'B' && sscanf(rest, "%" SCNu64 " %" SCNu64, &next[0], &next[1]) == 2) {
    judge_complete(r, next);
    r->said_bye = true;
  } else {
    violation(r, "unknown event: %.60s", r->data);
  }
}

static void judge_event(reader *r) {
  if (!r->has_data) violation(r, "a block without data");
  if (r->said_bye) violation(r, "an event after the last: %.60s", r->data);
  r->events++;
  bool fenced = r->has_fence;
  if (strcmp(r->data, "fanline:end") == 0) r->said_bye = true;
  else if (*r->data == 'R') judge_room(r);
  else judge_private(r);
  if (fenced && !r->said_bye) violation(r, "a fence on an event that is not the last");
  r->has_data = r->has_event = r->has_fence = false;
  r->data_size = 0;
  *r->data = '\0';
}

/* ---- lines ---- */

static void take_data(reader *r, const char *text, size_t size) {
  if (r->has_data || size > LINE_SIZE) violation(r, "more data than was sent: %.60s", text);
  if (size > LINE_SIZE) return;
  memcpy(r->data, text, size);
  r->data[size] = '\0';
  r->data_size = (uint32_t)size;
  r->has_data = true;
}

/* Of the hub: `<epoch>-<number>`, on its own when the stream begins, then on each event that is kept. */
static void take_id(reader *r, const char *id) {
  char *end = NULL;
  size_t epoch = strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789");
  uint64_t number = epoch == EPOCH_LENGTH && id[epoch] == '-' && id[epoch + 1]
                        ? strtoull(id + epoch + 1, &end, 10)
                        : 0;
  if (!end || *end) {
    violation(r, "not an id: %.60s", id);
    return;
  }
  if (*r->epoch && strncmp(r->epoch, id, EPOCH_LENGTH) != 0)
    violation(r, "an id of another epoch: %.60s", id);
  if (*r->epoch && number <= r->last_id)
    violation(r, "id %" PRIu64 " after %" PRIu64, number, r->last_id);
  memcpy(r->epoch, id, EPOCH_LENGTH);
  r->last_id = number;
  r->ids++;
}

static void take_line(reader *r) {
  const char *line = r->line;
  r->line[r->kept] = '\0';
  size_t size = r->kept;
  r->kept = 0;
  if (strlen(line) != size || strchr(line, '\r')) violation(r, "CR or NUL: %.60s", line);
  if (size == 0) judge_event(r);
  else if (strncmp(line, "data: ", 6) == 0) take_data(r, line + 6, size - 6);
  else if (strncmp(line, "event: ", 7) == 0) r->has_event = true;
  else if (strncmp(line, "id: " FENCE, 4 + strlen(FENCE)) == 0) r->has_fence = true;
  else if (strncmp(line, "id: ", 4) == 0) take_id(r, line + 4);
  else if (strncmp(line, "retry: ", 7) != 0 && *line != ':')
    violation(r, "neither field nor comment: %.60s", line);
}

static void feed_body(reader *r, const char *bytes, size_t size) {
  while (size > 0) {
    const char *end = memchr(bytes, '\n', size);
    size_t part = end ? (size_t)(end - bytes) : size;
    size_t fits = LINE_SIZE - r->kept;
    if (part > fits) violation(r, "a line of more than %d bytes", LINE_SIZE);
    memcpy(r->line + r->kept, bytes, part < fits ? part : fits);
    r->kept += (uint32_t)(part < fits ? part : fits);
    if (!end) return;
    take_line(r);
    bytes += part + 1;
    size -= part + 1;
  }
}

/* ---- the transfer coding ---- */

static void judge_head(reader *r) {
  r->line[r->kept] = '\0';
  r->kept = 0;
  bool chunked = strcasestr(r->line, "\r\nTransfer-Encoding: chunked\r\n") != NULL;
  if (strncmp(r->line, "HTTP/1.1 200 OK\r\n", 17) != 0 ||
      !strcasestr(r->line, "\r\nContent-Type: text/event-stream\r\n") || chunked == r->raw)
    violation(r, "not the head of a stream: %.200s", r->line);
  r->place = r->raw ? IN_BODY : IN_SIZE;
  r->matched = 0;
}

static void feed_head(reader *r, char byte) {
  if (r->kept == HEAD_SIZE) {
    violation(r, "no end of the head: %.60s", r->line);
    r->kept = 0;
  }
  r->line[r->kept++] = byte;
  if (r->kept >= 4 && memcmp(r->line + r->kept - 4, "\r\n\r\n", 4) == 0) judge_head(r);
}

/* `left` grows digit by digit; `matched` counts the digits, and is 100 once CR was seen. */
static void feed_size(reader *r, char byte) {
  int digit = byte >= '0' && byte <= '9'                 ? byte - '0'
              : (byte | 32) >= 'a' && (byte | 32) <= 'f' ? (byte | 32) - 'a' + 10
                                                         : -1;
  if (digit >= 0 && r->matched < 8) {
    r->left = r->left * 16 + (unsigned)digit;
    r->matched++;
  } else if (byte == '\r' && r->matched > 0 && r->matched <= 8) {
    r->matched = 100;
  } else if (byte == '\n' && r->matched == 100) {
    r->place = r->left ? IN_DATA : IN_TRAILER;
    r->matched = 0;
  } else {
    violation(r, "byte 0x%02x in the size of a chunk", (unsigned char)byte);
    r->left = 0;
    r->matched = 0;
  }
}

static void feed_crlf(reader *r, char byte, enum place next) {
  if (byte != "\r\n"[r->matched]) violation(r, "byte 0x%02x behind a chunk", (unsigned char)byte);
  if (++r->matched < 2) return;
  r->matched = 0;
  r->left = 0;
  r->place = next;
}

static size_t feed_data(reader *r, const char *bytes, size_t size) {
  size_t part = size < r->left ? size : (size_t)r->left;
  feed_body(r, bytes, part);
  r->left -= part;
  if (!r->left) r->place = IN_DATA_END;
  return part;
}

void reader_feed(reader *r, const char *bytes, size_t size) {
  size_t at = 0;
  while (at < size) {
    switch (r->place) {
    case IN_HEAD:
      feed_head(r, bytes[at++]);
      break;
    case IN_SIZE:
      feed_size(r, bytes[at++]);
      break;
    case IN_DATA:
      at += feed_data(r, bytes + at, size - at);
      break;
    case IN_DATA_END:
      feed_crlf(r, bytes[at++], IN_SIZE);
      break;
    case IN_TRAILER:
      feed_crlf(r, bytes[at++], AT_END);
      break;
    case IN_BODY:
      feed_body(r, bytes + at, size - at);
      return;
    case AT_END:
      violation(r, "%zu bytes behind the end: %.60s", size - at, bytes + at);
      return;
    }
  }
}

void reader_start(reader *r, uint32_t token, bool raw) {
  char *data = r->data ? r->data : calloc(1, LINE_SIZE + 1);
  *r = (reader){.token = token, .raw = raw, .data = data};
  if (!data) abort();
  *data = '\0';
}

/* A response that ends in order ends between two events. */
bool reader_end(reader *r) {
  bool complete = r->place == AT_END;
  if (complete && (r->kept || r->has_data || r->has_event)) violation(r, "ended inside an event");
  return complete;
}

void reader_free(reader *r) {
  free(r->data);
  r->data = NULL;
}
