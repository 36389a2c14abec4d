/* A hub's life, its turn, and what it tells. */
#include <assert.h>

#include "err.h"
#include "hub_private.h"
#include "mem.h"
#include "prefetch.h"

fan_hub *fan_hub_new(const fan_limits *limits, const fan_history_limits *history, uint64_t now_ms) {
  static const fan_history_limits none = {0};
  fan_hub *hub = fan_zalloc(sizeof *hub);
  if (!hub) return NULL;
  fan_clients_init(&hub->clients, limits, now_ms);
  fan_rooms_init(&hub->rooms);
  fan_map_init(&hub->slots);
  fan_history_init(&hub->history, history ? history : &none);
  fan_list_init(&hub->ended);
  fan_list_init(&hub->tickets);
  return hub;
}

static void free_slot(fan_slot *s) {
  fan_slot_end_replay(s);
  fan_client_deinit(&s->client);
  fan_member_deinit(&s->member);
  fan_free(s);
}

/* Takes a dead client out of everything and closes its sink. */
static void sweep_slot(fan_hub *hub, fan_slot *s) {
  fan_client *client = &s->client;
  fan_map_remove(&hub->slots, s->id);
  fan_rooms_leave_all(&hub->rooms, &s->member);
  hub->clients.stats.ended[client->reason]++;
  if (client->sink) {
    client->sink->ops->close(client->sink, client->released ? FAN_SINK_RELEASE : FAN_SINK_EVICT);
    client->sink = NULL;
  }
  fan_client_forget(client);
  fan_slot_end_replay(s);
  fan_wheel_disarm(&hub->clients.wheel, &client->timer);
  fan_list_remove(&client->notice_node);
  if (client->quiet) {
    free_slot(s);
    return;
  }
  fan_list_push(&hub->ended, &client->dead_node);
}

static void sweep(fan_hub *hub) {
  for (fan_list *node; (node = fan_list_shift(&hub->clients.dead));)
    sweep_slot(hub, fan_slot_of_client(fan_list_entry(node, fan_client, dead_node)));
}

void fan_hub_end(fan_hub *hub) {
  size_t cursor = 0;
  for (fan_slot *s; (s = fan_map_next(&hub->slots, &cursor));)
    fan_client_kill(&s->client, FAN_SHUTDOWN);
  sweep(hub);
  for (fan_list *node; (node = fan_list_shift(&hub->ended));)
    free_slot(fan_slot_of_client(fan_list_entry(node, fan_client, dead_node)));
  for (fan_list *node; (node = fan_list_shift(&hub->tickets));)
    fan_free(fan_list_entry(node, fan_ticket, node));
}

void fan_hub_free(fan_hub *hub) {
  if (!hub) return;
  fan_hub_end(hub);
  fan_history_deinit(&hub->history);
  fan_rooms_deinit(&hub->rooms);
  fan_map_deinit(&hub->slots);
  assert(hub->clients.ledger.held_bytes == 0);
  fan_free(hub);
}

fan_slot *fan_hub_find(fan_hub *hub, uint64_t id) {
  fan_slot *s = fan_map_get(&hub->slots, id);
  return s && s->client.state != FAN_DEAD ? s : NULL;
}

int fan_hub_connect(fan_hub *hub, uint64_t id, const fan_client_config *config) {
  if (fan_map_get(&hub->slots, id)) return FAN_EEXISTS;
  fan_slot *s = fan_zalloc(sizeof *s);
  if (!s) return FAN_ENOMEM;
  if (fan_map_set(&hub->slots, id, s) != 0) {
    fan_free(s);
    return FAN_ENOMEM;
  }
  if (config->heartbeat) fan_buf_enter(config->heartbeat, &hub->clients.ledger);
  s->id = id;
  fan_client_init(&s->client, &hub->clients, config);
  fan_member_init(&s->member);
  return 0;
}

bool fan_hub_has(fan_hub *hub, uint64_t id) { return fan_hub_find(hub, id) != NULL; }

int fan_hub_attach(fan_hub *hub, uint64_t id, fan_sink *sink) {
  fan_slot *s = fan_hub_find(hub, id);
  return s ? fan_client_attach(&s->client, sink) : FAN_ENOTFOUND;
}

int fan_hub_join(fan_hub *hub, uint64_t id, uint64_t room) {
  fan_slot *s = fan_hub_find(hub, id);
  if (!s) return FAN_ENOTFOUND;
  int error = fan_rooms_join(&hub->rooms, &s->member, room);
  if (error) return error;
  error = fan_slot_joined(hub, s, room);
  if (error) (void)fan_rooms_leave(&hub->rooms, &s->member, room);
  return error;
}

int fan_hub_leave(fan_hub *hub, uint64_t id, uint64_t room) {
  fan_slot *s = fan_hub_find(hub, id);
  if (!s) return FAN_ENOTFOUND;
  fan_slot_left(hub, s, room);
  return fan_rooms_leave(&hub->rooms, &s->member, room);
}

int fan_hub_close_client(fan_hub *hub, uint64_t id, enum fan_reason reason) {
  fan_slot *s = fan_hub_find(hub, id);
  if (!s) return FAN_ENOTFOUND;
  fan_client_close(&s->client, reason);
  return 0;
}

int fan_hub_kill_client(fan_hub *hub, uint64_t id, enum fan_reason reason, bool quiet) {
  fan_slot *s = fan_hub_find(hub, id);
  if (!s) return FAN_ENOTFOUND;
  s->client.quiet = quiet;
  fan_client_kill(&s->client, reason);
  return 0;
}

int fan_hub_progress(fan_hub *hub, uint64_t id) {
  fan_slot *s = fan_hub_find(hub, id);
  if (!s) return FAN_ENOTFOUND;
  fan_client_progress(&s->client);
  return 0;
}

int fan_hub_writable(fan_hub *hub, uint64_t id) {
  fan_slot *s = fan_hub_find(hub, id);
  if (!s) return FAN_ENOTFOUND;
  fan_client_writable(&s->client);
  return 0;
}

int fan_hub_broken(fan_hub *hub, uint64_t id, int error) {
  fan_slot *s = fan_hub_find(hub, id);
  if (!s) return FAN_ENOTFOUND;
  fan_client_kill(&s->client, fan_client_reason_of(error));
  return 0;
}

void fan_hub_set_time(fan_hub *hub, uint64_t now_ms) {
  if (now_ms > hub->clients.now_ms) hub->clients.now_ms = now_ms;
}

static void run_timers(fan_hub *hub) {
  fan_wheel *wheel = &hub->clients.wheel;
  fan_wheel_advance(wheel, hub->clients.now_ms);
  for (fan_timer *timer; (timer = fan_wheel_next(wheel));)
    fan_client_on_timer(fan_list_entry(timer, fan_client, timer));
}

/* Queues may pin half of the budget, beside what the history holds: the rest is for what waits in front of the hub. */
static bool over_budget(const fan_hub *hub) {
  size_t queued = hub->clients.ledger.held_bytes - hub->history.frame_bytes;
  return queued > hub->clients.limits.total_bytes / 2;
}

/* While one is written to, in the kernel, the next is fetched. */
static void fetch_next(const fan_clients *clients) {
  const fan_client *next = fan_list_entry(clients->dirty.next, fan_client, dirty_node);
  if (fan_list_empty(&clients->dirty)) return;
  fan_prefetch(fan_slot_of_client((fan_client *)(uintptr_t)next), FAN_SLOT_HOT);
}

/* One round. Clients that want to go on are marked dirty again behind it. Answers true while some are left. */
static bool flush_some(fan_hub *hub, uint32_t max_clients) {
  fan_clients *clients = &hub->clients;
  const fan_list *last = clients->dirty.prev;
  /* Past the budget no batch window holds bytes back: they may leave yet. */
  if (clients->now_ms < clients->flush_due_ms && !over_budget(hub)) return false;
  while (max_clients--) {
    fan_list *node = fan_list_shift(&clients->dirty);
    if (!node) break;
    fan_client *client = fan_list_entry(node, fan_client, dirty_node);
    fetch_next(clients);
    fan_slot_refill(hub, fan_slot_of_client(client));
    fan_client_flush(client);
    hub->flushes++;
    if (node == last) break;
  }
  bool more = !fan_list_empty(&clients->dirty);
  clients->flush_due_ms = more ? clients->now_ms : FAN_NEVER;
  return more;
}

/* What came from the history does not count, unless nothing else waits anywhere: it may still be held when the history has let go
 * of it. */
static bool is_longer(const fan_client *a, const fan_client *b) {
  size_t x = fan_client_backlog(a), y = fan_client_backlog(b);
  size_t own_x = x - (a->replayed_bytes < x ? a->replayed_bytes : x);
  size_t own_y = y - (b->replayed_bytes < y ? b->replayed_bytes : y);
  return own_x != own_y ? own_x > own_y : x > y;
}

/* The client with the longest queue; NULL: nobody's, or one that was not yet offered what it has. Bytes that can be written at
 * once are nobody's fault, and those who hold less are even less to blame. */
static fan_slot *longest_queue(fan_hub *hub) {
  fan_slot *longest = NULL;
  size_t cursor = 0;
  for (fan_slot *s; (s = fan_map_next(&hub->slots, &cursor));) {
    if (s->client.state == FAN_DEAD || fan_client_backlog(&s->client) == 0) continue;
    if (!longest || is_longer(&s->client, &longest->client)) longest = s;
  }
  if (!longest) return NULL;
  const fan_client *client = &longest->client;
  return client->blocked || !client->sink || client->held ? longest : NULL;
}

/* Past the budget the longest queues end first. Rare, so each look is a walk over all clients. */
static void keep_budget(fan_hub *hub) {
  hub->flushes = 0;
  while (over_budget(hub)) {
    fan_slot *s = longest_queue(hub);
    if (!s) return; /* what is left is heartbeats, or leaves with the next slice */
    fan_client_kill(&s->client, FAN_SLOW);
    fan_client_forget(&s->client);
  }
}

bool fan_hub_turn(fan_hub *hub, uint64_t now_ms, uint32_t max_clients) {
  fan_hub_set_time(hub, now_ms);
  hub->clients.stats.turns++;
  run_timers(hub);
  fan_history_expire(&hub->history, hub->clients.now_ms);
  bool more = flush_some(hub, max_clients);
  /* Once all have been offered what they have; there may be more to write without end. */
  if (!more || hub->flushes >= hub->slots.count) keep_budget(hub);
  sweep(hub);
  return more;
}

/* ---- what it tells ---- */

static fan_notice notice_of(const fan_slot *s, enum fan_notice_kind kind) {
  return (fan_notice){.kind = kind, .reason = FAN_NO_REASON, .id = s->id};
}

/* One kind of drop at a time; false: none is left to be told. */
static bool take_shed(fan_slot *s, uint64_t now_ms, fan_notice *notice) {
  fan_client *client = &s->client;
  for (int i = 0; i < FAN_DROP_COUNT; i++) {
    if (!client->shed.events[i]) continue;
    *notice = notice_of(s, FAN_NOTICE_DROP);
    notice->drop = (enum fan_drop)i;
    notice->dropped_bytes = client->shed.bytes[i];
    notice->dropped_events = client->shed.events[i];
    client->shed.events[i] = client->shed.bytes[i] = 0;
    client->shed_told_ms = now_ms;
    client->tell_shed = fan_client_has_shed(client);
    return true;
  }
  return false;
}

static bool take_report(fan_slot *s, fan_notice *notice) {
  fan_client *client = &s->client;
  if (!client->report) return false;
  client->report = false;
  client->reported_bytes = fan_client_ahead(client);
  client->private_reported_bytes = client->private_bytes;
  *notice = notice_of(s, FAN_NOTICE_REPORT);
  notice->queued_bytes = client->reported_bytes;
  notice->private_bytes = client->private_bytes;
  return true;
}

static bool take_reset(fan_slot *s, fan_notice *notice) {
  if (!s->was_reset) return false;
  s->was_reset = false;
  *notice = notice_of(s, FAN_NOTICE_RESET);
  return true;
}

/* The first client that has something to tell stays first until it has told all. */
static bool next_of_living(fan_hub *hub, fan_notice *notice) {
  while (!fan_list_empty(&hub->clients.notices)) {
    fan_list *node = hub->clients.notices.next;
    fan_slot *s = fan_slot_of_client(fan_list_entry(node, fan_client, notice_node));
    if (take_reset(s, notice)) return true;
    if (s->client.tell_shed && take_shed(s, hub->clients.now_ms, notice)) return true;
    if (take_report(s, notice)) return true;
    fan_list_remove(node);
  }
  return false;
}

static bool next_of_ended(fan_hub *hub, fan_notice *notice) {
  if (fan_list_empty(&hub->ended)) return false;
  fan_list *node = hub->ended.next;
  fan_slot *s = fan_slot_of_client(fan_list_entry(node, fan_client, dead_node));
  if (take_shed(s, hub->clients.now_ms, notice)) return true;
  *notice = notice_of(s, s->client.released ? FAN_NOTICE_RELEASED : FAN_NOTICE_EVICTED);
  notice->reason = (enum fan_reason)s->client.reason;
  notice->dropped_bytes = s->client.dropped_bytes;
  notice->dropped_events = s->client.dropped_events;
  free_slot(s);
  return true;
}

static bool next_ticket(fan_hub *hub, fan_notice *notice) {
  fan_list *node = fan_list_shift(&hub->tickets);
  if (!node) return false;
  fan_ticket *ticket = fan_list_entry(node, fan_ticket, node);
  *notice = (fan_notice){.kind = FAN_NOTICE_DELIVERED, .id = ticket->id};
  notice->written = ticket->fates[FAN_WRITTEN];
  notice->dropped = ticket->fates[FAN_DROPPED];
  notice->closed = ticket->fates[FAN_CLOSED];
  fan_free(ticket);
  return true;
}

static bool next_forgotten(fan_hub *hub, fan_notice *notice) {
  uint64_t room, last;
  if (!fan_history_next_forgotten(&hub->history, &room, &last)) return false;
  *notice = (fan_notice){.kind = FAN_NOTICE_FORGOTTEN, .id = room, .last = last};
  return true;
}

bool fan_hub_next_notice(fan_hub *hub, fan_notice *notice) {
  return next_of_ended(hub, notice) || next_of_living(hub, notice) || next_ticket(hub, notice) ||
         next_forgotten(hub, notice);
}

uint64_t fan_hub_due_ms(const fan_hub *hub) {
  if (!fan_list_empty(&hub->clients.dead)) return hub->clients.now_ms; /* the sweep */
  uint64_t timers = fan_wheel_due_ms(&hub->clients.wheel), flush = hub->clients.flush_due_ms;
  uint64_t due = fan_history_due_ms(&hub->history);
  if (timers < due) due = timers;
  return flush < due ? flush : due;
}

bool fan_hub_wait(fan_hub *hub, uint64_t since_ms, size_t next_bytes) {
  return fan_clients_wait(&hub->clients, since_ms, next_bytes);
}

size_t fan_hub_held_bytes(const fan_hub *hub) { return hub->clients.ledger.held_bytes; }

const fan_stats *fan_hub_stats(fan_hub *hub) {
  fan_stats *stats = &hub->clients.stats;
  stats->clients = hub->slots.count;
  stats->memberships = hub->rooms.memberships;
  stats->rooms = hub->rooms.by_number.count;
  stats->kept_events = hub->history.count;
  stats->kept_bytes = hub->history.bytes;
  stats->held_bytes = hub->clients.ledger.held_bytes;
  stats->peak_bytes = hub->clients.ledger.peak_bytes;
  return stats;
}
