/* What JavaScript posted, carried out by the loop. */

#include "clock.h"
#include "loop_private.h"
#include "sink_detached.h"

#define TURN_COMMANDS 4096       /* commands taken in one turn */
#define TURN_INTAKE (256 * 1024) /* cost of the frames taken in one turn */
#define TURN_DELIVERIES                                                                            \
  65536 /* references queued in one turn: small events to a large room add up */

void fan_loop_touch(fan_loop *loop, fan_port *port) {
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
  fan_letter letter = {.kind = FAN_NOTICE_EVICTED, .reason = FAN_ERROR, .id = client};
  fan_outbox_push(&loop->outbox, &letter);
}

static void run_attach(fan_loop *loop, const fan_command *command) {
  if (wire(loop, command) == 0) return;
  command->sink->ops->close(command->sink, FAN_SINK_EVICT);
  if (fan_hub_kill_client(command->port->hub, command->client, FAN_ERROR, false) != 0)
    tell_cut(loop, command->client);
}

/* What has ended by now has a notice of its own; without memory for this one Node keeps its part. */
static void run_detach(fan_loop *loop, const fan_command *command) {
  fan_wire *found = fan_map_get(&loop->wires, command->client);
  if (!found || fan_sink_is_relay(&found->base) ||
      !fan_hub_has(command->port->hub, command->client))
    return;
  if (!fan_outbox_reserve(&loop->outbox)) return;
  fan_sink_detach(&found->base, &loop->lingering);
  fan_letter letter = {.kind = FAN_NOTICE_DETACHED, .reason = FAN_NO_REASON, .id = command->client};
  fan_outbox_push(&loop->outbox, &letter);
}

static void run_publish(fan_loop *loop, const fan_command *command) {
  union {
    fan_target target;
    uint64_t room[sizeof(fan_target) / sizeof(uint64_t) + 1];
  } one = {.target = {.rooms = 1}};
  one.target.keys[0] = command->number;
  loop->deliveries += fan_hub_publish(
      command->port->hub, command->target ? command->target : &one.target, command->frame);
}

static void run_credit(fan_loop *loop, const fan_command *command) {
  fan_wire *found = fan_map_get(&loop->wires, command->client);
  if (!found || !fan_sink_is_relay(&found->base)) return;
  fan_hub_progress(command->port->hub, command->client);
  if (fan_sink_relay_credit(&found->base, (size_t)command->number))
    fan_hub_writable(command->port->hub, command->client);
}

void fan_loop_copy_stats(fan_loop *loop, fan_port *port) {
  pthread_mutex_lock(&loop->stats_mutex);
  port->stats = *fan_hub_stats(port->hub);
  pthread_mutex_unlock(&loop->stats_mutex);
}

static void drop_deferred(fan_port *port);

void fan_loop_shut(fan_loop *loop, fan_port *port) {
  drop_deferred(port);
  fan_list_remove(&port->node);
  if (port->hub) fan_hub_end(port->hub); /* that takes a while: not under the mutex */
  pthread_mutex_lock(&loop->stats_mutex);
  fan_port_shut(port);
  pthread_mutex_unlock(&loop->stats_mutex);
}

/* What concerns clients that come back. */
static void catch_up(fan_hub *hub, const fan_command *command) {
  switch ((enum fan_op)command->op) {
  case FAN_OP_RESUME:
    (void)fan_hub_resume(hub, command->client, command->number, command->frame,
                         (enum fan_otherwise)command->otherwise);
    break;
  case FAN_OP_REPLAYED:
    (void)fan_hub_replayed(hub, command->client, command->frame);
    break;
  case FAN_OP_RESTART:
    fan_hub_restart_history(hub, command->number);
    break;
  case FAN_OP_GATE:
    (void)fan_hub_gate(hub, command->client);
    break;
  case FAN_OP_UNGATE:
    (void)fan_hub_ungate(hub, command->client);
    break;
  default:
    break;
  }
}

static void execute(fan_loop *loop, const fan_command *command) {
  fan_port *port = command->port;
  if (!port->hub) { /* shut: what comes late finds nothing */
    if (command->op == FAN_OP_ATTACH) command->sink->ops->close(command->sink, FAN_SINK_EVICT);
    return;
  }
  fan_loop_touch(loop, port);
  switch ((enum fan_op)command->op) {
  case FAN_OP_OPEN:
    fan_list_push(&loop->ports, &port->node);
    break;
  case FAN_OP_SHUT:
  case FAN_OP_FREE:
    fan_loop_shut(loop, port);
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
  case FAN_OP_DETACH:
    run_detach(loop, command);
    break;
  case FAN_OP_RESUME:
  case FAN_OP_REPLAYED:
  case FAN_OP_RESTART:
  case FAN_OP_GATE:
  case FAN_OP_UNGATE:
    catch_up(port->hub, command);
    break;
  case FAN_OP_SEND:
    (void)fan_hub_send(port->hub, command->client, command->frame);
    break;
  case FAN_OP_PUBLISH:
    run_publish(loop, command);
    break;
  case FAN_OP_CREDIT:
    run_credit(loop, command);
    break;
  case FAN_OP_CLOSE:
    (void)fan_hub_close_client(port->hub, command->client, (enum fan_reason)command->reason);
    break;
  case FAN_OP_KILL:
  case FAN_OP_EVICT:
    (void)fan_hub_kill_client(port->hub, command->client, (enum fan_reason)command->reason,
                              command->op == FAN_OP_KILL);
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

void fan_loop_take_inbox(fan_loop *loop) {
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
  fan_inbox_give_back(&loop->inbox, done);
}

/* ---- pacing: what is held back waits with its port, so that other hubs go on ---- */

/* Is this command part of a large stretch whose readers should be given time? Each is written to before more is taken in. Then,
 * while the stretch goes on (JavaScript is busy, and readers in the same process cannot read), who is behind is waited for;
 * afterwards for a moment only. */
static bool must_wait(const fan_loop *loop, const fan_command *command) {
  if (!command->bulk || !command->port->hub) return false;
  if (command->port->unwritten) return true;
  fan_hub_set_time(command->port->hub, loop->now_ms);
  return fan_hub_wait(command->port->hub, loop->stretch_open ? loop->now_ms : loop->stretch_end_ms,
                      fan_buf_chunked(command->frame).size);
}

/* These do not wait for what was posted before them: who ends has no use for it, and readers need credit to catch up. */
static bool overtakes(const fan_command *command) {
  switch (command->op) {
  case FAN_OP_SHUT:
  case FAN_OP_FREE:
  case FAN_OP_CREDIT:
    return true;
  case FAN_OP_KILL:
  case FAN_OP_EVICT: /* unless its client waits in the same line */
    return command->port->hub && fan_hub_has(command->port->hub, command->client);
  default:
    return false;
  }
}

/* Moves a command to the end of its port's line. False: no memory, so it is carried out at once. */
static bool defer(const fan_command *command) {
  fan_port *port = command->port;
  fan_batch *batch = port->deferred_last;
  if (!port->deferred || batch->count == FAN_BATCH_COMMANDS) {
    batch = fan_alloc(sizeof *batch);
    if (!batch) return false;
    batch->next = NULL;
    batch->count = 0;
    if (port->deferred) port->deferred_last->next = batch;
    else port->deferred = batch;
    port->deferred_last = batch;
  }
  batch->commands[batch->count++] = *command;
  return true;
}

static const fan_command *first_deferred(const fan_port *port) {
  return port->deferred ? &port->deferred->commands[port->deferred_next] : NULL;
}

static void shift_deferred(fan_port *port) {
  fan_batch *batch = port->deferred;
  if (++port->deferred_next < batch->count) return;
  port->deferred = batch->next;
  port->deferred_next = 0;
  fan_free(batch);
}

/* Gives back what a command holds that will not be carried out. */
static void drop(const fan_command *command) {
  if (command->op == FAN_OP_ATTACH) command->sink->ops->close(command->sink, FAN_SINK_EVICT);
  finish(command);
}

static void drop_deferred(fan_port *port) {
  for (const fan_command *command; (command = first_deferred(port)); shift_deferred(port))
    drop(command);
}

/* ---- intake ---- */

/* What one turn may take: small events to a large room add up, and so do large events. */
typedef struct measure {
  uint32_t commands;
  size_t bytes;
} measure;

static bool is_full(const fan_loop *loop, const measure *taken, const fan_command *command) {
  size_t cost = command->frame ? fan_buf_cost(command->frame) : 0;
  size_t most = command->port->bulk_bytes < TURN_INTAKE ? command->port->bulk_bytes : TURN_INTAKE;
  return taken->commands >= TURN_COMMANDS || loop->deliveries >= TURN_DELIVERIES ||
         (taken->bytes && taken->bytes + cost > most);
}

static void carry_out(fan_loop *loop, measure *taken, const fan_command *command) {
  taken->commands++;
  taken->bytes += command->frame ? fan_buf_cost(command->frame) : 0;
  execute(loop, command);
  finish(command);
}

/* What waits with its port comes before what is new. */
static enum intake take_deferred(fan_loop *loop, measure *taken) {
  enum intake intake = INTAKE_DONE;
  for (fan_list *node = loop->ports.next; node != &loop->ports; node = node->next) {
    fan_port *port = fan_list_entry(node, fan_port, node);
    for (const fan_command *command; (command = first_deferred(port)); shift_deferred(port)) {
      if (is_full(loop, taken, command)) return INTAKE_MORE;
      if (must_wait(loop, command)) {
        intake = INTAKE_HELD;
        break;
      }
      carry_out(loop, taken, command);
    }
  }
  return intake;
}

/* Carries out what was posted, in the order of each port, up to the turn's measure. */
enum intake fan_loop_take_commands(fan_loop *loop) {
  measure taken = {0};
  loop->deliveries = 0;
  enum intake intake = take_deferred(loop, &taken);
  if (intake == INTAKE_MORE) return intake;
  while (loop->work) {
    const fan_command *command = &loop->work->commands[loop->work_next];
    if (is_full(loop, &taken, command)) return INTAKE_MORE;
    bool in_line = command->port->deferred && !overtakes(command);
    if ((in_line || must_wait(loop, command)) && defer(command)) intake = INTAKE_HELD;
    else carry_out(loop, &taken, command);
    taken.commands++;
    if (++loop->work_next == loop->work->count) next_batch(loop);
  }
  return intake;
}

/* After the join: what was posted and not carried out gives back what it holds; nothing of it takes effect. */
void fan_loop_drop_commands(fan_loop *loop) {
  fan_inbox_post(&loop->inbox, true);
  loop->now_ms = fan_clock_ms();
  fan_loop_take_inbox(loop);
  while (loop->work) {
    const fan_command *command = &loop->work->commands[loop->work_next];
    if (command->op == FAN_OP_FREE) {
      fan_list_remove(&command->port->node);
      drop_deferred(command->port);
    }
    drop(command);
    if (++loop->work_next == loop->work->count) next_batch(loop);
  }
}
