#ifndef FAN_LOOP_PRIVATE_H
#define FAN_LOOP_PRIVATE_H
/* The inside of the loop, for loop.c (its thread, its turns, its doors) and commands.c (what was posted is carried out).
 *
 * Thread: the loop's, or JavaScript's once it is joined. */
#include "loop.h"
#include "poll.h"
#include "port_private.h"
#include "sink_relay.h"

struct fan_loop {
  pthread_t thread;
  bool running;
  atomic_bool stop;
  fan_wake wake;
  void *context;
  fan_poll *poll;
  fan_inbox inbox;
  fan_outbox outbox;
  pthread_mutex_t stats_mutex;
  /* JavaScript's */
  uint64_t wakeups;
  uint64_t stretch;  /* counts synchronous stretches */
  bool posted_early; /* part of the present one has been posted */
  /* the loop's alone */
  fan_list ports;
  fan_relays relays;
  fan_list evicted;            /* sinks that are cut once their notices are out */
  fan_list lingering;          /* see sink_detached.h */
  fan_map wires;               /* client id -> fan_wire, while attached */
  fan_batch *work, *work_last; /* taken from the inbox, not yet carried out */
  uint32_t work_next;          /* of work->commands */
  uint64_t deliveries;         /* references queued by the present turn's commands */
  bool notices_wait;           /* there was no memory for some: they go with the next turn */
  bool stretch_open;
  uint64_t stretch_end_ms;
  uint64_t now_ms;
};

/* How far the intake of a turn came. */
enum intake { INTAKE_DONE, INTAKE_MORE, INTAKE_HELD };

/* Takes what was posted over into loop->work. */
void fan_loop_take_inbox(fan_loop *loop);
/* Carries out what was taken over, in order, up to the turn's measure. */
enum intake fan_loop_take_commands(fan_loop *loop);
/* What was posted and not carried out gives back what it holds; nothing of it takes effect. */
void fan_loop_drop_commands(fan_loop *loop);

/* The port's hub has a turn to come, and knows what time it is. */
void fan_loop_touch(fan_loop *loop, fan_port *port);
void fan_loop_copy_stats(fan_loop *loop, fan_port *port);
/* Ends the port's hub. */
void fan_loop_shut(fan_loop *loop, fan_port *port);

#endif
