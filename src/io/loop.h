#ifndef FAN_LOOP_H
#define FAN_LOOP_H
/*
 * The I/O loop: one thread that owns the hubs of one JavaScript environment. A turn is: wait for sockets, take commands from
 * the inbox, let each hub write what is queued and look at its clocks, put notices into the outbox.
 *
 * A port is the pier between the two threads for one hub: what JavaScript must know without waiting (is there room for a
 * frame? what do the counters say?) lies there.
 *
 * Thread: JavaScript's for every function here. Owns: the thread, the doors, the hubs taken over. Units: bytes, ms.
 */
#include <stdatomic.h>

#include "inbox.h"
#include "outbox.h"

typedef struct fan_loop fan_loop;

/* Called on the loop's thread when the outbox has news: it must only signal the JavaScript thread. */
typedef void (*fan_wake)(void *context);

typedef struct fan_port {
  /* the loop's, from FAN_OP_OPEN on */
  fan_list node;
  fan_hub *hub;        /* NULL once it is shut */
  fan_buf *heartbeat;  /* what clients without one of their own are sent after silence */
  bool touched;
  /* JavaScript's */
  size_t total_bytes;   /* the hub's budget */
  size_t bulk_bytes;    /* what of one stretch goes beyond this is paced */
  uint64_t posted_bytes;  /* cost of all frames ever posted */
  uint64_t stretch_bytes; /* of the present synchronous stretch */
  uint64_t stretch;       /* which stretch that is */
  /* both: written by the loop, relaxed, held before taken (so that their sum never reads too small) */
  atomic_size_t held_bytes;
  atomic_uint_least64_t taken_bytes;
  /* under the loop's statistics mutex, or JavaScript's while no loop has it */
  fan_stats stats;
} fan_port;

/* A port with a hub of its own. Takes the heartbeat (NULL: none). NULL: no memory; the caller still has it. */
fan_port *fan_port_new(const fan_limits *limits, fan_buf *heartbeat);
/* For a port that no loop has (never opened, or its loop was stopped). */
void fan_port_free(fan_port *port);

/* Would a frame of that cost fit? 0, or FAN_EFULL: half the budget waits in the inbox, or all of it is in use. */
int fan_port_admit(const fan_port *port, size_t bytes);
/* Cost of the frames that wait in the inbox, and of all that are alive. */
size_t fan_port_inbox_bytes(const fan_port *port);
size_t fan_port_live_bytes(const fan_port *port);

/* NULL: no memory or no descriptors. Nothing runs yet. */
fan_loop *fan_loop_new(fan_wake wake, void *context);
/* Starts the thread. 0 or FAN_EIO. */
int fan_loop_start(fan_loop *loop);
/* Asks the thread to end and waits for it. Afterwards nobody is connected: the hubs are freed, their clients evicted. Ports
 * stay valid and belong to their holders. Idempotent. */
void fan_loop_stop(fan_loop *loop);
/* The loop must be stopped. */
void fan_loop_free(fan_loop *loop);

/* Posts a command; takes what it owns. It leaves at the end of the stretch, or when enough have gathered. 0 or FAN_ENOMEM
 * (nothing taken). */
int fan_loop_post(fan_loop *loop, const fan_command *command);
/* The end of the present synchronous stretch of JavaScript: everything posted leaves now. */
void fan_loop_flush(fan_loop *loop);

/* Notices since the last call; valid until the next one. The caller frees each `data` with fan_free(). */
const fan_letters *fan_loop_take(fan_loop *loop);

/* A copy of the port's counters, as of the loop's last turn. */
void fan_loop_stats(fan_loop *loop, fan_port *port, fan_stats *stats);

/* How often a post had to wake the loop. */
uint64_t fan_loop_wakeups(const fan_loop *loop);

/* For port.c and loop.c: ends the hub and gives back what the port holds, but for the port itself. */
void fan_port_shut(fan_port *port);

#endif
