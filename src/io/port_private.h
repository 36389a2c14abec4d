#ifndef FAN_PORT_PRIVATE_H
#define FAN_PORT_PRIVATE_H
/* The inside of a port, for port.c, loop.c and tests. */
#include <stdatomic.h>

#include "../core/list.h"
#include "inbox.h"
#include "port.h"

struct fan_port {
  uint64_t id;
  /* the loop's, from FAN_OP_OPEN on */
  fan_list node;
  fan_batch *deferred, *deferred_last; /* held back, in order: see commands.c */
  uint32_t deferred_next;              /* of deferred->commands */
  fan_hub *hub;                        /* NULL once it is shut */
  fan_buf *heartbeat; /* what clients without one of their own are sent after silence */
  bool touched;
  bool unwritten; /* its last turn did not come to all clients that have something to write */
  /* JavaScript's */
  size_t total_bytes;     /* the hub's budget */
  size_t bulk_bytes;      /* what of one stretch goes beyond this is paced */
  uint64_t posted_bytes;  /* cost of all frames ever posted */
  uint64_t stretch_bytes; /* of the present synchronous stretch */
  uint64_t stretch;       /* which stretch that is */
  /* both: written by the loop, relaxed, held before taken (so that their sum never reads too small) */
  atomic_size_t held_bytes;
  atomic_uint_least64_t taken_bytes;
  /* under the loop's statistics mutex, or JavaScript's while no loop has it */
  fan_stats stats;
};

/* Ends the hub and gives back what the port holds, but for the port itself. The loop's, or JavaScript's while no loop has it. */
void fan_port_shut(fan_port *port);

#endif
