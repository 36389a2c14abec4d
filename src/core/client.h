#ifndef FAN_CLIENT_H
#define FAN_CLIENT_H
/*
 * One open event stream: it queues references to shared frames, writes them to its sink, watches its
 * own clocks, and decides when its reader is too slow. It knows no rooms and no HTTP.
 *
 *              attach              close               queue empty
 *   OPENING ------------> OPEN ------------> DRAINING --------------> DEAD (released)
 *      |                    |                    |
 *      +--------------------+--------------------+---- kill --------> DEAD (evicted)
 *
 * Nothing is freed here while a turn goes on: a dead client waits in clients->dead for the hub's sweep.
 *
 * Thread: loop only. Owns: its queue and its sink (closed exactly once, in the sweep). Units: bytes, ms.
 */
#include "held.h"
#include "list.h"
#include "outq.h"
#include "sink.h"
#include "stats.h"
#include "wheel.h"

/* What happens to a client whose queue is past its limit. */
enum fan_overflow { FAN_OVERFLOW_DISCONNECT, FAN_OVERFLOW_DROP_OLDEST, FAN_OVERFLOW_DROP_NEWEST };

/* Limits of a hub. A duration of 0 is off. */
typedef struct fan_limits {
  size_t queue_bytes; /* a client's queue, judged after a write was tried */
  size_t total_bytes; /* all frames of the hub: half of it for queues, half for the inbox (io/) */
  uint32_t stall_ms;  /* no byte taken for this long, with bytes waiting */
  uint32_t idle_ms;   /* no event for this long */
  uint32_t batch_ms;  /* gather for this long before writing */
  enum fan_overflow overflow;
} fan_limits;

/* What all clients of one hub share. Owned by the hub. */
typedef struct fan_clients {
  fan_limits limits;
  fan_stats stats;
  fan_ledger ledger;
  fan_wheel wheel;
  uint64_t now_ms;
  uint64_t latest;       /* number of the last kept event whose fan-out is over */
  uint64_t flush_due_ms; /* dirty clients are written from then on; FAN_NEVER: none is dirty */
  fan_list dirty;        /* to be written and judged in this turn */
  fan_list behind;       /* were written to and have not taken all: see fan_clients_wait() */
  fan_list notices;      /* have something to tell JavaScript */
  fan_list dead;         /* wait for the sweep */
} fan_clients;

typedef struct fan_client_config {
  uint32_t heartbeat_ms; /* 0: none */
  fan_buf
      *heartbeat; /* what is sent after silence; a reference is taken. NULL if heartbeat_ms is 0 */
  uint64_t lifetime_ms; /* 0: unlimited */
} fan_client_config;

/* What was let go of, by enum fan_drop. */
typedef struct fan_shed {
  uint64_t events[FAN_DROP_COUNT], bytes[FAN_DROP_COUNT];
} fan_shed;

enum fan_client_state { FAN_OPENING, FAN_OPEN, FAN_DRAINING, FAN_DEAD };

/* What happened to a frame. Not an error: DEAF and LOST say that the client is ending or has just been ended. */
enum fan_verdict { FAN_QUEUED, FAN_DEAF, FAN_LOST };

typedef struct fan_client {
  /* What each delivery touches comes first, in as few cache lines as it goes. */
  fan_list dirty_node;
  fan_clients *shared;
  uint8_t state;  /* enum fan_client_state */
  uint8_t reason; /* enum fan_reason; the first one wins */
  bool blocked;   /* the sink said "no more": wait for fan_client_writable() */
  bool given_up;  /* not waited for any more, until its queue is empty */
  bool released;  /* DEAD in good order: the sink is released, not evicted */
  bool quiet;     /* JavaScript ended it and waits for no notice */
  bool
      gated; /* only private frames pass, the rest is held: somebody tells it the state of the world first */
  bool
      paused; /* catching up, but what comes next is not to be had here: nothing to do until somebody brings it */
  fan_held *
      held; /* NULL: nothing is held back. Else it is gated, or catching up from the history (hub.c) */
  uint64_t wrote_ms, progress_ms, event_ms;
  fan_sink *sink; /* NULL while OPENING and after the sweep */
  fan_outq queue;
  size_t
      replayed_bytes; /* of what is queued, at most so much came from the history: that does not count */
  fan_list behind_node;
  /* what JavaScript was told last */
  size_t reported_bytes;
  uint64_t private_bytes;          /* cost of all frames sent to this client by id, ever */
  uint64_t private_reported_bytes; /* the same, as of the last report */
  bool report;                     /* a report is due */
  bool tell_shed;                  /* so are drops */
  /* clocks */
  uint32_t heartbeat_ms;
  fan_buf *heartbeat;
  fan_timer timer;
  uint64_t lifetime_due_ms;
  uint64_t behind_since_ms;
  uint64_t shed_told_ms;
  /* its end, and what is rare */
  fan_list notice_node, dead_node;
  uint64_t dropped_events, dropped_bytes; /* it ends: what it was given and will not get */
  fan_shed shed;                          /* not told yet */
  uint64_t last; /* DRAINING: shared->latest when that began; later events are not its own */
} fan_client;

/* A reader that is behind is waited for while it takes something this often, but not for longer than the second. */
#define FAN_PACE_MS 500
#define FAN_PACE_MAX_MS 2000
#define FAN_TURN_BYTES                                                                             \
  (256 * 1024) /* at most this much for one client in one turn, a quarter while it catches up */
#define FAN_SHED_MS 1000           /* JavaScript is told of drops at most this often, per client */
#define FAN_HIGH_BYTES (64 * 1024) /* JavaScript is told when a queue passes this ... */
#define FAN_LOW_BYTES (16 * 1024)  /* ... and when it is below this again */

void fan_clients_init(fan_clients *clients, const fan_limits *limits, uint64_t now_ms);

void fan_client_init(fan_client *client, fan_clients *shared, const fan_client_config *config);
/* Frees what it owns; the sink must be closed. */
void fan_client_deinit(fan_client *client);

/* Takes the sink; OPENING becomes OPEN. On a dead or attached client: FAN_EINVALID, and the caller still has the sink. */
int fan_client_attach(fan_client *client, fan_sink *sink);

/* Adds a reference to frame to the queue, or to what is held back. Never calls the sink. */
enum fan_verdict fan_client_push(fan_client *client, fan_buf *frame);
/* The same for a frame that is for this client alone: the gate lets it pass. */
enum fan_verdict fan_client_push_private(fan_client *client, fan_buf *frame);
/* The same for a frame from the history: nothing holds it back, not even that the client is being closed. */
enum fan_verdict fan_client_push_kept(fan_client *client, fan_buf *frame);

/* From now on frames are held back. 0 or FAN_ENOMEM. Idempotent. */
int fan_client_hold(fan_client *client);
/* Queues what was held back and does not follow `seq` or a later event; FAN_NEVER: all, and nothing is held any more. False: no
 * memory, and the client has been killed. */
bool fan_client_let_through(fan_client *client, uint64_t seq);

/* Bytes that wait, held ones included. */
size_t fan_client_backlog(const fan_client *client);

/* Bytes that a private frame would wait behind. Less than the backlog while it is gated: what is held then waits for whoever sends
 * these frames, who must not wait for it in turn. */
size_t fan_client_ahead(const fan_client *client);

/* Notes that `bytes` of frames for this client alone were taken in, for the next report. */
void fan_client_count_private(fan_client *client, size_t bytes);

/* Writes at most FAN_TURN_BYTES, then judges the queue. May mark the client dead; puts it back on the dirty
 * list if there is more to write at once. */
void fan_client_flush(fan_client *client);

/* Bytes that the sink took earlier have moved on: the reader is alive. */
void fan_client_progress(fan_client *client);

/* The sink can take bytes again. */
void fan_client_writable(fan_client *client);

/* Its timer fired: heartbeat, idle, lifetime or stall, whichever is due; arms it anew. */
void fan_client_on_timer(fan_client *client);

/* Closes the gate: from now on only private frames pass. 0 or FAN_ENOMEM. */
int fan_client_gate(fan_client *client);
/* Opens it: what was held back follows. Harmless without a gate. */
void fan_client_ungate(fan_client *client);

/* A dead client's queue is given back. */
void fan_client_forget(fan_client *client);

/* Has it let go of something that was not told yet? */
bool fan_client_has_shed(const fan_client *client);

/* Takes no more frames, drains the queue, then is released. Idempotent; the first reason wins. */
void fan_client_close(fan_client *client, enum fan_reason reason);

/* Marks it dead now; the sweep evicts it. Idempotent; the first reason wins. */
void fan_client_kill(fan_client *client, enum fan_reason reason);

/* The reason that a sink's error stands for. */
enum fan_reason fan_client_reason_of(int error);

/* Is there a client worth waiting for, before a frame of next_bytes is taken in: one that is more than half its queue behind, or so
 * far that the frame would end it? Whoever has taken nothing for FAN_PACE_MS, or not enough in FAN_PACE_MAX_MS (both from since_ms
 * on at the earliest), is given up until its queue is empty. Cost: O(clients behind). */
bool fan_clients_wait(fan_clients *clients, uint64_t since_ms, size_t next_bytes);

#endif
