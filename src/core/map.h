#ifndef FAN_MAP_H
#define FAN_MAP_H
/*
 * A hash table from 64-bit keys to pointers: open addressing, linear probing, deletion by shifting
 * back (no tombstones, so churn does not slow it down). Keys are handed out by us and mixed well,
 * so nobody outside can aim for collisions.
 *
 * Thread: that of its owner. Owns: its slots, never the values. Units: none.
 */
#include <stddef.h>
#include <stdint.h>

typedef struct fan_map_slot {
  uint64_t key;
  void *value; /* NULL: free */
} fan_map_slot;

typedef struct fan_map {
  fan_map_slot *slots; /* NULL while empty and never used */
  size_t capacity;     /* 0 or a power of two */
  size_t count;        /* at most 3/4 of capacity */
} fan_map;

void fan_map_init(fan_map *map);   /* allocates nothing */
void fan_map_deinit(fan_map *map); /* frees the slots */

/* Adds or replaces; value must not be NULL. 0 or FAN_ENOMEM (the map is as before). */
int fan_map_set(fan_map *map, uint64_t key, void *value);
void *fan_map_get(const fan_map *map, uint64_t key); /* NULL when absent */
void *fan_map_remove(fan_map *map, uint64_t key);    /* the value removed, or NULL; may shrink */

/* Walks all entries in no order: start with *cursor 0; NULL at the end. The map must not change
 * meanwhile. */
void *fan_map_next(const fan_map *map, size_t *cursor);

#endif
