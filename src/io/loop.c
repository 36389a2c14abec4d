#define _GNU_SOURCE
#include <assert.h>
#include <signal.h>
#include <string.h>

#include "clock.h"
#include "loop_private.h"
#include "sink_detached.h"

#define SLICE 128 /* clients written between two looks at the inbox and the sockets */
#define MAX_EVENTS 256
#define HOLD_POLL_MS 5 /* while something is held back: how often to look again */

/* ---- the turn ---- */

static void handle_events(fan_loop *loop, const fan_poll_event *events, int count) {
  for (int i = 0; i < count; i++) {
    fan_wire *found = fan_map_get(&loop->wires, events[i].token);
    if (!found) continue;
    if (fan_sink_lingers(&found->base)) {
      fan_sink_linger(&found->base, events[i].broken);
      continue;
    }
    fan_loop_touch(loop, found->port);
    if (events[i].broken || (events[i].readable && !fan_sink_detached_read(&found->base)))
      fan_hub_broken(found->port->hub, found->client, fan_sink_fd_error(&found->base));
    else if (events[i].writable) fan_hub_writable(found->port->hub, found->client);
  }
}

static fan_letter letter_of(const fan_port *port, const fan_notice *notice) {
  fan_letter letter = {
      .kind = (uint8_t)notice->kind, .reason = (uint8_t)notice->reason, .id = notice->id};
  switch (notice->kind) {
  case FAN_NOTICE_DROP:
    letter.reason = (uint8_t)notice->drop;
    break;
  case FAN_NOTICE_FORGOTTEN:
    letter.id = port->id;
    letter.numbers[0] = notice->id;
    letter.numbers[1] = notice->last;
    return letter;
  default:
    break;
  }
  memcpy(letter.numbers, notice->numbers, sizeof letter.numbers);
  return letter;
}

/* False: no memory, some may be left. */
static bool push_notices(fan_loop *loop, fan_port *port) {
  fan_notice notice;
  while (fan_outbox_reserve(&loop->outbox)) {
    if (!fan_hub_next_notice(port->hub, &notice)) return true;
    fan_letter letter = letter_of(port, &notice);
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
    if (!push_notices(loop, port)) port->touched = loop->notices_wait = true;
    fan_loop_copy_stats(loop, port);
  }
  return more;
}

static void post_notices(fan_loop *loop) {
  fan_relays_push(&loop->relays);
  if (fan_outbox_post(&loop->outbox)) loop->wake(loop->context);
  if (loop->outbox.writing.count) loop->notices_wait = true;
  fan_sinks_fd_cut(&loop->evicted);
  fan_lingering_close(&loop->lingering, loop->now_ms);
}

static int wait_ms(fan_loop *loop, bool more, enum intake intake) {
  uint64_t due = fan_lingering_due_ms(&loop->lingering);
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
    fan_loop_take_inbox(loop);
    intake = fan_loop_take_commands(loop);
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
  fan_list_init(&loop->lingering);
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

void fan_loop_stop(fan_loop *loop) {
  if (!loop->running) return;
  atomic_store_explicit(&loop->stop, true, memory_order_release);
  fan_poll_wake(loop->poll);
  pthread_join(loop->thread, NULL);
  loop->running = false;
  fan_loop_drop_commands(loop);
  while (!fan_list_empty(&loop->ports))
    fan_loop_shut(loop, fan_list_entry(loop->ports.next, fan_port, node));
  fan_sinks_fd_cut(&loop->evicted);
  fan_lingering_close(&loop->lingering, FAN_NEVER);
}

void fan_loop_free(fan_loop *loop) {
  assert(!loop->running);
  fan_loop_drop_commands(loop);
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
