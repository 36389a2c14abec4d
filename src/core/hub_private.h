#ifndef FAN_HUB_PRIVATE_H
#define FAN_HUB_PRIVATE_H
/* The inside of a hub, for hub.c (its life and its turn), fanout.c (who is given a frame) and catchup.c (who missed some).
 *
 * Thread: the loop that owns the hub. */
#include "hub.h"
#include "replay.h"
#include "room.h"
#include "ticket.h"

/* A client and its memberships. In front: what a fan-out looks at. */
typedef struct fan_slot {
  uint64_t mark;      /* the publish that has met this slot last */
  fan_replay *replay; /* NULL: it is given events as they come. Owned */
  fan_client client;
  fan_member member;
  uint64_t id;
  bool was_reset; /* to be told */
} fan_slot;

/* Bytes of a slot that a delivery touches. */
#define FAN_SLOT_HOT (offsetof(fan_slot, client) + offsetof(fan_client, report))

struct fan_hub {
  fan_clients clients;
  fan_rooms rooms;
  fan_map slots; /* id -> slot, until the sweep */
  fan_history history;
  uint64_t mark;
  fan_list ended;   /* swept; freed once their notice is taken */
  fan_list tickets; /* complete */
  uint64_t flushes; /* since the budget was looked at */
};

static inline fan_slot *fan_slot_of_client(fan_client *client) {
  return fan_list_entry(client, fan_slot, client);
}
static inline fan_slot *fan_slot_of_member(fan_member *member) {
  return fan_list_entry(member, fan_slot, member);
}

/* NULL: there is none, or it has ended. */
fan_slot *fan_hub_find(fan_hub *hub, uint64_t id);

/* Before its client is written to: queues the next of what it missed. */
void fan_slot_refill(fan_hub *hub, fan_slot *slot);
/* Its memberships have changed. 0 or FAN_ENOMEM. */
int fan_slot_joined(fan_hub *hub, fan_slot *slot, uint64_t room);
void fan_slot_left(fan_hub *hub, fan_slot *slot, uint64_t room);
/* It has caught up, or will not any more. */
void fan_slot_end_replay(fan_slot *slot);

#endif
