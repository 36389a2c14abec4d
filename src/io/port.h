#ifndef FAN_PORT_H
#define FAN_PORT_H
/*
 * The pier between the two threads for one hub: what JavaScript must know without waiting (is there room for a frame? what do
 * the counters say?) lies there. Opaque here; port_private.h is for the loop.
 *
 * Thread: JavaScript's. Owns: the hub, until a loop opens it. Units: bytes.
 */
#include "../core/fan.h"

typedef struct fan_port fan_port;

/* A port with a hub of its own; `id` is its name in notices. Takes the heartbeat (NULL: none). NULL: no memory; the caller still has
 * it. */
fan_port *fan_port_new(uint64_t id, const fan_limits *limits, const fan_history_limits *history,
                       fan_buf *heartbeat);
/* For a port that no loop has (never opened, or its loop was stopped). */
void fan_port_free(fan_port *port);

/* Would a frame of that cost fit? 0; FAN_ETOOLARGE: it is more than half the budget, so it never will; FAN_EFULL: half the budget
 * waits in the inbox, or all of it is in use. */
int fan_port_admit(const fan_port *port, size_t bytes);
/* Cost of the frames that wait in the inbox, and of all that are alive. */
size_t fan_port_inbox_bytes(const fan_port *port);
size_t fan_port_live_bytes(const fan_port *port);

/* The counters, while no loop has the port (never opened, or its loop was stopped); else see fan_loop_stats(). */
void fan_port_stats(const fan_port *port, fan_stats *stats);

#endif
