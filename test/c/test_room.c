/* room.h: against a matrix of who is in which room. */
#include <stdlib.h>

#include "core/err.h"
#include "core/room.h"
#include "support/check.h"
#include "support/mem_fail.h"
#include "support/random.h"

#define MEMBERS 40
#define ROOMS 60

typedef struct world {
  fan_rooms rooms;
  fan_member members[MEMBERS];
  bool in[MEMBERS][ROOMS];
} world;

static uint64_t seed;
static world w;

static void world_init(void) {
  w = (world){0};
  fan_rooms_init(&w.rooms);
  for (int m = 0; m < MEMBERS; m++) fan_member_init(&w.members[m]);
}

static void world_deinit(void) {
  for (int m = 0; m < MEMBERS; m++) {
    fan_rooms_leave_all(&w.rooms, &w.members[m]);
    fan_member_deinit(&w.members[m]);
  }
  CHECK_EQ(w.rooms.memberships, 0);
  CHECK_EQ(w.rooms.by_number.count, 0);
  fan_rooms_deinit(&w.rooms);
}

/* Each entry's twin is where the entry says, and says so of the entry. */
static void check_twins(void) {
  for (int m = 0; m < MEMBERS; m++) {
    const fan_member *member = &w.members[m];
    for (uint32_t i = 0; i < member->count; i++) {
      const fan_seat *seat = &member->seats[i];
      if (!CHECK(seat->index < seat->room->count)) return;
      CHECK(seat->room->members[seat->index].member == member);
      CHECK_EQ(seat->room->members[seat->index].seat, i);
    }
    CHECK(member->by_room.count == 0 || member->by_room.count == member->count);
  }
}

/* The rooms say the same as the matrix. */
static void check_matrix(void) {
  uint64_t pairs = 0, rooms = 0;
  for (uint64_t n = 0; n < ROOMS; n++) {
    uint32_t count = 0;
    for (int m = 0; m < MEMBERS; m++) {
      CHECK(fan_member_is_in(&w.members[m], n) == w.in[m][n]);
      count += w.in[m][n];
    }
    const fan_room *room = fan_rooms_find(&w.rooms, n);
    CHECK((room != NULL) == (count > 0));
    if (room) CHECK(room->count == count && room->number == n);
    pairs += count;
    rooms += count > 0;
  }
  CHECK_EQ(w.rooms.memberships, pairs);
  CHECK_EQ(w.rooms.by_number.count, rooms);
  check_twins();
}

static int join(int member, uint64_t room) {
  int error = fan_rooms_join(&w.rooms, &w.members[member], room);
  if (!error) w.in[member][room] = true;
  return error;
}

static int leave(int member, uint64_t room) {
  int error = fan_rooms_leave(&w.rooms, &w.members[member], room);
  if (!error) w.in[member][room] = false;
  return error;
}

static void test_room_join_and_leave_answer_what_was_the_case(void) {
  world_init();
  CHECK_EQ(leave(0, 7), FAN_ENOTFOUND);
  CHECK_EQ(join(0, 7), 0);
  CHECK_EQ(join(0, 7), FAN_EEXISTS);
  CHECK_EQ(join(1, 7), 0);
  CHECK_EQ(leave(1, 8), FAN_ENOTFOUND);
  check_matrix();
  CHECK_EQ(leave(0, 7), 0);
  CHECK_EQ(leave(0, 7), FAN_ENOTFOUND);
  check_matrix();
  world_deinit();
}

static void test_room_vanishes_with_its_last_member(void) {
  world_init();
  CHECK(fan_rooms_find(&w.rooms, 3) == NULL);
  join(0, 3);
  join(1, 3);
  leave(0, 3);
  CHECK(fan_rooms_find(&w.rooms, 3) != NULL);
  leave(1, 3);
  CHECK(fan_rooms_find(&w.rooms, 3) == NULL);
  CHECK_EQ(w.rooms.memberships, 0);
  world_deinit();
}

static void test_room_leaving_from_the_middle_keeps_the_others(void) {
  world_init();
  for (int m = 0; m < 5; m++)
    for (uint64_t n = 0; n < 5; n++) join(m, n);
  leave(2, 2);
  leave(0, 0);
  leave(4, 4);
  leave(1, 3);
  check_matrix();
  world_deinit();
}

static void test_room_member_of_many_rooms_is_indexed_by_a_map(void) {
  world_init();
  for (uint64_t n = 0; n < 16; n++) join(0, n);
  CHECK_EQ(w.members[0].by_room.count, 0);
  join(0, 16);
  CHECK_EQ(w.members[0].by_room.count, 17);
  for (uint64_t n = 17; n < ROOMS; n++) join(0, n);
  CHECK_EQ(join(0, 30), FAN_EEXISTS);
  check_matrix();
  for (uint64_t n = 0; n < ROOMS; n += 2) CHECK_EQ(leave(0, n), 0);
  check_matrix();
  for (uint64_t n = 1; n < ROOMS; n += 2) CHECK_EQ(leave(0, n), 0);
  check_matrix();
  for (uint64_t n = 0; n < 10; n++) join(0, n);
  check_matrix();
  world_deinit();
}

static void test_room_leave_all_takes_out_one_member_alone(void) {
  world_init();
  for (int m = 0; m < 4; m++)
    for (uint64_t n = 0; n < ROOMS; n++) join(m, n);
  fan_rooms_leave_all(&w.rooms, &w.members[1]);
  for (uint64_t n = 0; n < ROOMS; n++) w.in[1][n] = false;
  check_matrix();
  fan_rooms_leave_all(&w.rooms, &w.members[1]);
  check_matrix();
  world_deinit();
}

static void test_room_random_joins_and_leaves_agree_with_a_matrix(void) {
  rng r;
  rng_init(&r, seed);
  world_init();
  for (int step = 0; step < 100000 && !check_failing(); step++) {
    int member = (int)rng_below(&r, MEMBERS);
    uint64_t room = rng_below(&r, ROOMS);
    bool was = w.in[member][room];
    uint32_t odds = (step / 5000) % 2 ? 3 : 7; /* waves */
    if (rng_below(&r, 500) == 0) {
      fan_rooms_leave_all(&w.rooms, &w.members[member]);
      for (int n = 0; n < ROOMS; n++) w.in[member][n] = false;
    } else if (rng_below(&r, 10) < odds) CHECK_EQ(join(member, room), was ? FAN_EEXISTS : 0);
    else CHECK_EQ(leave(member, room), was ? 0 : FAN_ENOTFOUND);
    if (step % 250 == 0) check_matrix();
  }
  check_matrix();
  world_deinit();
}

/* Each join is tried with its 1st, 2nd, ... allocation failing until it passes. */
static void test_room_join_without_memory_changes_nothing(void) {
  world_init();
  for (int m = 0; m < 5; m++)
    for (uint64_t n = 0; n < ROOMS && !check_failing(); n++)
      for (size_t at = 1;; at++) {
        size_t live = mem_fail_live();
        mem_fail_at(at, false);
        int error = join(m, n);
        mem_fail_at(0, false);
        if (!error) break;
        CHECK_EQ(error, FAN_ENOMEM);
        CHECK(!fan_member_is_in(&w.members[m], n));
        CHECK(mem_fail_live() <=
              live + 2); /* an array may have grown in vain, but no room remains */
        if (n % 16 == 0) check_matrix();
      }
  check_matrix();
  world_deinit();
}

int main(void) {
  seed = rng_seed("test_room");
  RUN(test_room_join_and_leave_answer_what_was_the_case);
  RUN(test_room_vanishes_with_its_last_member);
  RUN(test_room_leaving_from_the_middle_keeps_the_others);
  RUN(test_room_member_of_many_rooms_is_indexed_by_a_map);
  RUN(test_room_leave_all_takes_out_one_member_alone);
  RUN(test_room_random_joins_and_leaves_agree_with_a_matrix);
  RUN(test_room_join_without_memory_changes_nothing);
  return check_done("test_room");
}
