#include "hub.h"

#include <assert.h>

#include "err.h"
#include "mem.h"
#include "room.h"

/* A client and its memberships. */
typedef struct slot {
  fan_client client;
  fan_member member;
  uint64_t id;
  uint64_t mark; /* the publish that has met this slot last */
} slot;

struct fan_hub {
  fan_clients clients;
  fan_rooms rooms;
  fan_map slots; /* id -> slot, until the sweep */
  uint64_t mark;
  fan_list ended;   /* swept; freed once their notice is taken */
  uint64_t flushes; /* since the budget was looked at */
};

static slot *slot_of_client(fan_client *client) { return fan_list_entry(client, slot, client); }
static slot *slot_of_member(fan_member *member) { return fan_list_entry(member, slot, member); }

fan_target *fan_target_new(size_t keys) {
  return fan_zalloc(sizeof(fan_target) + keys * sizeof(uint64_t));
}

fan_hub *fan_hub_new(const fan_limits *limits, uint64_t now_ms) {
  fan_hub *hub = fan_zalloc(sizeof *hub);
  if (!hub) return NULL;
  fan_clients_init(&hub->clients, limits, now_ms);
  fan_rooms_init(&hub->rooms);
  fan_map_init(&hub->slots);
  fan_list_init(&hub->ended);
  return hub;
}

static void free_slot(slot *s) {
  fan_client_deinit(&s->client);
  fan_member_deinit(&s->member);
  fan_free(s);
}

/* Takes a dead client out of everything and closes its sink. */
static void sweep_slot(fan_hub *hub, slot *s) {
  fan_client *client = &s->client;
  fan_map_remove(&hub->slots, s->id);
  fan_rooms_leave_all(&hub->rooms, &s->member);
  hub->clients.stats.ended[client->reason]++;
  if (client->sink) {
    client->sink->ops->close(client->sink, client->released ? FAN_SINK_RELEASE : FAN_SINK_EVICT);
    client->sink = NULL;
  }
  fan_outq_clear(&client->queue);
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
    sweep_slot(hub, slot_of_client(fan_list_entry(node, fan_client, dead_node)));
}

void fan_hub_end(fan_hub *hub) {
  size_t cursor = 0;
  for (slot *s; (s = fan_map_next(&hub->slots, &cursor));)
    fan_client_kill(&s->client, FAN_SHUTDOWN);
  sweep(hub);
  for (fan_list *node; (node = fan_list_shift(&hub->ended));)
    free_slot(slot_of_client(fan_list_entry(node, fan_client, dead_node)));
}

void fan_hub_free(fan_hub *hub) {
  if (!hub) return;
  fan_hub_end(hub);
  fan_rooms_deinit(&hub->rooms);
  fan_map_deinit(&hub->slots);
  assert(hub->clients.ledger.held_bytes == 0);
  fan_free(hub);
}

static slot *find(fan_hub *hub, uint64_t id) {
  slot *s = fan_map_get(&hub->slots, id);
  return s && s->client.state != FAN_DEAD ? s : NULL;
}

int fan_hub_connect(fan_hub *hub, uint64_t id, const fan_client_config *config) {
  if (fan_map_get(&hub->slots, id)) return FAN_EEXISTS;
  slot *s = fan_zalloc(sizeof *s);
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

bool fan_hub_has(fan_hub *hub, uint64_t id) { return find(hub, id) != NULL; }

int fan_hub_attach(fan_hub *hub, uint64_t id, fan_sink *sink) {
  slot *s = find(hub, id);
  return s ? fan_client_attach(&s->client, sink) : FAN_ENOTFOUND;
}

int fan_hub_join(fan_hub *hub, uint64_t id, uint64_t room) {
  slot *s = find(hub, id);
  return s ? fan_rooms_join(&hub->rooms, &s->member, room) : FAN_ENOTFOUND;
}

int fan_hub_leave(fan_hub *hub, uint64_t id, uint64_t room) {
  slot *s = find(hub, id);
  return s ? fan_rooms_leave(&hub->rooms, &s->member, room) : FAN_ENOTFOUND;
}

int fan_hub_send(fan_hub *hub, uint64_t id, fan_buf *frame) {
  slot *s = find(hub, id);
  if (!s) return FAN_ENOTFOUND;
  fan_buf_enter(frame, &hub->clients.ledger);
  hub->clients.stats.sends++;
  fan_client_count_private(&s->client, fan_buf_cost(frame));
  fan_client_push(&s->client, frame);
  return 0;
}

/* Marks a slot as met by this publish; false: it had been met. */
static bool meet(const fan_hub *hub, slot *s) {
  if (s->mark == hub->mark) return false;
  s->mark = hub->mark;
  return true;
}

static uint32_t give(fan_hub *hub, slot *s, fan_buf *frame) {
  return meet(hub, s) && fan_client_push(&s->client, frame) == FAN_QUEUED;
}

static uint32_t give_everyone(fan_hub *hub, fan_buf *frame) {
  uint32_t given = 0;
  size_t cursor = 0;
  for (slot *s; (s = fan_map_next(&hub->slots, &cursor));) given += give(hub, s, frame);
  return given;
}

/* Fan-out only queues: no client is freed and no membership changes, so walking the array is safe. */
static uint32_t give_room(fan_hub *hub, uint64_t number, fan_buf *frame) {
  const fan_room *room = fan_rooms_find(&hub->rooms, number);
  uint32_t given = 0;
  for (uint32_t i = 0; room && i < room->count; i++)
    given += give(hub, slot_of_member(room->members[i].member), frame);
  return given;
}

static void exclude_room(fan_hub *hub, uint64_t number) {
  const fan_room *room = fan_rooms_find(&hub->rooms, number);
  for (uint32_t i = 0; room && i < room->count; i++)
    meet(hub, slot_of_member(room->members[i].member));
}

uint32_t fan_hub_publish(fan_hub *hub, const fan_target *target, fan_buf *frame) {
  const uint64_t *key = target->keys + target->rooms + target->clients;
  hub->mark++;
  hub->clients.stats.publishes++;
  fan_buf_enter(frame, &hub->clients.ledger);
  /* Whoever is excepted counts as met already. */
  for (uint32_t i = 0; i < target->except_rooms; i++) exclude_room(hub, *key++);
  for (uint32_t i = 0; i < target->except_clients; i++) {
    slot *s = find(hub, *key++);
    if (s) meet(hub, s);
  }
  if (target->everyone) return give_everyone(hub, frame);
  uint32_t given = 0;
  key = target->keys;
  for (uint32_t i = 0; i < target->rooms; i++) given += give_room(hub, *key++, frame);
  for (uint32_t i = 0; i < target->clients; i++) {
    slot *s = find(hub, *key++);
    if (s) given += give(hub, s, frame);
  }
  return given;
}

int fan_hub_close_client(fan_hub *hub, uint64_t id, enum fan_reason reason) {
  slot *s = find(hub, id);
  if (!s) return FAN_ENOTFOUND;
  fan_client_close(&s->client, reason);
  return 0;
}

int fan_hub_kill_client(fan_hub *hub, uint64_t id, enum fan_reason reason, bool quiet) {
  slot *s = find(hub, id);
  if (!s) return FAN_ENOTFOUND;
  s->client.quiet = quiet;
  fan_client_kill(&s->client, reason);
  return 0;
}

int fan_hub_progress(fan_hub *hub, uint64_t id) {
  slot *s = find(hub, id);
  if (!s) return FAN_ENOTFOUND;
  fan_client_progress(&s->client);
  return 0;
}

int fan_hub_writable(fan_hub *hub, uint64_t id) {
  slot *s = find(hub, id);
  if (!s) return FAN_ENOTFOUND;
  fan_client_writable(&s->client);
  return 0;
}

int fan_hub_broken(fan_hub *hub, uint64_t id, int error) {
  slot *s = find(hub, id);
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

/* Queues may pin half of the budget: the other half is for what waits in front of the hub. */
static bool over_budget(const fan_hub *hub) {
  return hub->clients.ledger.held_bytes > hub->clients.limits.total_bytes / 2;
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
    fan_client_flush(fan_list_entry(node, fan_client, dirty_node));
    hub->flushes++;
    if (node == last) break;
  }
  bool more = !fan_list_empty(&clients->dirty);
  clients->flush_due_ms = more ? clients->now_ms : FAN_NEVER;
  return more;
}

/* The client with the longest queue; NULL: nobody's, or one that was not yet offered what it has. Bytes that can be written at
 * once are nobody's fault, and those who hold less are even less to blame. */
static slot *longest_queue(fan_hub *hub) {
  slot *longest = NULL;
  size_t cursor = 0;
  for (slot *s; (s = fan_map_next(&hub->slots, &cursor));) {
    if (s->client.state == FAN_DEAD || fan_outq_empty(&s->client.queue)) continue;
    if (!longest || s->client.queue.bytes > longest->client.queue.bytes) longest = s;
  }
  return longest && (longest->client.blocked || !longest->client.sink) ? longest : NULL;
}

/* Past the budget the longest queues end first. Rare, so each look is a walk over all clients. */
static void keep_budget(fan_hub *hub) {
  hub->flushes = 0;
  while (over_budget(hub)) {
    slot *s = longest_queue(hub);
    if (!s) return; /* what is left is heartbeats, or leaves with the next slice */
    fan_client_kill(&s->client, FAN_SLOW);
    fan_outq_clear(&s->client.queue);
  }
}

bool fan_hub_turn(fan_hub *hub, uint64_t now_ms, uint32_t max_clients) {
  fan_hub_set_time(hub, now_ms);
  hub->clients.stats.turns++;
  run_timers(hub);
  bool more = flush_some(hub, max_clients);
  /* Once all have been offered what they have; there may be more to write without end. */
  if (!more || hub->flushes >= hub->slots.count) keep_budget(hub);
  sweep(hub);
  return more;
}

static bool take_report(fan_hub *hub, fan_notice *notice) {
  fan_list *node = fan_list_shift(&hub->clients.notices);
  if (!node) return false;
  fan_client *client = fan_list_entry(node, fan_client, notice_node);
  client->report = false;
  client->reported_bytes = client->queue.bytes;
  client->private_reported_bytes = client->private_bytes;
  *notice = (fan_notice){.kind = FAN_NOTICE_REPORT,
                         .reason = FAN_NO_REASON,
                         .client = slot_of_client(client)->id,
                         .queued_bytes = client->queue.bytes,
                         .private_bytes = client->private_bytes};
  return true;
}

bool fan_hub_next_notice(fan_hub *hub, fan_notice *notice) {
  fan_list *node = fan_list_shift(&hub->ended);
  if (!node) return take_report(hub, notice);
  slot *s = slot_of_client(fan_list_entry(node, fan_client, dead_node));
  *notice = (fan_notice){.kind = s->client.released ? FAN_NOTICE_RELEASED : FAN_NOTICE_EVICTED,
                         .reason = (enum fan_reason)s->client.reason,
                         .client = s->id,
                         .dropped_bytes = s->client.dropped_bytes,
                         .dropped_events = s->client.dropped_events};
  free_slot(s);
  return true;
}

uint64_t fan_hub_due_ms(const fan_hub *hub) {
  if (!fan_list_empty(&hub->clients.dead)) return hub->clients.now_ms; /* the sweep */
  uint64_t timers = fan_wheel_due_ms(&hub->clients.wheel), flush = hub->clients.flush_due_ms;
  return timers < flush ? timers : flush;
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
  stats->held_bytes = hub->clients.ledger.held_bytes;
  stats->peak_bytes = hub->clients.ledger.peak_bytes;
  return stats;
}
