#include "frame.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "mem.h"

#define CHUNK_HEAD 10 /* at most 8 hex digits and CRLF */
#define CHUNK_TAIL 2  /* CRLF */
#define DATA_FIELD 6  /* "data: " */
#define EVENT_TAIL 2  /* LF LF */
#define RETRY_MAX 20  /* digits of an int64_t */

static unsigned char *put(unsigned char *at, const void *bytes, size_t size) {
  memcpy(at, bytes, size);
  return at + size;
}

static unsigned char *put_number(unsigned char *at, uint64_t number) {
  char digits[RETRY_MAX];
  size_t n = 0;
  do digits[n++] = (char)('0' + number % 10);
  while (number /= 10);
  while (n) *at++ = (unsigned char)digits[--n];
  return at;
}

static bool is_break(unsigned char c) { return c == '\n' || c == '\r'; }

static bool has_break(const unsigned char *text, size_t size) {
  return memchr(text, '\n', size) || memchr(text, '\r', size);
}

/* Bytes of the line break at text[at]: 2 for CRLF, else 1. */
static size_t break_size(const unsigned char *text, size_t at, size_t size) {
  return text[at] == '\r' && at + 1 < size && text[at + 1] == '\n' ? 2 : 1;
}

static size_t count_breaks(const unsigned char *text, size_t size) {
  size_t count = 0;
  for (size_t i = 0; i < size; i++)
    if (is_break(text[i])) {
      i += break_size(text, i, size) - 1;
      count++;
    }
  return count;
}

/* Writes `text` line by line, each line behind `prefix`; every line but the last ends in LF. */
static unsigned char *put_lines(unsigned char *at, const unsigned char *text, size_t size,
                                const char *prefix, size_t prefix_size) {
  size_t from = 0;
  at = put(at, prefix, prefix_size);
  for (size_t i = 0; i < size; i++) {
    if (!is_break(text[i])) continue;
    at = put(at, text + from, i - from);
    *at++ = '\n';
    at = put(at, prefix, prefix_size);
    i += break_size(text, i, size) - 1;
    from = i + 1;
  }
  return put(at, text + from, size - from);
}

/* The body is in place: writes the chunk's head so that it ends where the body begins, and its tail. */
static fan_buf *close_chunk(fan_buf *buf, size_t body_size) {
  static const char hex[] = "0123456789abcdef";
  assert(body_size > 0); /* an empty chunk would end the response (RFC 9112 section 7.1) */
  unsigned char *at = buf->bytes + CHUNK_HEAD;
  buf->body = CHUNK_HEAD;
  buf->body_size = (uint32_t)body_size;
  put(at + body_size, "\r\n", CHUNK_TAIL);
  buf->end = (uint32_t)(CHUNK_HEAD + body_size + CHUNK_TAIL);
  at = put(at - 2, "\r\n", 2) - 2;
  size_t rest = body_size;
  do *--at = (unsigned char)hex[rest & 15];
  while (rest >>= 4);
  buf->start = (uint32_t)(at - buf->bytes);
  return buf;
}

static size_t field_size(fan_slice value, size_t name_size) {
  return value.data ? name_size + value.size + 1 : 0;
}

static unsigned char *put_field(unsigned char *at, const char *name, size_t name_size,
                                fan_slice value) {
  if (!value.data) return at;
  assert(!has_break(value.data, value.size));
  at = put(put(at, name, name_size), value.data, value.size);
  *at++ = '\n';
  return at;
}

static unsigned char *put_retry(unsigned char *at, int64_t retry_ms) {
  if (retry_ms < 0) return at;
  at = put_number(put(at, "retry: ", 7), (uint64_t)retry_ms);
  *at++ = '\n';
  return at;
}

/* FNV-1a, and a step that lets the last bytes reach all bits. Two keys of one hash cost a replacement,
 * nothing else: whoever finds a hash compares the keys. */
static uint64_t hash_key(fan_slice key, uint64_t seed) {
  const unsigned char *bytes = key.data;
  uint64_t hash = UINT64_C(0xcbf29ce484222325) ^ seed;
  for (size_t i = 0; i < key.size; i++) hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
  hash = (hash ^ hash >> 32) * UINT64_C(0x9fb21c651e98df25);
  hash ^= hash >> 29;
  return hash ? hash : 1; /* 0 says that there is no key */
}

/* The buffer must have been made that much larger. */
static void put_key(fan_buf *buf, fan_slice key, uint64_t hash) {
  buf->key = hash;
  buf->key_size = (uint16_t)key.size;
  if (key.size) put(buf->bytes + buf->capacity - key.size, key.data, key.size);
}

fan_buf *fan_frame_begin(const fan_fields *fields, size_t data_cap) {
  size_t key_size = fields->key.data ? fields->key.size : 0;
  assert(key_size <= FAN_KEY_MAX);
  size_t head = field_size(fields->id, 4) + field_size(fields->event, 7);
  if (fields->retry_ms >= 0) head += 7 + RETRY_MAX + 1;
  size_t fixed = CHUNK_HEAD + head + DATA_FIELD + EVENT_TAIL + CHUNK_TAIL + key_size;
  if (data_cap > UINT32_MAX - fixed) return NULL;
  fan_buf *buf = fan_buf_new(fixed + data_cap);
  if (!buf) return NULL;
  if (fields->key.data) put_key(buf, fields->key, hash_key(fields->key, fields->key_seed));
  unsigned char *at = buf->bytes + CHUNK_HEAD;
  at = put_field(at, "id: ", 4, fields->id);
  at = put_field(at, "event: ", 7, fields->event);
  at = put_retry(at, fields->retry_ms);
  at = put(at, "data: ", DATA_FIELD);
  buf->body = (uint32_t)(at - buf->bytes); /* until it is sealed: where the data begins */
  return buf;
}

char *fan_frame_data(fan_buf *frame) { return (char *)frame->bytes + frame->body; }

/* A copy of the frame with the data split into lines: each further line costs a prefix more. */
static fan_buf *split_data(const fan_buf *frame, size_t data_size) {
  const unsigned char *data = frame->bytes + frame->body;
  size_t head = frame->body - DATA_FIELD;
  size_t more = count_breaks(data, data_size) * (DATA_FIELD + 1);
  fan_slice key = {frame->bytes + frame->capacity - frame->key_size, frame->key_size};
  fan_buf *copy = fan_buf_new(frame->body + data_size + more + EVENT_TAIL + CHUNK_TAIL + key.size);
  if (!copy) return NULL;
  put_key(copy, key, frame->key);
  unsigned char *at = put(copy->bytes, frame->bytes, head);
  at = put_lines(at, data, data_size, "data: ", DATA_FIELD);
  at = put(at, "\n\n", EVENT_TAIL);
  return close_chunk(copy, (size_t)(at - copy->bytes) - CHUNK_HEAD);
}

fan_buf *fan_frame_seal(fan_buf *frame, size_t data_size) {
  unsigned char *data = frame->bytes + frame->body;
  if (has_break(data, data_size)) {
    fan_buf *split = split_data(frame, data_size);
    fan_buf_unref(frame);
    return split;
  }
  put(data + data_size, "\n\n", EVENT_TAIL);
  return close_chunk(frame, frame->body - CHUNK_HEAD + data_size + EVENT_TAIL);
}

static fan_buf *with_body(size_t body_cap, enum fan_buf_kind kind) {
  if (body_cap > UINT32_MAX - CHUNK_HEAD - CHUNK_TAIL) return NULL;
  fan_buf *buf = fan_buf_new(CHUNK_HEAD + body_cap + CHUNK_TAIL);
  if (buf) buf->kind = (uint8_t)kind;
  return buf;
}

fan_buf *fan_frame_text(fan_slice text, enum fan_buf_kind kind) {
  fan_buf *buf = with_body(text.size, kind);
  if (!buf) return NULL;
  if (text.size) put(buf->bytes + CHUNK_HEAD, text.data, text.size);
  return close_chunk(buf, text.size);
}

fan_buf *fan_frame_comment(fan_slice text, enum fan_buf_kind kind) {
  const unsigned char *bytes = text.size ? text.data : (const unsigned char *)"";
  fan_buf *buf = with_body(text.size + 2 + count_breaks(bytes, text.size), kind);
  if (!buf) return NULL;
  unsigned char *at = put_lines(buf->bytes + CHUNK_HEAD, bytes, text.size, ":", 1);
  *at++ = '\n';
  return close_chunk(buf, (size_t)(at - buf->bytes) - CHUNK_HEAD);
}

fan_buf *fan_frame_retry(int64_t retry_ms) {
  fan_buf *buf = with_body(7 + RETRY_MAX + 1, FAN_BUF_COMMENT);
  if (!buf) return NULL;
  unsigned char *at = put_retry(buf->bytes + CHUNK_HEAD, retry_ms);
  return close_chunk(buf, (size_t)(at - buf->bytes) - CHUNK_HEAD);
}

fan_buf *fan_frame_id(fan_slice id) {
  fan_buf *buf = with_body(field_size(id, 4), FAN_BUF_COMMENT);
  if (!buf) return NULL;
  unsigned char *at = put_field(buf->bytes + CHUNK_HEAD, "id: ", 4, id);
  return close_chunk(buf, (size_t)(at - buf->bytes) - CHUNK_HEAD);
}

fan_buf *fan_frame_verbatim(fan_slice bytes) {
  assert(bytes.size > 0); /* no sink could ever take it: its client would be written to for ever */
  fan_buf *buf = fan_buf_new(bytes.size);
  if (!buf) return NULL;
  put(buf->bytes, bytes.data, bytes.size);
  buf->kind = FAN_BUF_VERBATIM;
  buf->end = buf->body_size = (uint32_t)bytes.size;
  return buf;
}
