#include "map.h"

#include "err.h"
#include "mem.h"

#define MIN_CAPACITY 8

/* The finaliser of splitmix64: every bit of the key reaches every bit of the result. */
static uint64_t mix(uint64_t x) {
  x ^= x >> 30;
  x *= UINT64_C(0xbf58476d1ce4e5b9);
  x ^= x >> 27;
  x *= UINT64_C(0x94d049bb133111eb);
  return x ^ (x >> 31);
}

static size_t home(const fan_map *map, uint64_t key) {
  return (size_t)mix(key) & (map->capacity - 1);
}

/* The slot that holds key, or the free slot where it belongs. Needs capacity > count. */
static fan_map_slot *probe(const fan_map *map, uint64_t key) {
  size_t i = home(map, key);
  while (map->slots[i].value && map->slots[i].key != key) i = (i + 1) & (map->capacity - 1);
  return &map->slots[i];
}

static int rehash(fan_map *map, size_t capacity) {
  fan_map_slot *slots = fan_zalloc(capacity * sizeof *slots);
  if (!slots) return FAN_ENOMEM;
  fan_map old = *map;
  map->slots = slots;
  map->capacity = capacity;
  for (size_t i = 0; i < old.capacity; i++)
    if (old.slots[i].value) *probe(map, old.slots[i].key) = old.slots[i];
  fan_free(old.slots);
  return 0;
}

void fan_map_init(fan_map *map) { *map = (fan_map){0}; }

void fan_map_deinit(fan_map *map) {
  fan_free(map->slots);
  fan_map_init(map);
}

int fan_map_set(fan_map *map, uint64_t key, void *value) {
  if ((map->count + 1) * 4 > map->capacity * 3) {
    int error = rehash(map, map->capacity ? map->capacity * 2 : MIN_CAPACITY);
    if (error) return error;
  }
  fan_map_slot *slot = probe(map, key);
  if (!slot->value) map->count++;
  *slot = (fan_map_slot){key, value};
  return 0;
}

void *fan_map_get(const fan_map *map, uint64_t key) {
  return map->count ? probe(map, key)->value : NULL;
}

/* Closes the hole at `hole`: an entry further on moves back when the hole lies between its home
 * and where it stands, for else a later probe would stop too early. */
static void shift_back(fan_map *map, size_t hole) {
  size_t mask = map->capacity - 1;
  for (size_t i = (hole + 1) & mask; map->slots[i].value; i = (i + 1) & mask) {
    size_t from_home = (i - home(map, map->slots[i].key)) & mask;
    if (from_home < ((i - hole) & mask)) continue;
    map->slots[hole] = map->slots[i];
    hole = i;
  }
  map->slots[hole].value = NULL;
}

void *fan_map_remove(fan_map *map, uint64_t key) {
  if (!map->count) return NULL;
  fan_map_slot *slot = probe(map, key);
  void *value = slot->value;
  if (!value) return NULL;
  shift_back(map, (size_t)(slot - map->slots));
  map->count--;
  /* Shrinking gives memory back after a storm; failing to is no error. */
  if (map->capacity > 64 && map->count * 8 < map->capacity) (void)rehash(map, map->capacity / 4);
  return value;
}

void *fan_map_next(const fan_map *map, size_t *cursor) {
  while (*cursor < map->capacity) {
    void *value = map->slots[(*cursor)++].value;
    if (value) return value;
  }
  return NULL;
}
