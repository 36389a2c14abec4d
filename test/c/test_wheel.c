/* wheel.h: against a naive oracle, which knows of every timer when it is due. */
#include <stdlib.h>

#include "core/wheel.h"
#include "support/check.h"
#include "support/random.h"

static uint64_t seed;

/* Advances and answers how many fired; each is checked against the time. */
static int fire(fan_wheel *wheel, uint64_t now) {
  int fired = 0;
  fan_wheel_advance(wheel, now);
  for (fan_timer *timer; (timer = fan_wheel_next(wheel)); fired++) {
    CHECK(timer->due_ms <= now);
    CHECK(!fan_timer_armed(timer));
  }
  return fired;
}

static void test_wheel_without_timers_is_never_due(void) {
  fan_wheel wheel;
  fan_wheel_init(&wheel, 12345);
  CHECK_EQ(fan_wheel_due_ms(&wheel), FAN_NEVER);
  CHECK_EQ(fire(&wheel, UINT64_C(1) << 50), 0);
  CHECK_EQ(fan_wheel_due_ms(&wheel), FAN_NEVER);
}

static void check_alone(uint64_t start, uint64_t delay) {
  fan_wheel wheel;
  fan_timer timer;
  fan_wheel_init(&wheel, start);
  fan_timer_init(&timer);
  uint64_t due = start + delay, now = start;
  fan_wheel_arm(&wheel, &timer, due);
  CHECK(fan_timer_armed(&timer));
  while (fan_timer_armed(&timer) && !check_failing()) {
    uint64_t next = fan_wheel_due_ms(&wheel);
    CHECK(next <= due + FAN_TICK_MS - 1);
    if (next > now) CHECK_EQ(fire(&wheel, next - 1), 0);
    now = next > now ? next : now;
    if (fire(&wheel, now) == 1) CHECK(now >= due && (now < due + FAN_TICK_MS || now == start));
  }
  CHECK_EQ(fan_wheel_due_ms(&wheel), FAN_NEVER);
}

static void test_wheel_fires_one_timer_never_early_and_at_most_a_tick_late(void) {
  static const uint64_t delays[] = {
      0,     1,     3,     4,     5,     250,     252,     255,      256,      257,      1000,
      16383, 16384, 16385, 65536, 90000, 1048575, 1048576, 67108860, 67108864, 67108870, 200000000};
  for (uint64_t start = 0; start < 600; start += 7)
    for (size_t i = 0; i < sizeof delays / sizeof *delays; i++) check_alone(start, delays[i]);
  for (uint64_t delay = 0; delay < 40000; delay += 3) check_alone(1021, delay);
}

static void test_wheel_timers_in_the_past_fire_at_once(void) {
  fan_wheel wheel;
  fan_timer timer;
  fan_wheel_init(&wheel, 5000);
  fan_timer_init(&timer);
  fan_wheel_arm(&wheel, &timer, 17);
  CHECK(fan_wheel_due_ms(&wheel) <= 5000);
  CHECK_EQ(fire(&wheel, 5000), 1);
}

static void test_wheel_arming_again_moves_the_timer(void) {
  fan_wheel wheel;
  fan_timer timer;
  fan_wheel_init(&wheel, 0);
  fan_timer_init(&timer);
  fan_wheel_arm(&wheel, &timer, 100);
  fan_wheel_arm(&wheel, &timer, 500000);
  CHECK_EQ(fire(&wheel, 499999), 0);
  fan_wheel_arm(&wheel, &timer, 600000);
  CHECK_EQ(fire(&wheel, 500100), 0);
  fan_wheel_arm(&wheel, &timer, 500200);
  CHECK_EQ(fire(&wheel, 500204), 1);
  CHECK_EQ(fire(&wheel, 9000000), 0);
}

static void test_wheel_disarmed_timers_do_not_fire(void) {
  fan_wheel wheel;
  fan_timer near, far, expired;
  fan_wheel_init(&wheel, 0);
  fan_timer_init(&near);
  fan_timer_init(&far);
  fan_timer_init(&expired);
  fan_wheel_disarm(&wheel, &near); /* harmless */
  fan_wheel_arm(&wheel, &near, 100);
  fan_wheel_arm(&wheel, &far, 300000);
  fan_wheel_arm(&wheel, &expired, 0);
  fan_wheel_disarm(&wheel, &near);
  fan_wheel_disarm(&wheel, &far);
  fan_wheel_disarm(&wheel, &expired);
  CHECK_EQ(fan_wheel_due_ms(&wheel), FAN_NEVER);
  CHECK_EQ(fire(&wheel, 400000), 0);
}

/* Three timers are due together; the first one that fires disarms another and arms itself again. */
static void test_wheel_timers_may_be_moved_while_others_expire(void) {
  fan_wheel wheel;
  fan_timer timers[3];
  fan_wheel_init(&wheel, 0);
  for (int i = 0; i < 3; i++) {
    fan_timer_init(&timers[i]);
    fan_wheel_arm(&wheel, &timers[i], 40);
  }
  fan_wheel_advance(&wheel, 40);
  fan_timer *first = fan_wheel_next(&wheel);
  CHECK(first != NULL);
  fan_timer *other = first == &timers[1] ? &timers[2] : &timers[1];
  fan_wheel_disarm(&wheel, other);
  fan_wheel_arm(&wheel, first, 80);
  CHECK(fan_wheel_next(&wheel) != NULL);
  CHECK(fan_wheel_next(&wheel) == NULL);
  CHECK(!fan_timer_armed(other));
  CHECK_EQ(fire(&wheel, 79), 0);
  CHECK_EQ(fire(&wheel, 80), 1);
}

#define TIMERS 100000

static uint64_t random_delay(rng *r) {
  static const uint32_t spans[] = {8, 300, 20000, 1 << 20, 100 << 20};
  return rng_below(r, spans[rng_below(r, 5)]);
}

/* What the oracle says about the timers that did not fire: none of them is due yet. */
static uint64_t check_waiting(const fan_timer *timers, uint64_t last_tick_ms) {
  uint64_t soonest = FAN_NEVER;
  for (int i = 0; i < TIMERS; i++) {
    if (!fan_timer_armed(&timers[i])) continue;
    CHECK(timers[i].due_ms > last_tick_ms);
    if (timers[i].due_ms < soonest) soonest = timers[i].due_ms;
  }
  return soonest;
}

static void test_wheel_hundred_thousand_random_timers_agree_with_an_oracle(void) {
  fan_timer *timers = calloc(TIMERS, sizeof *timers);
  fan_wheel wheel;
  rng r;
  rng_init(&r, seed);
  uint64_t now = rng_below(&r, 1 << 30);
  fan_wheel_init(&wheel, now);
  for (int i = 0; i < TIMERS; i++) {
    fan_timer_init(&timers[i]);
    fan_wheel_arm(&wheel, &timers[i], now + random_delay(&r));
  }
  int left = TIMERS;
  for (int step = 0; left && !check_failing(); step++) {
    uint64_t due = fan_wheel_due_ms(&wheel);
    now += 1 + random_delay(&r) / 16;
    if (step > 2000 && due > now) now = due;
    left -= fire(&wheel, now);
    if (step % 500 == 0) {
      uint64_t soonest = check_waiting(timers, now / FAN_TICK_MS * FAN_TICK_MS);
      due = fan_wheel_due_ms(&wheel);
      CHECK(soonest == FAN_NEVER ? due == FAN_NEVER : due < soonest + FAN_TICK_MS);
    }
    for (int i = 0; i < 20 && step < 2000; i++) { /* some are moved, some taken out */
      fan_timer *timer = &timers[rng_below(&r, TIMERS)];
      left -= fan_timer_armed(timer);
      if (rng_below(&r, 4)) {
        fan_wheel_arm(&wheel, timer, now + random_delay(&r));
        left++;
      } else fan_wheel_disarm(&wheel, timer);
    }
  }
  CHECK_EQ(left, 0);
  CHECK_EQ(check_waiting(timers, now), FAN_NEVER);
  CHECK_EQ(fan_wheel_due_ms(&wheel), FAN_NEVER);
  free(timers);
}

/* Sleeping until due_ms() each time, as the loop does, misses no timer's tick. */
static void test_wheel_sleeping_until_due_fires_every_timer_on_its_tick(void) {
  enum { COUNT = 2000 };
  static fan_timer timers[COUNT];
  fan_wheel wheel;
  rng r;
  rng_init(&r, seed + 1);
  uint64_t now = 777;
  fan_wheel_init(&wheel, now);
  for (int i = 0; i < COUNT; i++) {
    fan_timer_init(&timers[i]);
    fan_wheel_arm(&wheel, &timers[i], now + random_delay(&r));
  }
  unsigned wakes = 0;
  for (uint64_t due; (due = fan_wheel_due_ms(&wheel)) != FAN_NEVER && !check_failing();) {
    CHECK(wakes++ < COUNT * FAN_WHEEL_LEVELS); /* it never wakes for nothing but a level's step */
    now = due > now ? due : now;
    fan_wheel_advance(&wheel, now);
    for (fan_timer *timer; (timer = fan_wheel_next(&wheel));)
      CHECK(now >= timer->due_ms && now - timer->due_ms < FAN_TICK_MS);
  }
}

int main(void) {
  seed = rng_seed("test_wheel");
  RUN(test_wheel_without_timers_is_never_due);
  RUN(test_wheel_fires_one_timer_never_early_and_at_most_a_tick_late);
  RUN(test_wheel_timers_in_the_past_fire_at_once);
  RUN(test_wheel_arming_again_moves_the_timer);
  RUN(test_wheel_disarmed_timers_do_not_fire);
  RUN(test_wheel_timers_may_be_moved_while_others_expire);
  RUN(test_wheel_hundred_thousand_random_timers_agree_with_an_oracle);
  RUN(test_wheel_sleeping_until_due_fires_every_timer_on_its_tick);
  return check_done("test_wheel");
}
