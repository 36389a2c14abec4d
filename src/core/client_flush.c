/* A client's part in a turn: it is written to, and judged afterwards. */
#include <assert.h>

#include "client_private.h"
#include "err.h"

#define MAX_SLICES 128

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
  if (blocked && stall_ms) fan_client_wake_by(client, client->progress_ms + stall_ms);
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
    /* What came from the history stands in front, or nearly so. */
    client->replayed_bytes -= bytes < client->replayed_bytes ? bytes : client->replayed_bytes;
  }
  if (bytes < offered) {
    stats->blocked++;
    set_blocked(client, true);
    return false;
  }
  *budget -= bytes < *budget ? bytes : *budget;
  return *budget > 0 && !fan_outq_empty(&client->queue);
}

/* The queue is empty for good: the sink has its own end to write, perhaps. False: it waits for room, or has failed. */
static bool finish(fan_client *client) {
  if (!client->sink->ops->finish) return true;
  if (client->blocked) return false;
  int error = client->sink->ops->finish(client->sink);
  if (error == FAN_EAGAIN) set_blocked(client, true);
  else if (error) fan_client_kill(client, fan_client_reason_of(error));
  return error == 0;
}

/* ---- too much waits ---- */

/* The newest of what is held back has a place of its own if the oldest are to give way: else it would be the only one that does. */
static bool newest_apart(const fan_client *client, bool oldest) {
  return oldest && client->held && client->held->count == 1;
}

/* What is held back came last, and before it is let through nothing in front of it should be touched: it may be a snapshot. */
static size_t drop_one(fan_client *client, bool oldest) {
  if (client->held && client->held->count && !newest_apart(client, oldest))
    return oldest ? fan_held_drop_oldest(client->held) : fan_held_drop_newest(client->held);
  return oldest ? fan_outq_drop_oldest(&client->queue) : fan_outq_drop_newest(&client->queue);
}

static bool may_shed(const fan_client *client, size_t limit, bool oldest) {
  uint32_t least = oldest && client->queue.offset ? 2 : 1;
  if (newest_apart(client, oldest))
    return client->queue.bytes > limit && client->queue.count > least;
  return fan_client_backlog(client) > limit && fan_client_frames(client) > least;
}

/* Lets go of events until the rest is within the limit. The oldest give way to at least one that is newer; a frame that has been
 * begun stays. False: what is left may not be dropped. */
static bool shed(fan_client *client, size_t limit) {
  bool oldest = client->shared->limits.overflow == FAN_OVERFLOW_DROP_OLDEST;
  while (may_shed(client, limit, oldest)) {
    size_t bytes = drop_one(client, oldest);
    if (!bytes) return false;
    fan_client_count_shed(client, oldest ? FAN_DROP_OLDEST : FAN_DROP_NEWEST, bytes);
  }
  return true;
}

/* Ends who is too slow, or lets go of what is too much; keeps the list of those who are behind. */
static void judge(fan_client *client) {
  fan_clients *shared = client->shared;
  size_t limit = shared->limits.queue_bytes + client->replayed_bytes;
  /* Else it is our own budget that holds bytes back. */
  bool tried = client->blocked || !client->sink || client->held;
  /* One event always fits an empty queue, whatever its size. */
  if (fan_client_backlog(client) > limit && tried && fan_client_frames(client) > 1 &&
      client->state != FAN_DRAINING &&
      (shared->limits.overflow == FAN_OVERFLOW_DISCONNECT || !shed(client, limit))) {
    fan_client_kill(client, FAN_SLOW);
    return;
  }
  if (fan_outq_empty(&client->queue)) {
    client->given_up = false;
    client->replayed_bytes = 0;
    fan_list_remove(&client->behind_node);
  } else if (tried && !fan_list_linked(&client->behind_node)) {
    client->behind_since_ms = shared->now_ms;
    fan_list_push(&shared->behind, &client->behind_node);
  }
}

static void note_report(fan_client *client) {
  size_t bytes = fan_client_ahead(client), told = client->reported_bytes;
  bool due = client->private_bytes - client->private_reported_bytes >= FAN_LOW_BYTES ||
             (bytes >= FAN_HIGH_BYTES && (bytes >= told * 2 || bytes * 2 <= told)) ||
             (told > FAN_LOW_BYTES && bytes <= FAN_LOW_BYTES);
  if (!due) return;
  client->report = true;
  fan_client_mark_notice(client);
}

void fan_client_flush(fan_client *client) {
  if (client->state == FAN_DEAD) return;
  fan_list_remove(&client->dirty_node); /* whatever it was given until now is looked at here */
  size_t budget = client->held && !client->gated ? FAN_TURN_BYTES / 4 : FAN_TURN_BYTES;
  if (client->sink && !client->blocked)
    while (!fan_outq_empty(&client->queue) && write_once(client, &budget)) continue;
  if (client->state == FAN_DEAD) return;
  bool replaying = client->held && !client->gated && !client->paused;
  if (client->state == FAN_DRAINING && client->sink && !replaying &&
      fan_outq_empty(&client->queue)) {
    if (!finish(client)) return;
    client->released = true;
    fan_client_kill(client, (enum fan_reason)client->reason);
    return;
  }
  judge(client);
  if (client->state == FAN_DEAD) return;
  note_report(client);
  bool more = replaying || !fan_outq_empty(&client->queue);
  if (client->sink && !client->blocked && more) fan_client_mark_urgent(client);
}

void fan_client_progress(fan_client *client) { client->progress_ms = client->shared->now_ms; }

void fan_client_writable(fan_client *client) {
  if (client->state == FAN_DEAD || !client->blocked) return;
  set_blocked(client, false);
  fan_client_mark_urgent(client);
}

/* ---- who is waited for ---- */

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
