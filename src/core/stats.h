#ifndef FAN_STATS_H
#define FAN_STATS_H
/*
 * What a hub counts. Counters only grow; gauges (marked) say what is now.
 *
 * Thread: loop only (io/ copies it out for JavaScript). Owns: nothing. Units: counts, bytes.
 */
#include <stdint.h>

/* Why a client ended: the words that JavaScript sees. */
#define FAN_REASONS(X)                                                                             \
  X(CLIENT, "client")     /* the peer went away */                                                 \
  X(SERVER, "server")     /* the application closed it */                                          \
  X(SLOW, "slow")         /* its queue, or the hub's, passed its limit */                          \
  X(STALLED, "stalled")   /* it took no byte for stallTimeout */                                   \
  X(IDLE, "idle")         /* no event for idleTimeout */                                           \
  X(LIFETIME, "lifetime") /* it lived for as long as it may */                                     \
  X(CAPACITY, "capacity") /* the hub was full */                                                   \
  X(SHUTDOWN, "shutdown") /* the hub was closed */                                                 \
  X(ERROR, "error")       /* something failed on our side */

enum fan_reason {
#define FAN_REASON_ENUM(name, word) FAN_##name,
  FAN_REASONS(FAN_REASON_ENUM)
#undef FAN_REASON_ENUM
      FAN_REASON_COUNT,
  FAN_NO_REASON = FAN_REASON_COUNT
};

/* Why a frame was let go of although its client lives on: the words that JavaScript sees. */
#define FAN_DROPS(X)                                                                               \
  X(REPLACED, "replaced") /* a later one with the same key took its place */                       \
  X(OLDEST, "dropOldest") /* the queue was past its limit, and this is the policy */               \
  X(NEWEST, "dropNewest")

enum fan_drop {
#define FAN_DROP_ENUM(name, word) FAN_DROP_##name,
  FAN_DROPS(FAN_DROP_ENUM)
#undef FAN_DROP_ENUM
      FAN_DROP_COUNT
};

/*        name              what it counts                                                     */
#define FAN_STATS(X)                                                                               \
  X(clients)        /* gauge: clients alive in the loop */                                         \
  X(memberships)    /* gauge: pairs of client and room */                                          \
  X(rooms)          /* gauge: rooms with members (a user is a room of its own) */                  \
  X(publishes)      /* frames accepted for a target */                                             \
  X(sends)          /* frames accepted for one client, by id */                                    \
  X(deliveries)     /* references queued: one for each client and frame */                         \
  X(writes)         /* calls of a sink's write (fd: sendmsg) */                                    \
  X(blocked)        /* of these, how many took less than was offered */                            \
  X(written_bytes)  /* bytes taken by sinks */                                                     \
  X(written_frames) /* frames that left completely */                                              \
  X(heartbeats)     /* heartbeats queued */                                                        \
  X(replays)        /* clients that were given what they had missed */                             \
  X(replayed)       /* frames that they were given from the history (deliveries, too) */           \
  X(resets)         /* clients that had missed more than is kept */                                \
  X(kept_events)    /* gauge: events in the history */                                             \
  X(kept_bytes)     /* gauge: what the history costs, its books included */                        \
  X(held_bytes)     /* gauge: memory of all frames that the hub holds, each once */                \
  X(peak_bytes)     /* the highest value of held_bytes */                                          \
  X(turns)          /* turns in which the hub had something to do */

typedef struct fan_stats {
#define FAN_STATS_FIELD(name) uint64_t name;
  FAN_STATS(FAN_STATS_FIELD)
#undef FAN_STATS_FIELD
  uint64_t ended[FAN_REASON_COUNT]; /* clients that ended, by reason */
  uint64_t dropped_events
      [FAN_REASON_COUNT]; /* frames queued for clients that were cut, never written completely */
  uint64_t dropped_bytes[FAN_REASON_COUNT]; /* and their bytes */
  uint64_t shed_events[FAN_DROP_COUNT];     /* frames let go of while their client lives on */
  uint64_t shed_bytes[FAN_DROP_COUNT];
} fan_stats;

#endif
