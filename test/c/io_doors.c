/* inbox.h and outbox.h between two threads: everything once, in order, and nobody sleeps while something waits. */
#define _POSIX_C_SOURCE 200809L
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "io/clock.h"
#include "io/poll.h"
#include "support/io_js.h"
#include "support/random.h"

#define COMMANDS 300000
#define LETTERS 300000
#define LATE_MS 3000 /* a wake-up that takes longer is lost */

static uint64_t seed;

/* Nothing, a few microseconds, or the rest of the time slice: so that the threads meet at every point. */
static void pause_a_little(rng *dice) {
  uint32_t what = rng_below(dice, 100);
  struct timespec moment = {.tv_nsec = (long)rng_below(dice, 60000)};
  if (what < 3) nanosleep(&moment, NULL);
  else if (what < 10) sched_yield();
}

/* ---- inbox ---- */

typedef struct taker {
  fan_inbox inbox;
  fan_poll *poll;
  uint64_t next; /* the number that must come */
  unsigned disorder, late, ends;
  atomic_bool all_posted;
} taker;

static void take_all(taker *t, bool *was_open) {
  bool open;
  fan_batch *batch = fan_inbox_take(&t->inbox, &open);
  if (*was_open && !open) t->ends++;
  *was_open = open;
  while (batch) {
    fan_batch *next = batch->next;
    for (uint32_t i = 0; i < batch->count; i++)
      if (batch->commands[i].number != t->next++) t->disorder++;
    fan_free(batch);
    batch = next;
  }
}

/* The loop's protocol, and nothing else: sleep only when fan_inbox_sleep() says so. */
static void *run_taker(void *context) {
  taker *t = context;
  rng dice;
  bool was_open = false;
  rng_init(&dice, seed + 1);
  while (t->next < COMMANDS || was_open) {
    fan_poll_event event;
    uint64_t before = fan_clock_ms();
    fan_poll_wait(t->poll, &event, 1, fan_inbox_sleep(&t->inbox) ? LATE_MS : 0);
    if (fan_clock_ms() - before >= LATE_MS) t->late++;
    pause_a_little(&dice);
    take_all(t, &was_open);
  }
  return NULL;
}

static void test_inbox_everything_once_in_order_and_no_lost_wake_up(void) {
  taker t = {.poll = fan_poll_new()};
  pthread_t thread;
  rng dice;
  uint64_t posted = 0, wakes = 0;
  CHECK_EQ(fan_inbox_init(&t.inbox), 0);
  rng_init(&dice, seed);
  pthread_create(&thread, NULL, run_taker, &t);
  while (posted < COMMANDS) {
    for (uint32_t n = rng_below(&dice, 30) ? rng_below(&dice, 8) : 700; n && posted < COMMANDS;
         n--) {
      fan_command command = {.op = FAN_OP_SEND, .number = posted++};
      if (fan_inbox_add(&t.inbox, &command) == 1 && fan_inbox_post(&t.inbox, false))
        fan_poll_wake(t.poll), wakes++;
      if (n % 100 == 0) pause_a_little(&dice);
    }
    if (fan_inbox_post(&t.inbox, true)) fan_poll_wake(t.poll), wakes++;
    pause_a_little(&dice);
  }
  pthread_join(thread, NULL);
  CHECK_EQ(t.next, COMMANDS);
  CHECK_EQ(t.disorder, 0);
  CHECK_EQ(t.late, 0);
  CHECK(wakes > 0);
  bool open;
  CHECK(fan_inbox_take(&t.inbox, &open) == NULL);
  CHECK(!open);
  fan_inbox_deinit(&t.inbox);
  fan_poll_free(t.poll);
}

static void drop(fan_inbox *inbox) {
  bool open;
  for (fan_batch *batch = fan_inbox_take(inbox, &open), *next; batch; batch = next) {
    next = batch->next;
    for (uint32_t i = 0; i < batch->count; i++) fan_buf_unref(batch->commands[i].frame);
    fan_free(batch);
  }
}

static void test_inbox_says_when_a_batch_is_full(void) {
  fan_inbox inbox;
  fan_inbox_init(&inbox);
  fan_command empty = {.op = FAN_OP_JOIN};
  for (int round = 0; round < 2; round++) {
    for (int i = 1; i < FAN_BATCH_COMMANDS; i++) CHECK_EQ(fan_inbox_add(&inbox, &empty), 0);
    CHECK_EQ(fan_inbox_add(&inbox, &empty), 1);
    fan_inbox_post(&inbox, false);
  }
  for (int i = 0; i < 4; i++) {
    fan_command send = {.op = FAN_OP_SEND, .frame = frame_sized(65536, 0)};
    CHECK_EQ(fan_inbox_add(&inbox, &send), i == 3);
  }
  fan_inbox_post(&inbox, true);
  drop(&inbox);
  io_fail_allocations(1);
  CHECK_EQ(fan_inbox_add(&inbox, &empty), FAN_ENOMEM);
  io_fail_allocations(0);
  CHECK(!inbox.open);
  fan_inbox_deinit(&inbox);
}

static void test_inbox_wakes_only_who_sleeps(void) {
  fan_inbox inbox;
  bool open;
  fan_inbox_init(&inbox);
  fan_command command = {.op = FAN_OP_JOIN};
  fan_inbox_add(&inbox, &command);
  CHECK(!fan_inbox_post(&inbox, true)); /* awake */
  CHECK(!fan_inbox_sleep(&inbox));      /* there is work */
  drop(&inbox);
  CHECK(fan_inbox_sleep(&inbox));
  CHECK(!fan_inbox_post(&inbox, true)); /* no news */
  fan_inbox_add(&inbox, &command);
  CHECK(fan_inbox_post(&inbox, false));
  fan_inbox_add(&inbox, &command);
  CHECK(!fan_inbox_post(&inbox, false)); /* once is enough */
  drop(&inbox);
  CHECK(fan_inbox_sleep(&inbox));
  CHECK(fan_inbox_post(&inbox, true)); /* that the stretch has ended is news */
  CHECK(fan_inbox_take(&inbox, &open) == NULL);
  CHECK(!open);
  fan_inbox_deinit(&inbox);
}

static fan_batch *pass_one(fan_inbox *inbox) {
  bool open;
  fan_command command = {.op = FAN_OP_JOIN};
  CHECK_EQ(fan_inbox_add(inbox, &command), 0);
  fan_inbox_post(inbox, true);
  fan_batch *batch = fan_inbox_take(inbox, &open);
  CHECK_EQ(batch->count, 1);
  CHECK(batch->next == NULL);
  return batch;
}

static void test_inbox_uses_batches_again(void) {
  fan_inbox inbox;
  fan_inbox_init(&inbox);
  for (int i = 0; i < 2; i++) {
    fan_inbox_give_back(&inbox, pass_one(&inbox));
    CHECK(fan_inbox_sleep(&inbox));
  }
  io_fail_allocations(1); /* from now on it would be noticed */
  for (int i = 0; i < 10; i++) {
    fan_inbox_give_back(&inbox, pass_one(&inbox));
    CHECK(fan_inbox_sleep(&inbox));
  }
  io_fail_allocations(0);
  fan_batch *first = pass_one(&inbox);
  fan_inbox_give_back(&inbox, first);
  fan_inbox_give_back(&inbox, pass_one(&inbox)); /* more than one is too much to keep */
  fan_inbox_deinit(&inbox);
}

/* ---- the same through the loop ---- */

/* Frames that reach the loop before the stretch ends: whole batches only. */
static void check_early(unsigned count, size_t size, unsigned early) {
  js_side js;
  fan_limits limits = js_limits();
  js_begin(&js);
  fan_port *port = js_open(&js, &limits);
  js_flush(&js);
  fan_buf *frame = frame_sized(size, 0);
  size_t cost = fan_buf_cost(frame);
  js_publish(&js, port, 1, frame);
  for (unsigned i = 1; i < count; i++) js_publish(&js, port, 1, frame_sized(size, i));
  uint64_t until = fan_clock_ms() + NET_PATIENCE_MS;
  while (fan_port_inbox_bytes(port) > (count - early) * cost && fan_clock_ms() < until)
    sched_yield();
  CHECK_EQ(fan_port_inbox_bytes(port), (count - early) * cost);
  js_fence(&js, port);
  CHECK_EQ(fan_port_inbox_bytes(port), 0);
  CHECK_EQ(js_stats(&js, port).publishes, count);
  js_free(&js, port);
  js_end(&js);
}

static void test_loop_a_large_stretch_is_posted_early(void) {
  check_early(255, 30, 0);
  check_early(300, 30, 256);
  check_early(1000, 30, 768);
  check_early(9, 64 * 1024, 8);
}

static void test_loop_a_stretch_wakes_it_once(void) {
  js_side js;
  fan_limits limits = js_limits();
  js_begin(&js);
  fan_port *port = js_open(&js, &limits);
  for (unsigned stretch = 1; stretch < 50; stretch++) {
    uint64_t before = fan_loop_wakeups(js.loop);
    for (unsigned i = 0; i < 200; i++) js_publish(&js, port, 1, frame_sized(30, i));
    js_fence(&js, port);
    CHECK(fan_loop_wakeups(js.loop) <= before + 1);
    js_flush(&js); /* nothing was posted */
    CHECK(fan_loop_wakeups(js.loop) <= before + 1);
  }
  js_free(&js, port);
  js_end(&js);
}

/* ---- outbox ---- */

typedef struct pusher {
  fan_outbox outbox;
  sem_t bell;
} pusher;

static void *run_pusher(void *context) {
  pusher *p = context;
  rng dice;
  rng_init(&dice, seed + 2);
  for (uint64_t pushed = 0; pushed < LETTERS;) {
    for (uint32_t n = rng_below(&dice, 40) ? rng_below(&dice, 10) : 500; n && pushed < LETTERS;
         n--) {
      fan_letter letter = {.kind = FAN_NOTICE_REPORT, .id = pushed++};
      while (!fan_outbox_reserve(&p->outbox)) sched_yield();
      fan_outbox_push(&p->outbox, &letter);
    }
    if (fan_outbox_post(&p->outbox)) sem_post(&p->bell);
    pause_a_little(&dice);
  }
  return NULL;
}

static bool bell_rings(sem_t *bell) {
  struct timespec until;
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_sec += LATE_MS / 1000;
  return sem_timedwait(bell, &until) == 0;
}

static void test_outbox_everything_once_in_order_and_no_lost_bell(void) {
  pusher p;
  pthread_t thread;
  rng dice;
  uint64_t next = 0;
  unsigned disorder = 0, empty = 0;
  sem_init(&p.bell, 0, 0);
  CHECK_EQ(fan_outbox_init(&p.outbox), 0);
  rng_init(&dice, seed + 3);
  pthread_create(&thread, NULL, run_pusher, &p);
  while (next < LETTERS && CHECK(bell_rings(&p.bell))) {
    pause_a_little(&dice);
    const fan_letters *letters = fan_outbox_take(&p.outbox);
    if (!letters->count) empty++; /* one bell for each batch */
    for (size_t i = 0; i < letters->count; i++)
      if (letters->items[i].id != next++) disorder++;
  }
  pthread_join(thread, NULL);
  CHECK_EQ(next, LETTERS);
  CHECK_EQ(disorder, 0);
  CHECK_EQ(empty, 0);
  fan_outbox_deinit(&p.outbox);
  sem_destroy(&p.bell);
}

static void test_outbox_without_memory_keeps_what_it_has(void) {
  fan_outbox outbox;
  fan_outbox_init(&outbox);
  io_fail_allocations(1);
  CHECK(!fan_outbox_reserve(&outbox));
  CHECK(!fan_outbox_promise(&outbox));
  io_fail_allocations(0);
  uint64_t pushed = 0, next = 0;
  for (int batch = 0; batch < 3; batch++) {
    for (int i = 0; i < 50; i++) {
      CHECK(fan_outbox_promise(&outbox));
      fan_outbox_redeem(&outbox);
      fan_outbox_push(&outbox, &(fan_letter){.id = pushed++});
    }
    io_fail_allocations(batch ? 1 : 0); /* the batches behind the first find no room beside it */
    CHECK_EQ(fan_outbox_post(&outbox), batch == 0);
    io_fail_allocations(0);
  }
  for (int batch = 0; batch < 2; batch++) {
    const fan_letters *letters = fan_outbox_take(&outbox);
    for (size_t i = 0; i < letters->count; i++) CHECK_EQ(letters->items[i].id, next++);
    CHECK_EQ(fan_outbox_post(&outbox), batch == 0);
  }
  CHECK_EQ(next, pushed);
  fan_outbox_deinit(&outbox);
}

int main(void) {
  seed = rng_seed("io_doors");
  IO_RUN(test_inbox_everything_once_in_order_and_no_lost_wake_up);
  IO_RUN(test_inbox_says_when_a_batch_is_full);
  IO_RUN(test_inbox_wakes_only_who_sleeps);
  IO_RUN(test_inbox_uses_batches_again);
  IO_RUN(test_loop_a_large_stretch_is_posted_early);
  IO_RUN(test_loop_a_stretch_wakes_it_once);
  IO_RUN(test_outbox_everything_once_in_order_and_no_lost_bell);
  IO_RUN(test_outbox_without_memory_keeps_what_it_has);
  return check_done("io_doors");
}
