#ifndef FAN_PREFETCH_H
#define FAN_PREFETCH_H
/*
 * Asks the processor for memory that will be needed soon. Clients lie all over the heap, and a walk over thousands of them waits
 * for each unless the next are on their way already. A hint: any address may be given, nothing is read.
 */
#include <stddef.h>

#define FAN_CACHE_LINE 64

#if defined(__GNUC__) || defined(__clang__)
#define FAN_PREFETCH(address) __builtin_prefetch(address, 1)
#else
#define FAN_PREFETCH(address) ((void)(address))
#endif

/* The first `bytes` behind `address`. */
static inline void fan_prefetch(const void *address, size_t bytes) {
  for (size_t at = 0; at < bytes; at += FAN_CACHE_LINE) FAN_PREFETCH((const char *)address + at);
}

#endif
