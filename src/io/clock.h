#ifndef FAN_CLOCK_H
#define FAN_CLOCK_H
/* The only clock: monotonic milliseconds. Thread: any. */
#include <stdint.h>

uint64_t fan_clock_ms(void);

#endif
