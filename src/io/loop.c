#define _GNU_SOURCE
#include "loop.h"

#include <assert.h>
#include <signal.h>

#include "clock.h"
#include "poll.h"
#include "port_private.h"
#include "sink_fd.h"
#include "sink_relay.h"

#define SLICE 128          /* clients written between two looks at the inbox and the sockets */
#define TURN_COMMANDS 4096 /* commands taken in one turn */
#define TURN_INTAKE (256 * 1024) /* cost of the frames taken in one turn */
#define MAX_EVENTS 256
#define HOLD_POLL_MS 5 /* while something is held back: how often to look again */

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
  fan_map wires;               /* client id -> fan_wire, while attached */
  fan_batch *work, *work_last; /* taken from the inbox, not yet carried out */
  uint32_t work_next;          /* of work->commands */
  bool notices_wait;           /* there was no memory for some: they go with the next turn */
  bool stretch_open;
  uint64_t stretch_end_ms;
  uint64_t now_ms;
};

/* ---- commands ---- */

static void touch(fan_loop *loop, fan_port *port) {
  port->touched = true;
  fan_hub_set_time(port->hub, loop->now_ms);
}

static void run_connect(const fan_command *command) {
  fan_buf *heartbeat = command->frame ? command->frame : command->port->heartbeat;
  fan_client_config config = {.heartbeat_ms = heartbeat ? (uint32_t)command->number : 0,
                              .heartbeat = heartbeat,
                              .lifetime_ms = command->lifetime_ms};
  /* Without memory there is no client: the attach that follows fails, and that tells JavaScript. */
  (void)fan_hub_connect(command->port->hub, command->client, &config);
}

/* Enters the sink into the tables, then hands it to its client. */
static int wire(fan_loop *loop, const fan_command *command) {
  fan_sink *sink = command->sink;
  int error = fan_wire_enter(fan_wire_of(sink), &loop->wires, command->port, command->client);
  if (error) return error;
  if (fan_sink_is_relay(sink)) fan_sink_relay_watch(sink, &loop->relays);
  else if ((error = fan_sink_fd_watch(sink, loop->poll, &loop->evicted)) != 0) return error;
  return fan_hub_attach(command->port->hub, command->client, sink);
}

/* A client that has ended meanwhile needs no sink; JavaScript is told that the connection was cut, whatever it knows. */
static void tell_cut(fan_loop *loop, uint64_t client) {
  if (!fan_outbox_reserve(&loop->outbox)) return;
  fan_letter letter = {.kind = FAN_NOTICE_EVICTED, .reason = FAN_ERROR, .client = client};
  fan_outbox_push(&loop->outbox, &letter);
}

static void run_attach(fan_loop *loop, const fan_command *command) {
  if (wire(loop, command) == 0) return;
  command->sink->ops->close(command->sink, FAN_SINK_EVICT);
  if (fan_hub_kill_client(command->port->hub, command->client, FAN_ERROR, false) != 0)
    tell_cut(loop, command->client);
}

static void run_publish(const fan_command *command) {
  union {
    fan_target target;
    uint64_t room[sizeof(fan_target) / sizeof(uint64_t) + 1];
  } one = {.target = {.rooms = 1}};
  one.target.keys[0] = command->number;
  fan_hub_publish(command->port->hub, command->target ? command->target : &one.target,
                  command->frame);
}

static void run_credit(fan_loop *loop, const fan_command *command) {
  fan_wire *found = fan_map_get(&loop->wires, command->client);
  if (found && fan_sink_is_relay(&found->base) &&
      fan_sink_relay_credit(&found->base, (size_t)command->number))
    fan_hub_writable(command->port->hub, command->client);
}

static void copy_stats(fan_loop *loop, fan_port *port) {
  pthread_mutex_lock(&loop->stats_mutex);
  port->stats = *fan_hub_stats(port->hub);
  pthread_mutex_unlock(&loop->stats_mutex);
}

static void shut(fan_loop *loop, fan_port *port) {
  fan_list_remove(&port->node);
  pthread_mutex_lock(&loop->stats_mutex);
  fan_port_shut(port);
  pthread_mutex_unlock(&loop->stats_mutex);
}

static void execute(fan_loop *loop, const fan_command *command) {
  fan_port *port = command->port;
  if (!port->hub) { /* shut: what comes late finds nothing */
    if (command->op == FAN_OP_ATTACH) command->sink->ops->close(command->sink, FAN_SINK_EVICT);
    return;
  }
  touch(loop, port);
  switch ((enum fan_op)command->op) {
  case FAN_OP_OPEN:
    fan_list_push(&loop->ports, &port->node);
    break;
  case FAN_OP_SHUT:
  case FAN_OP_FREE:
    shut(loop, port);
    break;
  case FAN_OP_CONNECT:
    run_connect(command);
    break;
  case FAN_OP_JOIN:
    (void)fan_hub_join(port->hub, command->client, command->number);
    break;
  case FAN_OP_LEAVE:
    (void)fan_hub_leave(port->hub, command->client, command->number);
    break;
  case FAN_OP_ATTACH:
    run_attach(loop, command);
    break;
  case FAN_OP_SEND:
    (void)fan_hub_send(port->hub, command->client, command->frame);
    break;
  case FAN_OP_PUBLISH:
    run_publish(command);
    break;
  case FAN_OP_CREDIT:
    run_credit(loop, command);
    break;
  case FAN_OP_CLOSE:
    (void)fan_hub_close_client(port->hub, command->client, (enum fan_reason)command->reason);
    break;
  case FAN_OP_KILL:
    (void)fan_hub_kill_client(port->hub, command->client, (enum fan_reason)command->reason, true);
    break;
  }
}

/* Gives back what a command holds once it is carried out, and moves its cost from the inbox to the hub: what is held is
 * written first, so that JavaScript never sees the sum too small. */
static void finish(const fan_command *command) {
  fan_port *port = command->port;
  if (command->op == FAN_OP_FREE) {
    fan_port_free(port);
    return;
  }
  if (!command->frame) return;
  size_t cost = fan_buf_cost(command->frame);
  if (command->op == FAN_OP_PUBLISH) fan_free(command->target);
  fan_buf_unref(command->frame);
  size_t held = port->hub ? fan_hub_held_bytes(port->hub) : 0;
  atomic_store_explicit(&port->held_bytes, held, memory_order_relaxed);
  atomic_fetch_add_explicit(&port->taken_bytes, cost, memory_order_release);
}

static void take_inbox(fan_loop *loop) {
  bool was_open = loop->stretch_open;
  fan_batch *batch = fan_inbox_take(&loop->inbox, &loop->stretch_open);
  if (was_open && !loop->stretch_open) loop->stretch_end_ms = loop->now_ms;
  if (!batch) return;
  if (loop->work) loop->work_last->next = batch;
  else loop->work = batch;
  while (batch->next) batch = batch->next;
  loop->work_last = batch;
}

static void next_batch(fan_loop *loop) {
  fan_batch *done = loop->work;
  loop->work = done->next;
  loop->work_next = 0;
  fan_free(done);
}

/* Is this command part of a large stretch whose readers should be given time? Each is written to before more is taken in. Then,
 * while the stretch goes on (JavaScript is busy, and readers in the same process cannot read), who is behind is waited for;
 * afterwards for a moment only. */
static bool must_wait(const fan_loop *loop, const fan_command *command) {
  if (!command->bulk || !command->port->hub) return false;
  if (command->port->unwritten) return true;
  fan_hub_set_time(command->port->hub, loop->now_ms);
  return fan_hub_wait(command->port->hub, loop->stretch_open ? loop->now_ms : loop->stretch_end_ms);
}

enum intake { INTAKE_DONE, INTAKE_MORE, INTAKE_HELD };

/* Carries out what was posted, in order, up to the turn's measure. */
static enum intake take_commands(fan_loop *loop) {
  size_t bytes = 0;
  for (uint32_t n = 0; loop->work; n++) {
    const fan_command *command = &loop->work->commands[loop->work_next];
    size_t cost = command->frame ? fan_buf_cost(command->frame) : 0;
    size_t most = command->port->bulk_bytes < TURN_INTAKE ? command->port->bulk_bytes : TURN_INTAKE;
    if (n >= TURN_COMMANDS || (bytes && bytes + cost > most)) return INTAKE_MORE;
    if (must_wait(loop, command)) return INTAKE_HELD;
    execute(loop, command);
    finish(command);
    bytes += cost;
    if (++loop->work_next == loop->work->count) next_batch(loop);
  }
  return INTAKE_DONE;
}

/* ---- the turn ---- */

static void handle_events(fan_loop *loop, const fan_poll_event *events, int count) {
  for (int i = 0; i < count; i++) {
    fan_wire *found = fan_map_get(&loop->wires, events[i].token);
    if (!found) continue;
    touch(loop, found->port);
    if (events[i].broken)
      fan_hub_broken(found->port->hub, found->client, fan_sink_fd_error(&found->base));
    else if (events[i].writable) fan_hub_writable(found->port->hub, found->client);
  }
}

/* False: no memory, some may be left. */
static bool push_notices(fan_loop *loop, fan_hub *hub) {
  fan_notice notice;
  while (fan_outbox_reserve(&loop->outbox)) {
    if (!fan_hub_next_notice(hub, &notice)) return true;
    fan_letter letter = {.kind = (uint8_t)notice.kind,
                         .reason = (uint8_t)notice.reason,
                         .client = notice.client,
                         .queued_bytes = notice.queued_bytes,
                         .private_bytes = notice.private_bytes};
    fan_outbox_push(&loop->outbox, &letter);
  }
  return false;
}

/* Answers whether some hub wants another turn at once. */
static bool run_hubs(fan_loop *loop) {
  bool more = false;
  for (fan_list *node = loop->ports.next; node != &loop->ports; node = node->next) {
    fan_port *port = fan_list_entry(node, fan_port, node);
    if (!port->touched && fan_hub_due_ms(port->hub) > loop->now_ms) continue;
    port->touched = port->unwritten = fan_hub_turn(port->hub, loop->now_ms, SLICE);
    more |= port->unwritten;
    atomic_store_explicit(&port->held_bytes, fan_hub_held_bytes(port->hub), memory_order_relaxed);
    if (!push_notices(loop, port->hub)) port->touched = loop->notices_wait = true;
    copy_stats(loop, port);
  }
  return more;
}

static void post_notices(fan_loop *loop) {
  fan_relays_push(&loop->relays);
  if (fan_outbox_post(&loop->outbox)) loop->wake(loop->context);
  if (loop->outbox.writing.count) loop->notices_wait = true;
  fan_sinks_fd_cut(&loop->evicted);
}

static int wait_ms(fan_loop *loop, bool more, enum intake intake) {
  uint64_t due = FAN_NEVER;
  if (more || intake == INTAKE_MORE) return 0;
  if (intake == INTAKE_HELD || loop->notices_wait) return HOLD_POLL_MS;
  if (!fan_inbox_sleep(&loop->inbox)) return 0;
  for (fan_list *node = loop->ports.next; node != &loop->ports; node = node->next) {
    uint64_t own = fan_hub_due_ms(fan_list_entry(node, fan_port, node)->hub);
    if (own < due) due = own;
  }
  if (due == FAN_NEVER) return -1;
  uint64_t now = fan_clock_ms();
  if (due <= now) return 0;
  return due - now < 60000 ? (int)(due - now) : 60000;
}

static void *run(void *context) {
  fan_loop *loop = context;
  fan_poll_event events[MAX_EVENTS];
  bool more = false;
  enum intake intake = INTAKE_DONE;
  while (!atomic_load_explicit(&loop->stop, memory_order_acquire)) {
    int count = fan_poll_wait(loop->poll, events, MAX_EVENTS, wait_ms(loop, more, intake));
    loop->now_ms = fan_clock_ms();
    loop->notices_wait = false;
    handle_events(loop, events, count);
    take_inbox(loop);
    intake = take_commands(loop);
    more = run_hubs(loop);
    post_notices(loop);
  }
  return NULL;
}

/* ---- life ---- */

fan_loop *fan_loop_new(fan_wake wake, void *context) {
  fan_loop *loop = fan_zalloc(sizeof *loop);
  if (!loop) return NULL;
  loop->wake = wake;
  loop->context = context;
  loop->now_ms = fan_clock_ms();
  atomic_init(&loop->stop, false);
  fan_list_init(&loop->ports);
  fan_list_init(&loop->evicted);
  fan_list_init(&loop->relays.gathering);
  loop->relays.outbox = &loop->outbox;
  fan_map_init(&loop->wires);
  loop->poll = fan_poll_new();
  if (loop->poll && fan_inbox_init(&loop->inbox) == 0) {
    if (fan_outbox_init(&loop->outbox) == 0) {
      if (pthread_mutex_init(&loop->stats_mutex, NULL) == 0) return loop;
      fan_outbox_deinit(&loop->outbox);
    }
    fan_inbox_deinit(&loop->inbox);
  }
  fan_poll_free(loop->poll);
  fan_free(loop);
  return NULL;
}

/* The thread takes no signals: they are the business of the threads that were there before it. */
int fan_loop_start(fan_loop *loop) {
  sigset_t all, old;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &old);
  int error = pthread_create(&loop->thread, NULL, run, loop);
  pthread_sigmask(SIG_SETMASK, &old, NULL);
  loop->running = error == 0;
  return error ? FAN_EIO : 0;
}

/* After the join: what was posted and not carried out gives back what it holds; nothing of it takes effect. */
static void drop_commands(fan_loop *loop) {
  fan_inbox_post(&loop->inbox, true);
  loop->now_ms = fan_clock_ms();
  take_inbox(loop);
  while (loop->work) {
    const fan_command *command = &loop->work->commands[loop->work_next];
    if (command->op == FAN_OP_ATTACH) command->sink->ops->close(command->sink, FAN_SINK_EVICT);
    if (command->op == FAN_OP_FREE) fan_list_remove(&command->port->node);
    finish(command);
    if (++loop->work_next == loop->work->count) next_batch(loop);
  }
}

void fan_loop_stop(fan_loop *loop) {
  if (!loop->running) return;
  atomic_store_explicit(&loop->stop, true, memory_order_release);
  fan_poll_wake(loop->poll);
  pthread_join(loop->thread, NULL);
  loop->running = false;
  drop_commands(loop);
  while (!fan_list_empty(&loop->ports))
    shut(loop, fan_list_entry(loop->ports.next, fan_port, node));
  fan_sinks_fd_cut(&loop->evicted);
}

void fan_loop_free(fan_loop *loop) {
  assert(!loop->running);
  drop_commands(loop);
  fan_map_deinit(&loop->wires);
  fan_outbox_deinit(&loop->outbox);
  fan_inbox_deinit(&loop->inbox);
  pthread_mutex_destroy(&loop->stats_mutex);
  fan_poll_free(loop->poll);
  fan_free(loop);
}

/* ---- the JavaScript thread's side ---- */

static void post_batch(fan_loop *loop, bool end_of_stretch) {
  if (!fan_inbox_post(&loop->inbox, end_of_stretch)) return;
  loop->wakeups++;
  fan_poll_wake(loop->poll);
}

int fan_loop_post(fan_loop *loop, const fan_command *command) {
  fan_port *port = command->port;
  fan_command copy = *command;
  size_t cost = command->frame ? fan_buf_cost(command->frame) : 0;
  if (port->stretch != loop->stretch) {
    port->stretch = loop->stretch;
    port->stretch_bytes = 0;
  }
  copy.bulk = cost && port->stretch_bytes + cost > port->bulk_bytes;
  int full = fan_inbox_add(&loop->inbox, &copy);
  if (full < 0) return full;
  port->posted_bytes += cost;
  port->stretch_bytes += cost;
  if (full) {
    loop->posted_early = true;
    post_batch(loop, false);
  }
  return 0;
}

void fan_loop_flush(fan_loop *loop) {
  loop->stretch++;
  if (!loop->inbox.open && !loop->posted_early) return;
  loop->posted_early = false;
  post_batch(loop, true);
}

const fan_letters *fan_loop_take(fan_loop *loop) { return fan_outbox_take(&loop->outbox); }

void fan_loop_stats(fan_loop *loop, fan_port *port, fan_stats *stats) {
  pthread_mutex_lock(&loop->stats_mutex);
  *stats = port->stats;
  pthread_mutex_unlock(&loop->stats_mutex);
}

uint64_t fan_loop_wakeups(const fan_loop *loop) { return loop->wakeups; }
