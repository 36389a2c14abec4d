#include "client.h"

#include <assert.h>

#include "err.h"

#define MAX_SLICES 128

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
  return due;
}

static void arm(fan_client *client, uint64_t due_ms) {
  if (due_ms == FAN_NEVER) fan_wheel_disarm(&client->shared->wheel, &client->timer);
  else fan_wheel_arm(&client->shared->wheel, &client->timer, due_ms);
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

void fan_client_deinit(fan_client *client) {
  assert(!client->sink);
  fan_wheel_disarm(&client->shared->wheel, &client->timer);
  fan_list_remove(&client->dirty_node);
  fan_list_remove(&client->behind_node);
  fan_list_remove(&client->notice_node);
  fan_list_remove(&client->dead_node);
  fan_outq_deinit(&client->queue);
  fan_buf_unref(client->heartbeat);
  client->heartbeat = NULL;
}

/* The client is looked at when the batch window ends; the first dirty client opens the window. */
static void mark_dirty(fan_client *client) {
  fan_clients *shared = client->shared;
  if (fan_list_linked(&client->dirty_node)) return;
  fan_list_push(&shared->dirty, &client->dirty_node);
  if (shared->flush_due_ms == FAN_NEVER)
    shared->flush_due_ms = shared->now_ms + shared->limits.batch_ms;
}

static void mark_urgent(fan_client *client) {
  mark_dirty(client);
  client->shared->flush_due_ms = client->shared->now_ms;
}

static void mark_notice(fan_client *client) {
  if (!fan_list_linked(&client->notice_node))
    fan_list_push(&client->shared->notices, &client->notice_node);
}

int fan_client_attach(fan_client *client, fan_sink *sink) {
  if (client->state == FAN_DEAD || client->sink) return FAN_EINVALID;
  client->sink = sink;
  client->progress_ms = client->shared->now_ms; /* from now on it is the reader who takes time */
  fan_outq_set_raw(&client->queue, sink->raw);
  if (client->state == FAN_OPENING) client->state = FAN_OPEN;
  mark_urgent(client);
  return 0;
}

enum fan_verdict fan_client_push(fan_client *client, fan_buf *frame) {
  fan_clients *shared = client->shared;
  if (client->state >= FAN_DRAINING) return FAN_DEAF;
  if (fan_outq_empty(&client->queue)) client->progress_ms = shared->now_ms;
  if (fan_outq_push(&client->queue, frame) != 0) {
    fan_client_kill(client, FAN_ERROR);
    return FAN_LOST;
  }
  shared->stats.deliveries++;
  if (frame->kind == FAN_BUF_EVENT) client->event_ms = shared->now_ms;
  mark_dirty(client);
  /* A long batch window must not hide a flood. */
  if (client->queue.bytes > shared->limits.queue_bytes / 4) shared->flush_due_ms = shared->now_ms;
  return FAN_QUEUED;
}

void fan_client_count_private(fan_client *client, size_t bytes) { client->private_bytes += bytes; }

void fan_client_kill(fan_client *client, enum fan_reason reason) {
  if (client->state == FAN_DEAD) return;
  client->state = FAN_DEAD;
  if (client->reason == FAN_NO_REASON) client->reason = (uint8_t)reason;
  client->dropped_events = client->queue.count;
  client->dropped_bytes = client->queue.bytes;
  client->shared->stats.dropped_events[client->reason] += client->dropped_events;
  client->shared->stats.dropped_bytes[client->reason] += client->dropped_bytes;
  fan_list_remove(&client->dirty_node);
  fan_list_remove(&client->behind_node);
  fan_list_push(&client->shared->dead, &client->dead_node);
}

static void release(fan_client *client) {
  client->released = true;
  fan_client_kill(client, (enum fan_reason)client->reason);
}

void fan_client_close(fan_client *client, enum fan_reason reason) {
  if (client->state >= FAN_DRAINING) return;
  client->state = FAN_DRAINING;
  client->reason = (uint8_t)reason;
  if (fan_outq_empty(&client->queue)) client->progress_ms = client->shared->now_ms;
  mark_dirty(client);
  arm(client, next_deadline(client));
}

enum fan_reason fan_client_reason_of(int error) {
  switch (error) {
  case FAN_EGONE:
    return FAN_CLIENT;
  case FAN_ETIMEOUT:
    return FAN_STALLED;
  default:
    return FAN_ERROR;
  }
}

static void set_blocked(fan_client *client, bool blocked) {
  if (client->blocked == blocked) return;
  client->blocked = blocked;
  client->sink->ops->want_write(client->sink, blocked);
  uint32_t stall_ms = client->shared->limits.stall_ms;
  uint64_t due = client->progress_ms + stall_ms;
  if (blocked && stall_ms && (!fan_timer_armed(&client->timer) || due < client->timer.due_ms))
    arm(client, due);
}

/* One call of the sink. Answers false when there is no use in another. */
static bool write_once(fan_client *client, size_t *budget) {
  fan_stats *stats = &client->shared->stats;
  fan_slice slices[MAX_SLICES];
  int count = fan_outq_gather(&client->queue, slices, MAX_SLICES, *budget);
  size_t offered = 0;
  for (int i = 0; i < count; i++) offered += slices[i].size;

  int64_t taken = client->sink->ops->write(client->sink, slices, count);
  stats->writes++;
  if (taken < 0 && taken != FAN_EAGAIN) {
    fan_client_kill(client, fan_client_reason_of((int)taken));
    return false;
  }
  size_t bytes = taken < 0 ? 0 : (size_t)taken;
  assert(bytes <= offered);
  if (bytes) {
    stats->written_bytes += bytes;
    stats->written_frames += fan_outq_advance(&client->queue, bytes);
    client->wrote_ms = client->progress_ms = client->shared->now_ms;
  }
  if (bytes < offered) {
    stats->blocked++;
    set_blocked(client, true);
    return false;
  }
  *budget -= bytes < *budget ? bytes : *budget;
  return *budget > 0 && !fan_outq_empty(&client->queue);
}

/* Ends who is too slow, and keeps the list of those who are behind. */
static void judge(fan_client *client) {
  fan_clients *shared = client->shared;
  size_t limit = shared->limits.queue_bytes, bytes = client->queue.bytes;
  bool tried =
      client->blocked || !client->sink; /* else it is our own budget that holds bytes back */
  /* One event always fits an empty queue, whatever its size. */
  if (bytes > limit && tried && client->queue.count > 1 && client->state != FAN_DRAINING) {
    fan_client_kill(client, FAN_SLOW);
    return;
  }
  if (fan_outq_empty(&client->queue)) {
    client->given_up = false;
    fan_list_remove(&client->behind_node);
  } else if (tried && !fan_list_linked(&client->behind_node)) {
    client->behind_since_ms = shared->now_ms;
    fan_list_push(&shared->behind, &client->behind_node);
  }
}

static void note_report(fan_client *client) {
  size_t bytes = client->queue.bytes, told = client->reported_bytes;
  bool due = client->private_bytes - client->private_reported_bytes >= FAN_LOW_BYTES ||
             (bytes >= FAN_HIGH_BYTES && (bytes >= told * 2 || bytes * 2 <= told)) ||
             (told > FAN_LOW_BYTES && bytes <= FAN_LOW_BYTES);
  if (!due) return;
  client->report = true;
  mark_notice(client);
}

void fan_client_flush(fan_client *client) {
  if (client->state == FAN_DEAD) return;
  size_t budget = FAN_TURN_BYTES;
  if (client->sink && !client->blocked)
    while (!fan_outq_empty(&client->queue) && write_once(client, &budget)) continue;
  if (client->state == FAN_DEAD) return;
  if (client->sink && fan_outq_empty(&client->queue) && client->state == FAN_DRAINING) {
    release(client);
    return;
  }
  judge(client);
  if (client->state == FAN_DEAD) return;
  note_report(client);
  if (client->sink && !client->blocked && !fan_outq_empty(&client->queue)) mark_urgent(client);
}

void fan_client_progress(fan_client *client) { client->progress_ms = client->shared->now_ms; }

void fan_client_writable(fan_client *client) {
  if (client->state == FAN_DEAD || !client->blocked) return;
  set_blocked(client, false);
  mark_urgent(client);
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
      if (fan_client_push(client, client->heartbeat) == FAN_QUEUED) shared->stats.heartbeats++;
      client->wrote_ms =
          now; /* also when it is not yet written: the next one is an interval away */
    }
  }
  if (client->state != FAN_DEAD) arm(client, next_deadline(client));
}

static uint64_t later(uint64_t a, uint64_t b) { return a > b ? a : b; }

static bool worth_waiting(const fan_client *client, uint64_t since_ms) {
  uint64_t now = client->shared->now_ms, start = later(client->behind_since_ms, since_ms);
  return now < later(start, client->progress_ms) + FAN_PACE_MS && now < start + FAN_PACE_MAX_MS;
}

bool fan_clients_wait(fan_clients *clients, uint64_t since_ms, size_t next_bytes) {
  size_t limit = clients->limits.queue_bytes, most = limit / 2;
  if (next_bytes > limit - most) most = next_bytes < limit ? limit - next_bytes : 0;
  for (fan_list *node = clients->behind.next; node != &clients->behind; node = node->next) {
    fan_client *client = fan_list_entry(node, fan_client, behind_node);
    if (client->given_up || client->queue.bytes <= most) continue;
    if (worth_waiting(client, since_ms)) return true;
    client->given_up = true;
  }
  return false;
}
