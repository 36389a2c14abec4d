#ifndef FAN_HISTORY_H
#define FAN_HISTORY_H
/*
 * Recent frames, kept for clients that come back. Each room has a ring of its last events; what was sent to several rooms is one
 * record in several rings. Bounded by events per ring, bytes and age of the whole; the oldest go first.
 *
 *   records (all):  [ 11 | 12 | 13 | 14 | 15 ]            oldest first
 *   ring of room 7: [ 11 |      13 |      15 ]  let_go 9  the highest number that is not here any more
 *   ring of room 9: [      12 | 13 ]            let_go 0  nothing was ever lost
 *
 * A room's ring outlives its members and its events: as long as it is remembered, a quiet room is known to have lost nothing. Rings
 * without events are bounded too: the oldest is forgotten, and for every room that is not remembered `floor` is what was let go.
 * What is forgotten is told, for the names of rooms lie elsewhere.
 *
 * Thread: that of the hub. Owns: records, rings, one reference for each record's frame. Units: bytes, ms; sequence numbers
 * (frame->seq) are > 0 and rise with every call of fan_history_add().
 */
#include "buf.h"
#include "list.h"
#include "map.h"
#include "target.h"

typedef struct fan_history_limits {
  uint32_t events; /* of one room; 0: nothing is ever kept, all is let go of at once */
  size_t bytes;    /* of all: frames, records and rings */
  uint64_t age_ms;
} fan_history_limits;

typedef struct fan_record {
  fan_list node; /* in history->records */
  uint64_t sent_ms;
  fan_buf *frame;
  uint32_t rings;                               /* how many still hold it */
  uint32_t rooms, except_rooms, except_clients; /* for everyone: one room, FAN_EVERYONE */
  uint64_t keys[];                              /* the three lists, one behind the other */
} fan_record;

typedef struct fan_ring {
  fan_list node; /* in history->quiet while nothing holds it; in history->forgotten at the end */
  uint64_t room;
  uint64_t let_go; /* the highest number that was here and is not any more; 0: none */
  uint64_t last;   /* the highest number that concerned this room */
  fan_record **records;
  uint32_t first, count, capacity; /* capacity: 0 or a power of two */
  uint32_t excepted;               /* records alive that except this room */
} fan_ring;

typedef struct fan_history {
  fan_history_limits limits;
  fan_list records;   /* oldest first */
  fan_list quiet;     /* rings without a record that no record excepts either, oldest first */
  fan_list forgotten; /* rings whose end is to be told */
  fan_map rings;      /* room -> ring */
  uint64_t floor;
  uint64_t latest;    /* the number of the last call of fan_history_add() */
  uint64_t count;     /* of records */
  size_t bytes;       /* see limits.bytes; without the rings in `forgotten` */
  size_t frame_bytes; /* of these, what the frames cost */
  size_t quiet_bytes; /* of these, the rings in `quiet`: at most an eighth of the limit */
} fan_history;

void fan_history_init(fan_history *history, const fan_history_limits *limits);
void fan_history_deinit(fan_history *history);

/* Files the frame (frame->seq) under the target's rooms, or FAN_EVERYONE; clients named by id do not count. Rooms that are only
 * excepted are remembered too, so that their numbers live as long as the record. Then lets go of what is too much. Without memory the
 * frame counts as let go of at once. */
void fan_history_add(fan_history *history, const fan_target *target, fan_buf *frame,
                     uint64_t now_ms);

/* Begins anew behind `seq` (not below the latest number): whatever any room had up to there is let go of. */
void fan_history_restart(fan_history *history, uint64_t seq);

/* Lets go of what is too old. O(1) when nothing is. */
void fan_history_expire(fan_history *history, uint64_t now_ms);
/* When fan_history_expire() has to be called at the latest, rounded up so that a busy history does not wake its loop for each
 * record; UINT64_MAX: never. */
uint64_t fan_history_due_ms(const fan_history *history);

/* The highest number of this room that can't be replayed any more. */
uint64_t fan_history_let_go(const fan_history *history, uint64_t room);

/* The ring of a room, or NULL. Valid until the next call that changes the history. */
const fan_ring *fan_history_ring(const fan_history *history, uint64_t room);
/* Index of the ring's first record beyond `seq`; ring->count: there is none. O(log count). */
uint32_t fan_ring_after(const fan_ring *ring, uint64_t seq);
fan_record *fan_ring_at(const fan_ring *ring, uint32_t index);

/* Rooms and clients that it was not meant for. */
static inline const uint64_t *fan_record_except_rooms(const fan_record *record) {
  return record->keys + record->rooms;
}
static inline const uint64_t *fan_record_except_clients(const fan_record *record) {
  return fan_record_except_rooms(record) + record->except_rooms;
}

/* The next room that was forgotten, and the highest number that concerned it; false: none is left. FAN_EVERYONE is not told. Ask
 * after each call that adds or expires: what waits here counts in no limit. */
bool fan_history_next_forgotten(fan_history *history, uint64_t *room, uint64_t *last);

#endif
