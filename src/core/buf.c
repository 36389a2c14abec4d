#include "buf.h"

#include <assert.h>
#include <string.h>

#include "mem.h"

fan_buf *fan_buf_new(size_t capacity) {
  if (capacity > UINT32_MAX) return NULL;
  fan_buf *buf = fan_alloc(sizeof *buf + capacity);
  if (!buf) return NULL;
  *buf = (fan_buf){.refs = 1, .capacity = (uint32_t)capacity};
  return buf;
}

size_t fan_buf_cost(const fan_buf *buf) { return sizeof *buf + buf->capacity; }

void fan_buf_free(fan_buf *buf) {
  if (buf->ledger) {
    assert(buf->ledger->held_bytes >= fan_buf_cost(buf));
    buf->ledger->held_bytes -= fan_buf_cost(buf);
  }
  fan_free(buf->ticket);
  fan_free(buf);
}

fan_buf *fan_buf_copy(const fan_buf *buf) {
  fan_buf *copy = fan_buf_new(buf->end);
  if (!copy) return NULL;
  copy->kind = buf->kind;
  copy->start = buf->start;
  copy->end = buf->end;
  copy->body = buf->body;
  copy->body_size = buf->body_size;
  memcpy(copy->bytes + copy->start, buf->bytes + buf->start, buf->end - buf->start);
  return copy;
}

static const unsigned char *key_of(const fan_buf *buf) {
  return buf->bytes + buf->capacity - buf->key_size;
}

bool fan_buf_same_key(const fan_buf *a, const fan_buf *b) {
  return a->key && a->key == b->key && a->key_size == b->key_size &&
         memcmp(key_of(a), key_of(b), a->key_size) == 0;
}

void fan_buf_enter(fan_buf *buf, fan_ledger *ledger) {
  if (buf->ledger) return;
  buf->ledger = ledger;
  ledger->held_bytes += fan_buf_cost(buf);
  if (ledger->held_bytes > ledger->peak_bytes) ledger->peak_bytes = ledger->held_bytes;
}
