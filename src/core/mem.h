#ifndef FAN_MEM_H
#define FAN_MEM_H
/*
 * The only door to the allocator. Tests swap it to fail the n-th allocation.
 *
 * Thread: any, as long as the allocator set is (the default is the C library's).
 * Owns: nothing. Units: bytes.
 */
#include <stddef.h>

typedef struct fan_allocator {
  void *(*alloc)(size_t bytes);
  void *(*resize)(void *block, size_t bytes);
  void (*release)(void *block);
} fan_allocator;

void *fan_alloc(size_t bytes);               /* uninitialised, or NULL */
void *fan_zalloc(size_t bytes);              /* zeroed, or NULL */
void *fan_resize(void *block, size_t bytes); /* like realloc: on NULL the old block stays valid */
void fan_free(void *block);                  /* NULL is fine */

/* Replaces the allocator (NULL: back to the C library's). Only before the first allocation, or in
 * tests, while nothing allocated by the old one lives. Not thread-safe. */
void fan_mem_use(const fan_allocator *allocator);

#endif
