#include "room.h"

#include <assert.h>

#include "err.h"
#include "mem.h"

#define LOOK_THROUGH 16 /* up to this many seats a linear look is faster than a map */

void fan_rooms_init(fan_rooms *rooms) {
  fan_map_init(&rooms->by_number);
  rooms->memberships = 0;
}

void fan_rooms_deinit(fan_rooms *rooms) {
  assert(rooms->by_number.count == 0);
  fan_map_deinit(&rooms->by_number);
}

void fan_member_init(fan_member *member) { *member = (fan_member){0}; }

void fan_member_deinit(fan_member *member) {
  assert(member->count == 0);
  fan_free(member->seats);
  fan_map_deinit(&member->by_room);
  fan_member_init(member);
}

static bool indexed(const fan_member *member) { return member->by_room.count > 0; }

/* The map holds seat + 1, because NULL means absent. */
static void *seat_value(uint32_t seat) { return (void *)(uintptr_t)(seat + 1); }

static int64_t find_seat(const fan_member *member, uint64_t number) {
  if (indexed(member)) return (int64_t)(uintptr_t)fan_map_get(&member->by_room, number) - 1;
  for (uint32_t i = 0; i < member->count; i++)
    if (member->seats[i].room->number == number) return i;
  return -1;
}

/* Room for one entry more, doubling. `items` and `capacity` change on success only. */
static int reserve(void **items, uint32_t *capacity, uint32_t count, size_t size) {
  if (count < *capacity) return 0;
  uint32_t wanted = *capacity ? *capacity * 2 : 2;
  void *grown = fan_resize(*items, wanted * size);
  if (!grown) return FAN_ENOMEM;
  *items = grown;
  *capacity = wanted;
  return 0;
}

/* Writes the new seat into the map, or builds the map when this seat makes it worth having. */
static int index_seat(fan_member *member, uint64_t number) {
  if (indexed(member)) return fan_map_set(&member->by_room, number, seat_value(member->count));
  if (member->count < LOOK_THROUGH) return 0;
  int error = 0;
  for (uint32_t i = 0; i < member->count && !error; i++)
    error = fan_map_set(&member->by_room, member->seats[i].room->number, seat_value(i));
  if (!error) error = fan_map_set(&member->by_room, number, seat_value(member->count));
  if (error) fan_map_deinit(&member->by_room);
  return error;
}

static void end_if_empty(fan_rooms *rooms, fan_room *room) {
  if (room->count) return;
  fan_map_remove(&rooms->by_number, room->number);
  fan_free(room->members);
  fan_free(room);
}

static fan_room *find_or_make(fan_rooms *rooms, uint64_t number) {
  fan_room *room = fan_map_get(&rooms->by_number, number);
  if (room) return room;
  room = fan_zalloc(sizeof *room);
  if (!room) return NULL;
  room->number = number;
  if (fan_map_set(&rooms->by_number, number, room) == 0) return room;
  fan_free(room);
  return NULL;
}

int fan_rooms_join(fan_rooms *rooms, fan_member *member, uint64_t number) {
  if (find_seat(member, number) >= 0) return FAN_EEXISTS;
  fan_room *room = find_or_make(rooms, number);
  if (!room) return FAN_ENOMEM;
  void *members = room->members, *seats = member->seats;
  int error = reserve(&members, &room->capacity, room->count, sizeof *room->members);
  room->members = members;
  if (!error) error = reserve(&seats, &member->capacity, member->count, sizeof *member->seats);
  member->seats = seats;
  if (!error) error = index_seat(member, number);
  if (error) {
    end_if_empty(rooms, room);
    return error;
  }
  room->members[room->count] = (fan_room_entry){member, member->count};
  member->seats[member->count++] = (fan_seat){room, room->count++};
  rooms->memberships++;
  return 0;
}

/* Fills the gap in the room's array with its last entry, and tells that entry's member. */
static void close_room_gap(fan_room *room, uint32_t gap) {
  fan_room_entry last = room->members[--room->count];
  if (gap == room->count) return;
  room->members[gap] = last;
  last.member->seats[last.seat].index = gap;
}

/* The same for the member's array, and its map. */
static void close_seat_gap(fan_member *member, uint32_t gap) {
  fan_seat last = member->seats[--member->count];
  if (gap == member->count) return;
  member->seats[gap] = last;
  last.room->members[last.index].seat = gap;
  /* Replacing a value that is there allocates nothing. */
  if (indexed(member)) (void)fan_map_set(&member->by_room, last.room->number, seat_value(gap));
}

static void leave_seat(fan_rooms *rooms, fan_member *member, uint32_t seat) {
  fan_room *room = member->seats[seat].room;
  uint32_t index = member->seats[seat].index;
  if (indexed(member)) fan_map_remove(&member->by_room, room->number);
  close_room_gap(room, index);
  close_seat_gap(member, seat);
  rooms->memberships--;
  end_if_empty(rooms, room);
}

int fan_rooms_leave(fan_rooms *rooms, fan_member *member, uint64_t number) {
  int64_t seat = find_seat(member, number);
  if (seat < 0) return FAN_ENOTFOUND;
  leave_seat(rooms, member, (uint32_t)seat);
  return 0;
}

void fan_rooms_leave_all(fan_rooms *rooms, fan_member *member) {
  while (member->count) leave_seat(rooms, member, member->count - 1);
}

const fan_room *fan_rooms_find(const fan_rooms *rooms, uint64_t number) {
  return fan_map_get(&rooms->by_number, number);
}

bool fan_member_is_in(const fan_member *member, uint64_t number) {
  return find_seat(member, number) >= 0;
}
