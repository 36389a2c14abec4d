#ifndef FAN_HELD_H
#define FAN_HELD_H
/*
 * Frames that a client may not be given yet: it is catching up, or somebody holds the gate. Each remembers behind which kept event
 * it was sent, so that it can be put back into the order of all. A frame with a key takes the place of one with the same key.
 * Like a queue (outq.h) it settles what leaves it for good, and owes nothing.
 *
 * Thread: that of its owner. Owns: one reference for each frame. Units: bytes (of the chunked slice), counts of frames.
 */
#include "buf.h"
#include "list.h"
#include "map.h"

typedef struct fan_held {
  fan_list frames; /* oldest first */
  fan_map by_key;  /* hash of a key -> the entry of the newest frame with it */
  uint32_t count;
  size_t bytes;
  uint64_t
      shifted; /* number of the last frame that fan_held_shift() took out; 0: none, or one that is not kept */
} fan_held;

void fan_held_init(fan_held *held);
/* Gives back every reference; what is left counts as FAN_CLOSED. */
void fan_held_deinit(fan_held *held);

/* Adds a reference; `follows` is the sequence number of the last kept event sent before it, and never falls. *replaced: the bytes
 * of the frame whose place it took, with what that one followed (it counts as FAN_DROPPED), or 0. Answers 0 or FAN_ENOMEM
 * (nothing added). */
int fan_held_push(fan_held *held, fan_buf *frame, uint64_t follows, size_t *replaced);

/* What the first frame follows; UINT64_MAX: there is none. */
uint64_t fan_held_follows(const fan_held *held);
/* Takes the first frame out, with its reference; NULL: none. It is not settled. */
fan_buf *fan_held_shift(fan_held *held);

/* Lets go of the first or the last frame (FAN_DROPPED), and answers its bytes; 0: there is none that may be dropped (none, or
 * verbatim bytes). */
size_t fan_held_drop_oldest(fan_held *held);
size_t fan_held_drop_newest(fan_held *held);

#endif
