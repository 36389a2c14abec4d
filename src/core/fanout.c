/* Who is given a frame. Fan-out only queues: no client is freed and no membership changes, so walking arrays is safe. */

#include "err.h"
#include "hub_private.h"
#include "prefetch.h"

#define AHEAD 8 /* members on their way into the cache */

/* Marks a slot as met by this publish; false: it had been met. */
static bool meet(const fan_hub *hub, fan_slot *slot) {
  if (slot->mark == hub->mark) return false;
  slot->mark = hub->mark;
  return true;
}

/* A client that comes from elsewhere may be further than the latest number here: what is published until then it has got, or, if it is
 * not kept, was sent while it was not here. */
static bool is_behind_it(const fan_hub *hub, const fan_slot *slot, const fan_buf *frame) {
  uint64_t seq = frame->seq ? frame->seq : hub->clients.latest + 1;
  return slot->replay && seq <= slot->replay->cursor;
}

/* A client that is catching up finds in the history what is filed under its rooms, when it comes to it. What somebody asks after is
 * not left to that: the history may let go of it. */
static bool finds_it(const fan_slot *slot, const fan_buf *frame) {
  return slot->replay && frame->seq && !frame->tracked && slot->client.state < FAN_DRAINING;
}

static uint32_t give(fan_hub *hub, fan_slot *slot, fan_buf *frame) {
  if (!meet(hub, slot) || is_behind_it(hub, slot, frame)) return 0;
  return finds_it(slot, frame) || fan_client_push(&slot->client, frame) != FAN_DEAF;
}

static uint32_t give_everyone(fan_hub *hub, fan_buf *frame) {
  uint32_t given = 0;
  size_t cursor = 0;
  for (fan_slot *slot; (slot = fan_map_next(&hub->slots, &cursor));)
    given += give(hub, slot, frame);
  return given;
}

static uint32_t give_room(fan_hub *hub, uint64_t number, fan_buf *frame) {
  const fan_room *room = fan_rooms_find(&hub->rooms, number);
  uint32_t given = 0;
  for (uint32_t i = 0; room && i < room->count; i++) {
    if (i + AHEAD < room->count)
      fan_prefetch(fan_slot_of_member(room->members[i + AHEAD].member), FAN_SLOT_HOT);
    given += give(hub, fan_slot_of_member(room->members[i].member), frame);
  }
  return given;
}

/* By id: the history has nothing for it under that name. */
static uint32_t give_client(fan_hub *hub, uint64_t id, fan_buf *frame) {
  fan_slot *slot = fan_hub_find(hub, id);
  if (!slot || !meet(hub, slot)) return 0;
  return fan_client_push(&slot->client, frame) != FAN_DEAF;
}

static void exclude_room(fan_hub *hub, uint64_t number) {
  const fan_room *room = fan_rooms_find(&hub->rooms, number);
  for (uint32_t i = 0; room && i < room->count; i++)
    meet(hub, fan_slot_of_member(room->members[i].member));
}

static uint32_t fan_out(fan_hub *hub, const fan_target *target, fan_buf *frame) {
  const uint64_t *rooms = fan_target_rooms(target), *clients = fan_target_clients(target);
  const uint64_t *except_rooms = fan_target_except_rooms(target);
  const uint64_t *except_clients = fan_target_except_clients(target);
  /* Whoever is excepted counts as met already. */
  for (uint32_t i = 0; i < target->except_rooms; i++) exclude_room(hub, except_rooms[i]);
  for (uint32_t i = 0; i < target->except_clients; i++) {
    fan_slot *slot = fan_hub_find(hub, except_clients[i]);
    if (slot) meet(hub, slot);
  }
  if (target->everyone) return give_everyone(hub, frame);
  uint32_t given = 0;
  for (uint32_t i = 0; i < target->rooms; i++) given += give_room(hub, rooms[i], frame);
  for (uint32_t i = 0; i < target->clients; i++) given += give_client(hub, clients[i], frame);
  return given;
}

uint32_t fan_hub_publish(fan_hub *hub, const fan_target *target, fan_buf *frame) {
  hub->mark++;
  hub->clients.stats.publishes++;
  fan_buf_enter(frame, &hub->clients.ledger);
  fan_ticket_open(frame, &hub->tickets);
  uint32_t given = fan_out(hub, target, frame);
  fan_ticket_seal(frame);
  if (frame->seq) {
    fan_history_add(&hub->history, target, frame, hub->clients.now_ms);
    hub->clients.latest = frame->seq;
  }
  return given;
}

int fan_hub_send(fan_hub *hub, uint64_t id, fan_buf *frame) {
  fan_slot *slot = fan_hub_find(hub, id);
  if (!slot) return FAN_ENOTFOUND;
  fan_buf_enter(frame, &hub->clients.ledger);
  hub->clients.stats.sends++;
  fan_client_count_private(&slot->client, fan_buf_cost(frame));
  fan_client_push_private(&slot->client, frame);
  return 0;
}
