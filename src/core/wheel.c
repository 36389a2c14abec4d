#include "wheel.h"

#define MASK (FAN_WHEEL_SLOTS - 1)
#define SPAN(level) (UINT64_C(1) << (FAN_WHEEL_BITS * (level)))
#define EXPIRED UINT16_MAX

/* Rounded up, so that nothing fires early. */
static uint64_t tick_of(uint64_t ms) { return ms / FAN_TICK_MS + (ms % FAN_TICK_MS != 0); }

void fan_wheel_init(fan_wheel *wheel, uint64_t now_ms) {
  wheel->tick = now_ms / FAN_TICK_MS;
  for (int level = 0; level < FAN_WHEEL_LEVELS; level++) {
    wheel->used[level] = 0;
    for (int i = 0; i < FAN_WHEEL_SLOTS; i++) fan_list_init(&wheel->slots[level][i]);
  }
  fan_list_init(&wheel->expired);
}

void fan_timer_init(fan_timer *timer) {
  fan_list_init(&timer->node);
  timer->due_ms = FAN_NEVER;
  timer->place = EXPIRED;
}

bool fan_timer_armed(const fan_timer *timer) { return fan_list_linked(&timer->node); }

/* A timer lives in the lowest level whose slots still tell its tick from the wheel's. */
static void place(fan_wheel *wheel, fan_timer *timer) {
  uint64_t tick = tick_of(timer->due_ms);
  if (tick <= wheel->tick) {
    timer->place = EXPIRED;
    fan_list_push(&wheel->expired, &timer->node);
    return;
  }
  int level = 0;
  while (level < FAN_WHEEL_LEVELS - 1 && tick - wheel->tick >= SPAN(level + 1)) level++;
  if (tick - wheel->tick >= SPAN(FAN_WHEEL_LEVELS)) tick = wheel->tick + SPAN(FAN_WHEEL_LEVELS) - 1;
  unsigned slot = (unsigned)(tick >> (FAN_WHEEL_BITS * level)) & MASK;
  timer->place = (uint16_t)(level * FAN_WHEEL_SLOTS + (int)slot);
  fan_list_push(&wheel->slots[level][slot], &timer->node);
  wheel->used[level] |= UINT64_C(1) << slot;
}

void fan_wheel_disarm(fan_wheel *wheel, fan_timer *timer) {
  if (!fan_timer_armed(timer)) return;
  fan_list_remove(&timer->node);
  if (timer->place == EXPIRED) return;
  unsigned level = timer->place / FAN_WHEEL_SLOTS, slot = timer->place & MASK;
  if (fan_list_empty(&wheel->slots[level][slot])) wheel->used[level] &= ~(UINT64_C(1) << slot);
}

void fan_wheel_arm(fan_wheel *wheel, fan_timer *timer, uint64_t due_ms) {
  fan_wheel_disarm(wheel, timer);
  timer->due_ms = due_ms;
  place(wheel, timer);
}

/* Takes the timers out of a slot and places them anew: lower, or among the expired. */
static void cascade(fan_wheel *wheel, int level) {
  unsigned slot = (unsigned)(wheel->tick >> (FAN_WHEEL_BITS * level)) & MASK;
  fan_list batch;
  fan_list_init(&batch);
  fan_list_splice(&batch, &wheel->slots[level][slot]);
  wheel->used[level] &= ~(UINT64_C(1) << slot);
  for (fan_list *node; (node = fan_list_shift(&batch));)
    place(wheel, fan_list_entry(node, fan_timer, node));
}

/* The first tick after `wheel->tick` at which some slot has to be looked at. */
static uint64_t next_tick(const fan_wheel *wheel) {
  uint64_t best = FAN_NEVER;
  for (int level = 0; level < FAN_WHEEL_LEVELS; level++) {
    if (!wheel->used[level]) continue;
    unsigned shift = (unsigned)(FAN_WHEEL_BITS * level);
    uint64_t at = wheel->tick >> shift;
    /* rotate so that bit 0 is the slot after the current one */
    unsigned from = (unsigned)(at + 1) & MASK;
    uint64_t bits = wheel->used[level];
    bits = from ? (bits >> from) | (bits << (FAN_WHEEL_SLOTS - from)) : bits;
    unsigned ahead = 1;
    while (!(bits & 1)) bits >>= 1, ahead++;
    uint64_t tick = (at + ahead) << shift;
    if (tick < best) best = tick;
  }
  return best;
}

void fan_wheel_advance(fan_wheel *wheel, uint64_t now_ms) {
  uint64_t now = now_ms / FAN_TICK_MS;
  while (wheel->tick < now) {
    uint64_t next = next_tick(wheel);
    wheel->tick = next < now ? next : now; /* empty slots are skipped, not walked */
    for (int level = FAN_WHEEL_LEVELS - 1; level >= 0; level--)
      if (level == 0 || (wheel->tick & (SPAN(level) - 1)) == 0) cascade(wheel, level);
  }
}

fan_timer *fan_wheel_next(fan_wheel *wheel) {
  fan_list *node = fan_list_shift(&wheel->expired);
  return node ? fan_list_entry(node, fan_timer, node) : NULL;
}

uint64_t fan_wheel_due_ms(const fan_wheel *wheel) {
  if (!fan_list_empty(&wheel->expired)) return wheel->tick * FAN_TICK_MS;
  uint64_t tick = next_tick(wheel);
  return tick == FAN_NEVER ? FAN_NEVER : tick * FAN_TICK_MS;
}
