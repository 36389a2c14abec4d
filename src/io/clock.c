#define _POSIX_C_SOURCE 200809L
#include "clock.h"

#include <time.h>

uint64_t fan_clock_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail with this clock */
  return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}
