#ifndef FAN_BUF_H
#define FAN_BUF_H
/*
 * Immutable bytes shared by reference. Built by one thread, moved (not shared) to the loop, and
 * from then on touched by the loop alone; therefore the count of references is a plain integer.
 *
 *   bytes:  | pad | 1f CRLF | id: ... data: ... LF LF | CRLF |
 *                 ^start    ^body                     ^      ^end
 *                 |<--------------- chunked ---------------->|
 *                           |<------- raw ----------->|
 *
 * An HTTP/1.1 response is sent chunked: the bytes from start to end. A raw one (HTTP/1.0, relay) takes
 * the body alone. Both are slices of the same bytes, so one encoding serves every client.
 *
 * Thread: one at a time (see above). Owns: itself. Units: bytes.
 */
#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Some bytes of somebody else's. */
typedef struct fan_slice {
  const void *data;
  size_t size;
} fan_slice;

enum fan_buf_kind {
  FAN_BUF_EVENT = 0,     /* one event: counts as activity */
  FAN_BUF_COMMENT = 1,   /* a comment or a retry line: no event */
  FAN_BUF_HEARTBEAT = 2, /* sent by the hub after silence: no activity, even if it is an event */
  FAN_BUF_VERBATIM = 3,  /* part of a stream that somebody else frames: never dropped, no event */
};

/* Bytes of buffers alive, as one owner (the hub) counts them: each buffer once. */
typedef struct fan_ledger {
  size_t held_bytes, peak_bytes;
} fan_ledger;

struct fan_ticket;

typedef struct fan_buf {
  uint32_t refs;
  uint8_t kind;             /* enum fan_buf_kind */
  bool tracked;             /* it has, or had, a ticket */
  uint16_t key_size;        /* of the key, which lies at the very end of bytes[] */
  uint32_t capacity;        /* of bytes[] */
  uint32_t start, end;      /* the chunked slice */
  uint32_t body, body_size; /* the raw slice */
  fan_ledger *ledger;       /* NULL until a hub has accepted it */
  uint64_t seq;             /* its number in the hub's history; 0: it is not kept */
  uint64_t key;             /* a hash of the key; 0: it has none */
  struct fan_ticket
      *ticket; /* counts what becomes of it; NULL: nobody asked. Owned: see ticket.h */
  unsigned char bytes[];
} fan_buf;

/* Answers buf. */
static inline fan_buf *fan_buf_ref(fan_buf *buf) {
  buf->refs++;
  return buf;
}

/* With room for `capacity` bytes and one reference, or NULL. At most 4 GiB less one. */
fan_buf *fan_buf_new(size_t capacity);
/* Its last reference is gone. */
void fan_buf_free(fan_buf *buf);

/* Frees it with the last reference; NULL is fine. */
static inline void fan_buf_unref(fan_buf *buf) {
  if (!buf) return;
  assert(buf->refs > 0);
  if (--buf->refs == 0) fan_buf_free(buf);
}

/* What the buffer costs in memory: the number that budgets count. */
size_t fan_buf_cost(const fan_buf *buf);

/* Counts buf in the ledger, once, until it is freed; a second call does nothing. The ledger must
 * outlive the buffer. */
void fan_buf_enter(fan_buf *buf, fan_ledger *ledger);

/* A copy of the bytes alone: not kept, no key, no ticket. NULL: no memory. */
fan_buf *fan_buf_copy(const fan_buf *buf);

/* Do both have the same key? False when one has none. */
bool fan_buf_same_key(const fan_buf *a, const fan_buf *b);

static inline fan_slice fan_buf_chunked(const fan_buf *buf) {
  return (fan_slice){buf->bytes + buf->start, buf->end - buf->start};
}

static inline fan_slice fan_buf_raw(const fan_buf *buf) {
  return (fan_slice){buf->bytes + buf->body, buf->body_size};
}

#endif
