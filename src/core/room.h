#ifndef FAN_ROOM_H
#define FAN_ROOM_H
/*
 * Who is in which room, both ways: a room has an array of members (fan-out walks it front to back), a member has
 * an array of seats (leaving walks those). Each entry knows its twin's index, so that joining and leaving are O(1):
 * the last entry moves into the gap.
 *
 *   room  "7": members [ m1 | m2 | m3 ]          member m2: seats [ room 7, index 1 | room 9, index 0 ]
 *                             ^ seat 0  --------------------------^
 *
 * Rooms are known by number; their names stay in JavaScript. A room exists while it has members. What the
 * application calls a user is a room here, with a number that no room of the application has.
 * A member knows nothing of clients: the hub embeds it beside one.
 *
 * Thread: that of the hub. Owns: its rooms and arrays, never the members. Units: none.
 */
#include <stdbool.h>

#include "map.h"

struct fan_room;

typedef struct fan_seat {
  struct fan_room *room;
  uint32_t index; /* room->members[index] is this member */
} fan_seat;

typedef struct fan_member {
  fan_seat *seats;
  uint32_t count, capacity;
  fan_map by_room; /* room number -> seat, made when there are too many to look through */
} fan_member;

typedef struct fan_room_entry {
  fan_member *member;
  uint32_t seat; /* member->seats[seat] is this room */
} fan_room_entry;

typedef struct fan_room {
  uint64_t number;
  fan_room_entry *members;
  uint32_t count, capacity;
} fan_room;

typedef struct fan_rooms {
  fan_map by_number;
  uint64_t memberships;
} fan_rooms;

void fan_rooms_init(fan_rooms *rooms);
/* All members must have left. */
void fan_rooms_deinit(fan_rooms *rooms);

void fan_member_init(fan_member *member);
/* It must have left every room. */
void fan_member_deinit(fan_member *member);

/* 0, FAN_EEXISTS (it is in the room already) or FAN_ENOMEM. */
int fan_rooms_join(fan_rooms *rooms, fan_member *member, uint64_t number);
/* 0 or FAN_ENOTFOUND. The last member's leaving ends the room. */
int fan_rooms_leave(fan_rooms *rooms, fan_member *member, uint64_t number);
/* Cost: O(rooms of the member). */
void fan_rooms_leave_all(fan_rooms *rooms, fan_member *member);

/* NULL when nobody is in it. Valid until the next join or leave. */
const fan_room *fan_rooms_find(const fan_rooms *rooms, uint64_t number);
bool fan_member_is_in(const fan_member *member, uint64_t number);

#endif
