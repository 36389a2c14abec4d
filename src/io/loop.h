#ifndef FAN_LOOP_H
#define FAN_LOOP_H
/*
 * The I/O loop: one thread that owns the hubs of one JavaScript environment. A turn is: wait for sockets, take commands from
 * the inbox, let each hub write what is queued and look at its clocks, put notices into the outbox.
 *
 * Thread: JavaScript's for every function here. Owns: the thread, the doors, the hubs taken over. Units: bytes, ms.
 */
#include "inbox.h"
#include "outbox.h"
#include "port.h"

typedef struct fan_loop fan_loop;

/* Called on the loop's thread when the outbox has news: it must only signal the JavaScript thread. */
typedef void (*fan_wake)(void *context);

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

#endif
