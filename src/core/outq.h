#ifndef FAN_OUTQ_H
#define FAN_OUTQ_H
/*
 * What one client still has to be sent: a queue of references to shared buffers, and how far the first
 * one has been written. It never holds bytes of its own.
 *
 *   slots (a ring):  [ buf | buf | buf | - | - ]
 *                      ^first, `offset` bytes of its slice are written
 *
 * The first slots are inline; a queue that grew gives its memory back once it is empty.
 *
 * It settles what leaves it (ticket.h), but owes nothing: the frame may have come from another queue. Who pushes a frame for the
 * first time says fan_buf_owe().
 *
 * Thread: that of its owner. Owns: one reference for each slot. Units: bytes (as sent, so the chunked
 * or the raw slice), counts of frames.
 */
#include <stdbool.h>

#include "buf.h"
#include "map.h"

#define FAN_OUTQ_INLINE 4

typedef struct fan_outq {
  fan_buf **slots;   /* inline_slots, or from the heap */
  uint32_t capacity; /* a power of two */
  uint32_t first, count;
  bool raw; /* which slice: see buf.h */
  size_t offset;
  size_t bytes; /* not yet written; the sum over all slices, less offset */
  uint64_t
      taken; /* slots that have left at the front, ever: a frame's place is taken + its index */
  fan_buf *inline_slots[FAN_OUTQ_INLINE];
  fan_map by_key; /* hash of a key -> place (times 2, plus 1) of the newest frame with it */
} fan_outq;

void fan_outq_init(fan_outq *queue);   /* allocates nothing */
void fan_outq_deinit(fan_outq *queue); /* gives back every reference and all memory */

/* Which slice of each buffer is sent. Only while nothing has been written. */
void fan_outq_set_raw(fan_outq *queue, bool raw);

/* Adds a reference to buf. One with a key takes the place of a queued one with the same key of which nothing has been written yet:
 * then *replaced is what that one had, in bytes, and it counts as FAN_DROPPED; else 0. Answers 0 or FAN_ENOMEM (nothing added). */
int fan_outq_push(fan_outq *queue, fan_buf *buf, size_t *replaced);

/* Lets go (FAN_DROPPED) of the oldest frame of which nothing has been written yet, or of the newest. Answers its bytes; 0: there is
 * none that may be dropped (none, begun, or verbatim). O(1). */
size_t fan_outq_drop_oldest(fan_outq *queue);
size_t fan_outq_drop_newest(fan_outq *queue);

/* Fills in what to write next, at most `max` slices and about `budget` bytes (one slice at least).
 * Answers how many. They are valid until the queue changes. */
int fan_outq_gather(const fan_outq *queue, fan_slice *slices, int max, size_t budget);

/* `bytes` (<= queue->bytes) have been written: gives back the references of what is complete (FAN_WRITTEN), and answers
 * how many frames that were. */
uint32_t fan_outq_advance(fan_outq *queue, size_t bytes);

/* Gives back all references (FAN_CLOSED). */
void fan_outq_clear(fan_outq *queue);

static inline bool fan_outq_empty(const fan_outq *queue) { return queue->count == 0; }

#endif
