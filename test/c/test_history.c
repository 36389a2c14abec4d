/* history.h: what is kept, for how long, and what is known of what is not. */
#include <string.h>

#include "core/history.h"
#include "core/mem.h"
#include "support/check.h"
#include "support/frames.h"
#include "support/hub_world.h"

#define RING_COST (sizeof(fan_ring) + 2 * sizeof(fan_map_slot))

static const fan_history_limits generous = {.events = 100, .bytes = 1 << 20, .age_ms = 60000};
static fan_history h;
static uint64_t seq, now_ms;

static void begin(const fan_history_limits *limits) {
  fan_history_init(&h, limits);
  seq = 0;
  now_ms = 1000;
}

static void add_sized(const char *text, size_t size) {
  fan_target *target = target_of(text);
  fan_buf *frame = frame_sized(size, 1);
  frame->seq = ++seq;
  fan_history_add(&h, target, frame, now_ms);
  fan_buf_unref(frame);
  fan_free(target);
}

static void add(const char *text) { add_sized(text, 100); }

/* "3 5 | 2": the ring has 3 and 5, and has let go of 2. "- | 2": there is no ring. Static. */
static const char *ring_text(uint64_t room) {
  static char text[400];
  const fan_ring *ring = fan_history_ring(&h, room);
  size_t at = (size_t)snprintf(text, sizeof text, ring ? "" : "- ");
  for (uint32_t i = 0; ring && i < ring->count && at < sizeof text - 50; i++)
    at += (size_t)sprintf(text + at, "%d ", (int)fan_ring_at(ring, i)->frame->seq);
  sprintf(text + at, "| %d", (int)fan_history_let_go(&h, room));
  return text;
}

/* What was forgotten since the last call: "7:12 9:14", rooms and their last numbers. Static. */
static const char *forgotten_text(void) {
  static char text[400];
  uint64_t room, last;
  size_t at = 0;
  text[0] = 0;
  while (fan_history_next_forgotten(&h, &room, &last) && at < sizeof text - 50)
    at += (size_t)sprintf(text + at, at ? " %d:%d" : "%d:%d", (int)room, (int)last);
  return text;
}

#define CHECK_TEXT(got, want)                                                                      \
  do {                                                                                             \
    const char *text_got = (got);                                                                  \
    CHECK_BYTES(text_got, strlen(text_got), (want), strlen(want));                                 \
  } while (0)
#define CHECK_RING(room, want) CHECK_TEXT(ring_text(room), want)

static void test_history_files_an_event_under_each_of_its_rooms(void) {
  begin(&generous);
  add("r1 r2");
  add("r2");
  add("r3 c1");
  CHECK_RING(1, "1 | 0");
  CHECK_RING(2, "1 2 | 0");
  CHECK_RING(3, "3 | 0");
  CHECK_RING(4, "- | 0");
  CHECK_EQ(h.count, 3);
  CHECK(fan_ring_at(fan_history_ring(&h, 1), 0) == fan_ring_at(fan_history_ring(&h, 2), 0));
  fan_history_deinit(&h);
}

static void test_history_of_everyone_is_a_ring_of_its_own(void) {
  begin(&generous);
  add("*");
  add("r1");
  CHECK_RING(FAN_EVERYONE, "1 | 0");
  CHECK_RING(1, "2 | 0");
  fan_history_deinit(&h);
}

static void test_history_keeps_nothing_that_was_sent_to_clients_by_id(void) {
  begin(&generous);
  add("c1 c2");
  CHECK_EQ(h.count, 0);
  CHECK_EQ(h.bytes, 0);
  fan_history_deinit(&h);
}

static void test_history_room_named_twice_has_the_event_once(void) {
  begin(&generous);
  add("r1 r2 r1 -r3 -r3");
  CHECK_RING(1, "1 | 0");
  now_ms += 60000;
  fan_history_expire(&h, now_ms);
  CHECK_RING(1, "| 1");
  CHECK_EQ(h.bytes, 3 * RING_COST);
  CHECK_EQ(h.quiet_bytes, 3 * RING_COST);
  fan_history_deinit(&h);
}

static void test_history_record_names_the_rooms_and_clients_excepted(void) {
  begin(&generous);
  add("r1 c4 -r2 -r3 -c7");
  const fan_record *record = fan_ring_at(fan_history_ring(&h, 1), 0);
  CHECK(record->rooms == 1 && record->keys[0] == 1);
  CHECK(record->except_rooms == 2 && record->except_clients == 1);
  CHECK_EQ(fan_record_except_rooms(record)[0], 2);
  CHECK_EQ(fan_record_except_rooms(record)[1], 3);
  CHECK_EQ(fan_record_except_clients(record)[0], 7);
  fan_history_deinit(&h);
}

static void test_history_holds_one_reference_until_the_last_ring_lets_go(void) {
  static const fan_history_limits limits = {.events = 1, .bytes = 1 << 20, .age_ms = 1000};
  begin(&limits);
  fan_target *target = target_of("r1 r2 r3");
  fan_buf *frame = frame_sized(50, 0);
  frame->seq = seq = 1;
  fan_history_add(&h, target, frame, now_ms);
  fan_free(target);
  CHECK_EQ(frame->refs, 2);
  add("r1");
  add("r3");
  CHECK_EQ(frame->refs, 2);
  CHECK_EQ(h.count, 3);
  add("r2");
  CHECK_EQ(frame->refs, 1);
  CHECK_EQ(h.count, 3);
  fan_buf_unref(frame);
  fan_history_deinit(&h);
}

static void test_history_ring_with_too_many_events_loses_its_own_oldest(void) {
  static const fan_history_limits limits = {.events = 3, .bytes = 1 << 20, .age_ms = 1000};
  begin(&limits);
  add("r1 r2");
  add("r1");
  add("r1");
  add("r1");
  CHECK_RING(1, "2 3 4 | 1");
  CHECK_RING(2, "1 | 0");
  add("r1");
  CHECK_RING(1, "3 4 5 | 2");
  CHECK_EQ(h.count, 4);
  fan_history_deinit(&h);
}

static void test_history_over_its_bytes_loses_the_oldest_of_all(void) {
  fan_history_limits limits = generous;
  begin(&limits);
  add("r1 r2");
  add("r2");
  add("r1 r3");
  h.limits.bytes = h.bytes;
  add("r3");
  CHECK_RING(1, "3 | 1");
  CHECK_RING(2, "2 | 1");
  CHECK_RING(3, "3 4 | 0");
  CHECK(h.bytes <= h.limits.bytes);
  fan_history_deinit(&h);
}

static void test_history_counts_frames_records_and_rings(void) {
  begin(&generous);
  add_sized("r1 r2 -r3 -c4", 200);
  const fan_record *record = fan_ring_at(fan_history_ring(&h, 1), 0);
  size_t slots = fan_history_ring(&h, 1)->capacity + fan_history_ring(&h, 2)->capacity;
  CHECK_EQ(h.frame_bytes, fan_buf_cost(record->frame));
  CHECK_EQ(h.bytes, fan_buf_cost(record->frame) + sizeof *record + 4 * sizeof(uint64_t) +
                        3 * RING_COST + slots * sizeof(void *));
  CHECK_EQ(h.quiet_bytes, 0);
  fan_history_deinit(&h);
}

static void test_history_frame_larger_than_all_leaves_nothing_behind(void) {
  static const fan_history_limits limits = {.events = 10, .bytes = 4000, .age_ms = 1000};
  begin(&limits);
  add("r1");
  add("r2");
  add_sized("r2 r3", 5000);
  CHECK_EQ(h.count, 0);
  CHECK_EQ(h.frame_bytes, 0);
  CHECK_RING(1, "| 1");
  CHECK_RING(2, "| 3");
  CHECK_RING(3, "| 3");
  add("r2");
  CHECK_RING(2, "4 | 3");
  fan_history_deinit(&h);
}

static void test_history_without_events_lets_go_of_all_at_once(void) {
  static const fan_history_limits limits = {.events = 0, .bytes = 4000, .age_ms = 1000};
  begin(&limits);
  add("r1");
  CHECK_EQ(h.bytes, 0);
  CHECK_RING(1, "- | 1");
  CHECK_EQ(fan_history_due_ms(&h), UINT64_MAX);
  fan_history_deinit(&h);
}

static void test_history_lets_go_of_an_event_in_the_millisecond_of_its_age(void) {
  begin(&generous);
  add("r1");
  now_ms += 5;
  add("r1 r2");
  fan_history_expire(&h, 1000 + 59999);
  CHECK_RING(1, "1 2 | 0");
  fan_history_expire(&h, 1000 + 60000);
  CHECK_RING(1, "2 | 1");
  fan_history_expire(&h, 1000 + 60005);
  CHECK_RING(1, "| 2");
  CHECK_RING(2, "| 2");
  CHECK_EQ(h.count, 0);
  CHECK_EQ(h.frame_bytes, 0);
  fan_history_deinit(&h);
}

static void test_history_is_due_a_little_after_its_oldest_event(void) {
  fan_history_limits limits = generous;
  begin(&limits);
  CHECK_EQ(fan_history_due_ms(&h), UINT64_MAX);
  add("r1");
  now_ms += 500;
  add("r1");
  CHECK_EQ(fan_history_due_ms(&h), 1000 + 60000 + 1000);
  h.limits.age_ms = 80;
  CHECK_EQ(fan_history_due_ms(&h), 1000 + 80 + 10);
  fan_history_expire(&h, 1000 + 80);
  CHECK_EQ(fan_history_due_ms(&h), 1500 + 80 + 10);
  fan_history_expire(&h, 1500 + 80);
  CHECK_EQ(fan_history_due_ms(&h), UINT64_MAX);
  fan_history_deinit(&h);
}

static void test_history_ring_finds_what_lies_beyond_a_number(void) {
  static const fan_history_limits limits = {.events = 5, .bytes = 1 << 20, .age_ms = 1000};
  begin(&limits);
  for (int i = 0; i < 12; i++) add(i % 2 ? "r1" : "r2"); /* r1 has the even ones */
  CHECK_RING(1, "4 6 8 10 12 | 2");
  const fan_ring *ring = fan_history_ring(&h, 1);
  for (uint64_t from = 0; from < 14; from++) {
    uint32_t want = 0;
    while (want < 5 && 4 + 2 * (uint64_t)want <= from) want++;
    CHECK_EQ(fan_ring_after(ring, from), want);
  }
  fan_history_deinit(&h);
}

static void test_history_quiet_room_is_known_to_have_lost_nothing_else(void) {
  begin(&generous);
  add("r1");
  for (int i = 0; i < 500; i++) add("r2");
  now_ms += 60000;
  fan_history_expire(&h, now_ms);
  CHECK_RING(1, "| 1");
  CHECK_RING(2, "| 501");
  add("r1");
  CHECK_RING(1, "502 | 1");
  CHECK_TEXT(forgotten_text(), "");
  fan_history_deinit(&h);
}

/* Room for two quiet rings. */
static const fan_history_limits two_quiet = {
    .events = 10, .bytes = 8 * (2 * RING_COST), .age_ms = 1000};

static void test_history_forgets_the_room_that_is_quiet_longest_and_tells_once(void) {
  begin(&two_quiet);
  add("r1");
  add("r2");
  fan_history_expire(&h, now_ms += 1000);
  CHECK_TEXT(forgotten_text(), "");
  add("r3");
  fan_history_expire(&h, now_ms += 1000);
  CHECK_TEXT(forgotten_text(), "1:1");
  CHECK_TEXT(forgotten_text(), "");
  CHECK_RING(1, "- | 1");
  CHECK_RING(2, "| 2");
  CHECK_RING(3, "| 3");
  CHECK_RING(4, "- | 1"); /* it could have been forgotten too */
  CHECK_EQ(h.quiet_bytes, 2 * RING_COST);
  fan_history_deinit(&h);
}

static void test_history_room_that_was_forgotten_begins_with_what_may_be_gone(void) {
  begin(&two_quiet);
  add("r1");
  add("r2");
  add("r3");
  fan_history_expire(&h, now_ms += 1000);
  CHECK_RING(1, "- | 1");
  add("r1"); /* told or not: it is a new ring */
  CHECK_RING(1, "4 | 1");
  CHECK_TEXT(forgotten_text(), "1:1");
  fan_history_expire(&h, now_ms += 1000);
  CHECK_RING(1, "| 4");
  CHECK_TEXT(forgotten_text(), "2:2");
  CHECK_EQ(h.floor, 2);
  fan_history_deinit(&h);
}

static void test_history_room_that_speaks_again_is_quiet_the_shortest(void) {
  begin(&two_quiet);
  add("r1");
  add("r2");
  fan_history_expire(&h, now_ms += 1000);
  add("r1");
  fan_history_expire(&h, now_ms += 1000);
  add("r3");
  fan_history_expire(&h, now_ms += 1000);
  CHECK_TEXT(forgotten_text(), "2:2");
  CHECK_RING(1, "| 3");
  fan_history_deinit(&h);
}

static void test_history_remembers_an_excepted_room_as_long_as_the_record(void) {
  begin(&two_quiet);
  add("r9 -r1");
  CHECK_EQ(h.quiet_bytes, 0);
  h.limits.bytes = 0; /* from now on whatever nothing holds is forgotten at once */
  fan_history_expire(&h, 1000 + 999);
  CHECK_RING(1, "| 0");
  fan_history_expire(&h, 1000 + 1000);
  CHECK_TEXT(forgotten_text(), "9:1 1:1");
  CHECK_RING(1, "- | 1");
  fan_history_deinit(&h);
}

static void test_history_tells_the_last_number_that_concerned_a_room(void) {
  begin(&two_quiet);
  add("r1");
  add("r2 -r1");
  h.limits.bytes = 0;
  fan_history_expire(&h, now_ms += 1000);
  CHECK_TEXT(forgotten_text(), "2:2 1:2");
  CHECK_EQ(h.floor, 2);
  fan_history_deinit(&h);
}

static void test_history_never_tells_that_everyone_was_forgotten(void) {
  begin(&two_quiet);
  add("*");
  add("r1");
  h.limits.bytes = 0;
  fan_history_expire(&h, now_ms += 1000);
  CHECK(fan_history_ring(&h, FAN_EVERYONE) == NULL);
  CHECK_TEXT(forgotten_text(), "1:2");
  fan_history_deinit(&h);
}

/* What is let go of for the new event holds rings that the new event is about to be filed in. */
static void test_history_files_in_a_room_that_the_event_before_it_excepted(void) {
  static const fan_history_limits limits = {.events = 1, .bytes = 1 << 20, .age_ms = 1000};
  begin(&limits);
  add("r1 -r2");
  add("r1 r2");
  CHECK_RING(1, "2 | 1");
  CHECK_RING(2, "2 | 0");
  add("r3 -r3");
  add("r3");
  CHECK_RING(3, "4 | 3");
  CHECK_EQ(h.quiet_bytes, 0);
  fan_history_deinit(&h);
}

int main(void) {
  RUN(test_history_files_an_event_under_each_of_its_rooms);
  RUN(test_history_of_everyone_is_a_ring_of_its_own);
  RUN(test_history_keeps_nothing_that_was_sent_to_clients_by_id);
  RUN(test_history_room_named_twice_has_the_event_once);
  RUN(test_history_record_names_the_rooms_and_clients_excepted);
  RUN(test_history_holds_one_reference_until_the_last_ring_lets_go);
  RUN(test_history_ring_with_too_many_events_loses_its_own_oldest);
  RUN(test_history_over_its_bytes_loses_the_oldest_of_all);
  RUN(test_history_counts_frames_records_and_rings);
  RUN(test_history_frame_larger_than_all_leaves_nothing_behind);
  RUN(test_history_without_events_lets_go_of_all_at_once);
  RUN(test_history_lets_go_of_an_event_in_the_millisecond_of_its_age);
  RUN(test_history_is_due_a_little_after_its_oldest_event);
  RUN(test_history_ring_finds_what_lies_beyond_a_number);
  RUN(test_history_quiet_room_is_known_to_have_lost_nothing_else);
  RUN(test_history_forgets_the_room_that_is_quiet_longest_and_tells_once);
  RUN(test_history_room_that_was_forgotten_begins_with_what_may_be_gone);
  RUN(test_history_room_that_speaks_again_is_quiet_the_shortest);
  RUN(test_history_remembers_an_excepted_room_as_long_as_the_record);
  RUN(test_history_tells_the_last_number_that_concerned_a_room);
  RUN(test_history_never_tells_that_everyone_was_forgotten);
  RUN(test_history_files_in_a_room_that_the_event_before_it_excepted);
  return check_done("test_history");
}
