#ifndef FAN_WHEEL_H
#define FAN_WHEEL_H
/*
 * A hierarchical timer wheel: arming, disarming and expiring cost O(1), however many timers there are.
 * Ticks are FAN_TICK_MS long; a timer never fires early, and at most one tick late (timers more than 18
 * hours away may fire early by design of the last level and are put back by the wheel itself).
 *
 * Time comes in as a number: the wheel has no clock.
 *
 * Thread: that of its owner. Owns: nothing (timers are embedded in their objects). Units: ms.
 */
#include <stdbool.h>
#include <stdint.h>

#include "list.h"

#define FAN_TICK_MS 4
#define FAN_WHEEL_BITS 6
#define FAN_WHEEL_SLOTS (1 << FAN_WHEEL_BITS)
#define FAN_WHEEL_LEVELS 4
#define FAN_NEVER UINT64_MAX

typedef struct fan_timer {
  fan_list node;
  uint64_t due_ms;
  uint16_t place; /* level * slots + slot, while armed */
} fan_timer;

typedef struct fan_wheel {
  uint64_t tick;                   /* all ticks up to this one have been processed */
  uint64_t used[FAN_WHEEL_LEVELS]; /* one bit a slot: is there a timer? */
  fan_list slots[FAN_WHEEL_LEVELS][FAN_WHEEL_SLOTS];
  fan_list expired;
} fan_wheel;

void fan_wheel_init(fan_wheel *wheel, uint64_t now_ms);

void fan_timer_init(fan_timer *timer);
bool fan_timer_armed(const fan_timer *timer);

/* Fires at due_ms; moves the timer if it is armed already. */
void fan_wheel_arm(fan_wheel *wheel, fan_timer *timer, uint64_t due_ms);
void fan_wheel_disarm(fan_wheel *wheel, fan_timer *timer); /* harmless when not armed */

/* Moves time forward. Then fan_wheel_next() answers the expired timers, disarmed, one by one; NULL: none left. */
void fan_wheel_advance(fan_wheel *wheel, uint64_t now_ms);
fan_timer *fan_wheel_next(fan_wheel *wheel);

/* No timer fires before this; FAN_NEVER when there is none. O(levels). */
uint64_t fan_wheel_due_ms(const fan_wheel *wheel);

#endif
