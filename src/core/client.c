/* What a client is given, its clocks, and its end. */
#include <assert.h>

#include "client_private.h"
#include "err.h"
#include "mem.h"
#include "ticket.h"

void fan_clients_init(fan_clients *clients, const fan_limits *limits, uint64_t now_ms) {
  *clients = (fan_clients){.limits = *limits, .now_ms = now_ms, .flush_due_ms = FAN_NEVER};
  fan_wheel_init(&clients->wheel, now_ms);
  fan_list_init(&clients->dirty);
  fan_list_init(&clients->behind);
  fan_list_init(&clients->notices);
  fan_list_init(&clients->dead);
}

static uint64_t earlier(uint64_t a, uint64_t b) { return a < b ? a : b; }

/* Does the stall clock run? The sink did not take what waits, or there is no sink yet. Bytes that are about to be written
 * say nothing of the reader: the batch window is open, or the loop itself was late. */
static bool waiting(const fan_client *client) { return client->blocked || !client->sink; }

/* When the timer has to look again. A heartbeat that is due but not wanted is looked at an interval later. */
static uint64_t next_deadline(const fan_client *client) {
  const fan_limits *limits = &client->shared->limits;
  uint64_t now = client->shared->now_ms, due = client->lifetime_due_ms;
  if (client->state == FAN_DRAINING) due = FAN_NEVER;
  else if (client->heartbeat_ms) {
    uint64_t beat = client->wrote_ms + client->heartbeat_ms;
    due = earlier(due, beat > now ? beat : now + client->heartbeat_ms);
  }
  if (limits->idle_ms && client->state != FAN_DRAINING)
    due = earlier(due, client->event_ms + limits->idle_ms);
  if (limits->stall_ms && waiting(client))
    due = earlier(due, client->progress_ms + limits->stall_ms);
  if (fan_client_has_shed(client) && !client->tell_shed)
    due = earlier(due, client->shed_told_ms + FAN_SHED_MS);
  return due;
}

static void arm(fan_client *client, uint64_t due_ms) {
  if (due_ms == FAN_NEVER) fan_wheel_disarm(&client->shared->wheel, &client->timer);
  else fan_wheel_arm(&client->shared->wheel, &client->timer, due_ms);
}

void fan_client_wake_by(fan_client *client, uint64_t due_ms) {
  if (due_ms == FAN_NEVER) return;
  if (!fan_timer_armed(&client->timer) || due_ms < client->timer.due_ms) arm(client, due_ms);
}

void fan_client_init(fan_client *client, fan_clients *shared, const fan_client_config *config) {
  uint64_t now = shared->now_ms;
  *client = (fan_client){
      .shared = shared,
      .reason = FAN_NO_REASON,
      .wrote_ms = now,
      .progress_ms = now,
      .event_ms = now,
      .heartbeat_ms = config->heartbeat_ms,
      .heartbeat = config->heartbeat_ms ? fan_buf_ref(config->heartbeat) : NULL,
      .lifetime_due_ms = config->lifetime_ms ? now + config->lifetime_ms : FAN_NEVER,
  };
  fan_list_init(&client->dirty_node);
  fan_list_init(&client->behind_node);
  fan_list_init(&client->notice_node);
  fan_list_init(&client->dead_node);
  fan_outq_init(&client->queue);
  fan_timer_init(&client->timer);
  arm(client, next_deadline(client));
}

static void drop_held(fan_client *client) {
  if (!client->held) return;
  fan_held_deinit(client->held);
  fan_free(client->held);
  client->held = NULL;
  client->gated = false;
}

void fan_client_forget(fan_client *client) {
  fan_outq_clear(&client->queue);
  drop_held(client);
}

void fan_client_deinit(fan_client *client) {
  assert(!client->sink);
  fan_wheel_disarm(&client->shared->wheel, &client->timer);
  fan_list_remove(&client->dirty_node);
  fan_list_remove(&client->behind_node);
  fan_list_remove(&client->notice_node);
  fan_list_remove(&client->dead_node);
  fan_outq_deinit(&client->queue);
  drop_held(client);
  fan_buf_unref(client->heartbeat);
  client->heartbeat = NULL;
}

void fan_client_mark_dirty(fan_client *client) {
  fan_clients *shared = client->shared;
  if (fan_list_linked(&client->dirty_node)) return;
  fan_list_push(&shared->dirty, &client->dirty_node);
  if (shared->flush_due_ms == FAN_NEVER)
    shared->flush_due_ms = shared->now_ms + shared->limits.batch_ms;
}

void fan_client_mark_urgent(fan_client *client) {
  fan_client_mark_dirty(client);
  client->shared->flush_due_ms = client->shared->now_ms;
}

void fan_client_mark_notice(fan_client *client) {
  if (!fan_list_linked(&client->notice_node))
    fan_list_push(&client->shared->notices, &client->notice_node);
}

int fan_client_attach(fan_client *client, fan_sink *sink) {
  if (client->state == FAN_DEAD || client->sink) return FAN_EINVALID;
  client->sink = sink;
  client->progress_ms = client->shared->now_ms; /* from now on it is the reader who takes time */
  fan_outq_set_raw(&client->queue, sink->raw);
  if (client->state == FAN_OPENING) client->state = FAN_OPEN;
  fan_client_mark_urgent(client);
  return 0;
}

/* ---- what it is given ---- */

size_t fan_client_backlog(const fan_client *client) {
  return client->queue.bytes + (client->held ? client->held->bytes : 0);
}

size_t fan_client_ahead(const fan_client *client) {
  return client->gated ? client->queue.bytes : fan_client_backlog(client);
}

bool fan_client_has_shed(const fan_client *client) {
  for (int i = 0; i < FAN_DROP_COUNT; i++)
    if (client->shed.events[i]) return true;
  return false;
}

void fan_client_count_shed(fan_client *client, enum fan_drop drop, size_t bytes) {
  fan_stats *stats = &client->shared->stats;
  stats->shed_events[drop]++;
  stats->shed_bytes[drop] += bytes;
  client->shed.events[drop]++;
  client->shed.bytes[drop] += bytes;
  if (client->tell_shed) return;
  uint64_t due = client->shed_told_ms + FAN_SHED_MS;
  if (client->shed_told_ms && client->shared->now_ms < due) {
    fan_client_wake_by(client, due);
    return;
  }
  client->tell_shed = true;
  fan_client_mark_notice(client);
}

static enum fan_verdict enqueue(fan_client *client, fan_buf *frame) {
  size_t replaced;
  if (fan_outq_empty(&client->queue)) client->progress_ms = client->shared->now_ms;
  if (fan_outq_push(&client->queue, frame, &replaced) != 0) {
    fan_client_kill(client, FAN_ERROR);
    return FAN_LOST;
  }
  if (replaced) fan_client_count_shed(client, FAN_DROP_REPLACED, replaced);
  return FAN_QUEUED;
}

static enum fan_verdict hold(fan_client *client, fan_buf *frame) {
  size_t replaced;
  if (fan_held_push(client->held, frame, client->shared->latest, &replaced) != 0) {
    fan_client_kill(client, FAN_ERROR);
    return FAN_LOST;
  }
  if (replaced) fan_client_count_shed(client, FAN_DROP_REPLACED, replaced);
  return FAN_QUEUED;
}

static enum fan_verdict accept(fan_client *client, fan_buf *frame, bool held) {
  fan_clients *shared = client->shared;
  fan_buf_owe(frame);
  enum fan_verdict verdict = held ? hold(client, frame) : enqueue(client, frame);
  if (verdict != FAN_QUEUED) {
    fan_buf_settle(frame, FAN_CLOSED);
    return verdict;
  }
  shared->stats.deliveries++;
  if (frame->kind == FAN_BUF_EVENT) client->event_ms = shared->now_ms;
  fan_client_mark_dirty(client);
  /* A long batch window must not hide a flood. */
  if (fan_client_backlog(client) > shared->limits.queue_bytes / 4)
    shared->flush_due_ms = shared->now_ms;
  return FAN_QUEUED;
}

enum fan_verdict fan_client_push(fan_client *client, fan_buf *frame) {
  if (client->state >= FAN_DRAINING) return FAN_DEAF;
  return accept(client, frame, client->held != NULL);
}

enum fan_verdict fan_client_push_private(fan_client *client, fan_buf *frame) {
  if (client->state >= FAN_DRAINING) return FAN_DEAF;
  return accept(client, frame, client->held && !client->gated);
}

enum fan_verdict fan_client_push_kept(fan_client *client, fan_buf *frame) {
  if (client->state == FAN_DEAD) return FAN_DEAF;
  size_t before = client->queue.bytes;
  enum fan_verdict verdict = accept(client, frame, false);
  if (verdict == FAN_QUEUED) client->replayed_bytes += client->queue.bytes - before;
  return verdict;
}

int fan_client_hold(fan_client *client) {
  if (client->held) return 0;
  client->held = fan_alloc(sizeof *client->held);
  if (!client->held) return FAN_ENOMEM;
  fan_held_init(client->held);
  return 0;
}

bool fan_client_let_through(fan_client *client, uint64_t seq) {
  while (fan_held_follows(client->held) < seq) {
    fan_buf *frame = fan_held_shift(client->held);
    enum fan_verdict verdict = enqueue(client, frame);
    if (verdict != FAN_QUEUED) fan_buf_settle(frame, FAN_CLOSED);
    fan_buf_unref(frame);
    if (verdict != FAN_QUEUED) return false;
  }
  fan_client_mark_dirty(client);
  if (seq == FAN_NEVER) drop_held(client);
  return true;
}

int fan_client_gate(fan_client *client) {
  int error = fan_client_hold(client);
  if (!error) client->gated = true;
  return error;
}

void fan_client_ungate(fan_client *client) {
  if (client->state >= FAN_DRAINING || !client->gated) return;
  (void)fan_client_let_through(client, FAN_NEVER);
}

void fan_client_count_private(fan_client *client, size_t bytes) { client->private_bytes += bytes; }

/* It has a reason to end, and these will not be written any more. */
static void count_dropped(fan_client *client, uint64_t events, uint64_t bytes) {
  fan_stats *stats = &client->shared->stats;
  stats->dropped_events[client->reason] += events;
  stats->dropped_bytes[client->reason] += bytes;
  client->dropped_events += events;
  client->dropped_bytes += bytes;
}

void fan_client_kill(fan_client *client, enum fan_reason reason) {
  if (client->state == FAN_DEAD) return;
  client->state = FAN_DEAD;
  if (client->reason == FAN_NO_REASON) client->reason = (uint8_t)reason;
  count_dropped(client, fan_client_frames(client), fan_client_backlog(client));
  fan_list_remove(&client->dirty_node);
  fan_list_remove(&client->behind_node);
  fan_list_push(&client->shared->dead, &client->dead_node);
}

/* It ends before it was told what should come first: what is behind the gate makes no sense without, and an id in it would move the
 * reader's cursor past what it has not got. */
static void forgo_held(fan_client *client) {
  count_dropped(client, client->held->count, client->held->bytes);
  drop_held(client);
}

void fan_client_close(fan_client *client, enum fan_reason reason) {
  if (client->state >= FAN_DRAINING) return;
  client->state = FAN_DRAINING;
  client->reason = (uint8_t)reason;
  client->last = client->shared->latest;
  if (client->gated) forgo_held(client);
  if (fan_outq_empty(&client->queue)) client->progress_ms = client->shared->now_ms;
  fan_client_mark_dirty(client);
  arm(client, next_deadline(client));
}

void fan_client_on_timer(fan_client *client) {
  fan_clients *shared = client->shared;
  const fan_limits *limits = &shared->limits;
  uint64_t now = shared->now_ms;
  if (client->state == FAN_DEAD) return;
  if (limits->stall_ms && waiting(client) && now >= client->progress_ms + limits->stall_ms) {
    fan_client_kill(client, FAN_STALLED);
    return;
  }
  if (client->state != FAN_DRAINING) {
    if (now >= client->lifetime_due_ms) fan_client_close(client, FAN_LIFETIME);
    else if (limits->idle_ms && now >= client->event_ms + limits->idle_ms)
      fan_client_close(client, FAN_IDLE);
    else if (client->heartbeat_ms && client->sink && fan_outq_empty(&client->queue) &&
             now >= client->wrote_ms + client->heartbeat_ms) {
      if (accept(client, client->heartbeat, false) == FAN_QUEUED) shared->stats.heartbeats++;
      client->wrote_ms =
          now; /* also when it is not yet written: the next one is an interval away */
    }
  }
  if (client->state == FAN_DEAD) return;
  if (fan_client_has_shed(client) && now >= client->shed_told_ms + FAN_SHED_MS) {
    client->tell_shed = true;
    fan_client_mark_notice(client);
  }
  arm(client, next_deadline(client));
}
