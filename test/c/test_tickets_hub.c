/* hub.h: who asks what becomes of an event is told once, and every client that it was for is in the sum. */
#include <string.h>

#include "core/err.h"
#include "core/mem.h"
#include "core/ticket.h"
#include "support/check.h"
#include "support/frames.h"
#include "support/hub_world.h"
#include "support/mem_fail.h"

#define EVENT 14 /* bytes of an event of one letter, as a chunk */
#define TICKET 77

static hub_world w;

static uint32_t ask(const char *target) {
  return hub_publish_as(&w, target, "x", (hub_special){.ticket = TICKET});
}
static uint32_t ask_kept(const char *target) {
  return hub_publish_as(&w, target, "x", (hub_special){.kept = true, .ticket = TICKET});
}

/* Takes the notices up to the ticket's, which must be the only one of its kind. */
static void check_told(uint64_t written, uint64_t dropped, uint64_t closed) {
  unsigned told = 0;
  for (fan_notice notice; fan_hub_next_notice(w.hub, &notice);) {
    if (notice.kind != FAN_NOTICE_DELIVERED) continue;
    told++;
    CHECK_EQ(notice.id, TICKET);
    CHECK_EQ(notice.written, written);
    CHECK_EQ(notice.dropped, dropped);
    CHECK_EQ(notice.closed, closed);
  }
  CHECK_EQ(told, 1);
}

static void check_not_told(void) {
  for (fan_notice notice; fan_hub_next_notice(w.hub, &notice);)
    CHECK(notice.kind != FAN_NOTICE_DELIVERED);
}

static void test_ticket_for_nobody_is_told_at_once(void) {
  hub_init(&w, NULL);
  CHECK_EQ(ask("r10 c4"), 0);
  check_told(0, 0, 0);
  hub_deinit(&w);
}

static void test_ticket_is_told_when_the_last_byte_is_taken(void) {
  hub_init(&w, NULL);
  hub_open(&w, 1, 4);
  sink_script_answer(&w.sinks[2], EVENT - 1);
  CHECK_EQ(ask("*"), 4);
  hub_settle(&w);
  check_not_told();
  hub_unblock(&w, 2);
  hub_settle(&w);
  check_told(4, 0, 0);
  hub_settle(&w);
  check_not_told();
  hub_deinit(&w);
}

static void test_ticket_counts_who_ends_in_whatever_way(void) {
  hub_init(&w, NULL);
  hub_open(&w, 1, 5);
  hub_connect(&w, 6);
  for (uint64_t id = 2; id <= 5; id++) hub_block(&w, id);
  CHECK_EQ(ask("*"), 6);
  hub_settle(&w);
  CHECK_EQ(fan_hub_kill_client(w.hub, 2, FAN_SERVER, false), 0);
  CHECK_EQ(fan_hub_kill_client(w.hub, 3, FAN_SERVER, true), 0);
  CHECK_EQ(fan_hub_broken(w.hub, 4, FAN_EIO), 0);
  CHECK_EQ(fan_hub_close_client(w.hub, 5, FAN_SERVER), 0); /* it still gets it */
  CHECK_EQ(fan_hub_kill_client(w.hub, 6, FAN_SERVER, false), 0);
  hub_settle(&w);
  check_not_told();
  hub_unblock(&w, 5);
  hub_settle(&w);
  check_told(2, 0, 4);
  hub_deinit(&w);
}

static void test_ticket_is_not_for_who_is_closed_already(void) {
  hub_init(&w, NULL);
  hub_open(&w, 1, 3);
  CHECK_EQ(fan_hub_close_client(w.hub, 1, FAN_SERVER), 0);
  CHECK_EQ(fan_hub_kill_client(w.hub, 2, FAN_SERVER, false), 0);
  CHECK_EQ(ask("* c1"), 1);
  hub_settle(&w);
  check_told(1, 0, 0);
  hub_deinit(&w);
}

static void check_policy(enum fan_overflow overflow, uint64_t written, uint64_t dropped,
                         uint64_t closed) {
  hub_init(&w,
           &(fan_limits){.queue_bytes = 2 * EVENT, .total_bytes = 1 << 20, .overflow = overflow});
  hub_open(&w, 2, 2);
  hub_block(&w, 2);
  CHECK_EQ(hub_publish(&w, "*", "a"), 1);
  CHECK_EQ(ask("*"), 1);
  hub_publish(&w, "*", "b");
  hub_settle(&w);
  hub_publish(&w, "*", "c");
  hub_settle(&w);
  if (fan_hub_has(w.hub, 2)) hub_unblock(&w, 2);
  hub_settle(&w);
  check_told(written, dropped, closed);
  hub_deinit(&w);
}

static void test_ticket_counts_what_a_policy_lets_go_of(void) {
  check_policy(FAN_OVERFLOW_DISCONNECT, 0, 0, 1);
  check_policy(FAN_OVERFLOW_DROP_OLDEST, 0, 1, 0);
  check_policy(FAN_OVERFLOW_DROP_NEWEST, 1, 0, 0);
}

static void test_ticket_counts_what_is_replaced(void) {
  hub_init(&w, NULL);
  hub_open(&w, 1, 3);
  hub_block(&w, 2);
  CHECK_EQ(fan_hub_gate(w.hub, 3), 0);
  hub_publish(&w, "c2", "a");
  CHECK_EQ(hub_publish_as(&w, "*", "x", (hub_special){.key = "k", .ticket = TICKET}), 3);
  hub_settle(&w);
  check_not_told();
  CHECK_EQ(hub_publish_as(&w, "*", "y", (hub_special){.key = "k"}), 3);
  hub_settle(&w);
  check_told(1, 2, 0);
  hub_deinit(&w);
}

static void test_ticket_behind_a_gate_waits_for_it(void) {
  hub_init(&w, NULL);
  hub_open(&w, 1, 3);
  CHECK_EQ(fan_hub_gate(w.hub, 1), 0);
  CHECK_EQ(fan_hub_gate(w.hub, 2), 0);
  CHECK_EQ(ask("*"), 3);
  hub_settle(&w);
  check_not_told();
  CHECK_EQ(fan_hub_close_client(w.hub, 1, FAN_SERVER), 0); /* forgoes it */
  hub_settle(&w);
  check_not_told();
  CHECK_EQ(fan_hub_ungate(w.hub, 2), 0);
  hub_settle(&w);
  check_told(2, 0, 1);
  CHECK_RECEIVED(&w, 2, "x");
  hub_deinit(&w);
}

/* Client 2 comes back and has a, b and c to catch up with. */
static void open_catching_up(uint32_t events) {
  hub_init_history(&w, &(fan_limits){.queue_bytes = 2 * EVENT, .total_bytes = 1 << 20}, events);
  hub_keep(&w, "r10", "abc");
  hub_open(&w, 2, 2);
  hub_join(&w, 10, 2, 2);
  CHECK_EQ(hub_resume(&w, 2, 0, false), 0);
  hub_block(&w, 2);
  hub_settle(&w);
}

static void test_ticket_reaches_who_is_catching_up_once_and_in_order(void) {
  open_catching_up(100);
  CHECK_EQ(ask_kept("r10"), 1);
  hub_keep(&w, "r10", "d");
  hub_settle(&w);
  check_not_told();
  hub_unblock(&w, 2);
  hub_settle(&w);
  CHECK_RECEIVED(&w, 2, "abcxd");
  check_told(1, 0, 0);
  hub_deinit(&w);
}

static void test_ticket_of_who_cannot_catch_up_is_closed(void) {
  open_catching_up(3);
  CHECK_EQ(ask_kept("r10"), 1);
  hub_keep(&w, "r10", "de");
  hub_unblock(&w, 2);
  hub_settle(&w);
  CHECK_RECEIVED(&w, 2, "");
  CHECK_EQ(fan_hub_stats(w.hub)->ended[FAN_SLOW], 1);
  check_told(0, 0, 1);
  hub_deinit(&w);
}

static void test_ticket_does_not_wait_for_replays_of_its_event(void) {
  hub_init_history(&w, NULL, 100);
  hub_open(&w, 2, 2);
  hub_block(&w, 2);
  CHECK_EQ(ask_kept("*"), 1);
  hub_settle(&w);
  hub_open(&w, 4, 4);
  CHECK_EQ(hub_resume(&w, 4, 0, false), 0); /* while the first still waits */
  hub_settle(&w);
  CHECK_RECEIVED(&w, 4, "x");
  check_not_told();
  hub_unblock(&w, 2);
  hub_settle(&w);
  check_told(1, 0, 0);
  hub_open(&w, 6, 6);
  CHECK_EQ(hub_resume(&w, 6, 0, false), 0);
  hub_settle(&w);
  CHECK_RECEIVED(&w, 6, "x");
  check_not_told();
  hub_deinit(&w);
}

static void test_ticket_counts_who_is_lost_for_want_of_memory_as_closed(void) {
  hub_init(&w, NULL);
  hub_open(&w, 1, 2);
  CHECK_EQ(fan_hub_gate(w.hub, 1), 0);
  fan_target *all = target_of("*");
  fan_buf *frame = frame_event("x");
  CHECK_EQ(fan_ticket_attach(frame, TICKET), 0);
  mem_fail_at(1, true); /* what is held needs an entry */
  CHECK_EQ(fan_hub_publish(w.hub, all, frame), 2);
  CHECK(mem_fail_happened());
  mem_fail_at(0, false);
  fan_buf_unref(frame);
  fan_free(all);
  hub_settle(&w);
  check_told(1, 0, 1);
  CHECK_EQ(fan_hub_stats(w.hub)->ended[FAN_ERROR], 1);
  hub_deinit(&w);
}

static void test_ticket_that_nobody_takes_ends_with_the_hub(void) {
  hub_init(&w, NULL);
  hub_open(&w, 1, 2);
  hub_block(&w, 2);
  ask("c1");
  ask("*"); /* pending at the end */
  hub_settle(&w);
  hub_deinit(&w);
}

int main(void) {
  RUN(test_ticket_for_nobody_is_told_at_once);
  RUN(test_ticket_is_told_when_the_last_byte_is_taken);
  RUN(test_ticket_counts_who_ends_in_whatever_way);
  RUN(test_ticket_is_not_for_who_is_closed_already);
  RUN(test_ticket_counts_what_a_policy_lets_go_of);
  RUN(test_ticket_counts_what_is_replaced);
  RUN(test_ticket_behind_a_gate_waits_for_it);
  RUN(test_ticket_reaches_who_is_catching_up_once_and_in_order);
  RUN(test_ticket_of_who_cannot_catch_up_is_closed);
  RUN(test_ticket_does_not_wait_for_replays_of_its_event);
  RUN(test_ticket_counts_who_is_lost_for_want_of_memory_as_closed);
  RUN(test_ticket_that_nobody_takes_ends_with_the_hub);
  return check_done("test_tickets_hub");
}
