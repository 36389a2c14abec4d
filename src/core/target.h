#ifndef FAN_TARGET_H
#define FAN_TARGET_H
/*
 * Who is meant by a frame, in numbers.
 *
 * Thread: any. Owns: itself. Units: none.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Members of `rooms` or any of `clients` (or everyone), without those in `except_rooms` and `except_clients`. Nobody gets a
 * frame twice. `keys` holds the four lists, one behind the other. */
typedef struct fan_target {
  bool everyone;
  uint32_t rooms, clients, except_rooms, except_clients;
  uint64_t keys[];
} fan_target;

/* The number under which the history files what was sent to everyone; no room has it. */
#define FAN_EVERYONE 0

/* Allocates a target with room for that many keys, zeroed, or NULL. Freed with fan_free(). */
fan_target *fan_target_new(size_t keys);

static inline const uint64_t *fan_target_rooms(const fan_target *target) { return target->keys; }
static inline const uint64_t *fan_target_clients(const fan_target *target) {
  return target->keys + target->rooms;
}
static inline const uint64_t *fan_target_except_rooms(const fan_target *target) {
  return fan_target_clients(target) + target->clients;
}
static inline const uint64_t *fan_target_except_clients(const fan_target *target) {
  return fan_target_except_rooms(target) + target->except_rooms;
}

#endif
