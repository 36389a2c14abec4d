#ifndef FAN_REPLAY_H
#define FAN_REPLAY_H
/*
 * One client's way through the history: which kept event comes next, over all its rooms, in order and once. It holds numbers
 * only, no frames: however much is to be replayed, it costs the history nothing and may take as long as the socket needs.
 *
 *   source: room 7, after 10, until never      the client was in room 7 from the start (its cursor was 10)
 *   source: room 9, after 14, until 20         it joined when 14 was the latest, and left when 20 was
 *
 * Reading is done in passes: fan_replay_open(), then fan_replay_peek() and fan_replay_advance() as often as wanted; the history
 * must not change within a pass.
 *
 * Thread: that of the hub. Owns: its arrays. Units: sequence numbers.
 */
#include "history.h"

typedef struct fan_source {
  uint64_t room, after, until; /* UINT64_MAX: the client is still in it */
} fan_source;

typedef struct fan_replay {
  uint64_t client;     /* to know what it is excepted from */
  bool forged;         /* it began with a cursor beyond `since`: nobody here gave it that */
  uint64_t cursor;     /* everything up to here was given */
  uint64_t since;      /* the latest number when it began: from then on some come another way */
  fan_source *sources; /* by room, and those of one room by time */
  uint32_t count, capacity;
  struct fan_reading *heap; /* of the present pass; room for `heap_capacity` */
  uint32_t heap_count, heap_capacity;
} fan_replay;

enum fan_replay_state {
  FAN_REPLAY_READY, /* fan_replay_peek() may be called */
  FAN_REPLAY_LOST,  /* the history has let go of something that the client has not got */
  FAN_REPLAY_NOMEM,
};

void fan_replay_init(fan_replay *replay, uint64_t client, uint64_t cursor, uint64_t since);
void fan_replay_deinit(fan_replay *replay);

/* Events of this room beyond `after` (the cursor, or the latest number at a later join) are the client's. Of one room `after` never
 * falls; joining where one left, or is still in, goes on with the same source. 0 or FAN_ENOMEM. */
int fan_replay_join(fan_replay *replay, uint64_t room, uint64_t after);
/* Events of this room beyond `latest` are not. */
void fan_replay_leave(fan_replay *replay, uint64_t room, uint64_t latest);
/* Nothing beyond `latest` is: the client is being closed. */
void fan_replay_limit(fan_replay *replay, uint64_t latest);

/* The client has been given everything up to `cursor` (which never falls) by somebody else, who knows that nothing up to there is
 * still to be added to the history: it may be beyond the latest number, if what came since is not kept. */
void fan_replay_rebase(fan_replay *replay, uint64_t cursor);

/* Can the client have everything it missed? Never with a forged cursor. May be asked before the first pass; every pass asks again.
 * O(sources). */
bool fan_replay_possible(const fan_replay *replay, const fan_history *history);

/* Begins a pass. O(sources x log(ring)). */
enum fan_replay_state fan_replay_open(fan_replay *replay, const fan_history *history);
/* The next record for this client; NULL: it has caught up. The cursor moves over what it is excepted from. */
fan_record *fan_replay_peek(fan_replay *replay);
/* The one just answered by fan_replay_peek() was given. */
void fan_replay_advance(fan_replay *replay);

#endif
