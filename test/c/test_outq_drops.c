/* outq.h: letting go at both ends, and that each reference meets one fate, whatever becomes of the queue. */
#include <stdio.h>
#include <string.h>

#include "core/mem.h"
#include "core/outq.h"
#include "core/ticket.h"
#include "support/check.h"
#include "support/frames.h"

static size_t replaced; /* by the last push */

/* An event (with `key`, unless NULL) is pushed; its reference is given away. Answers the bytes that it has on the wire. */
static size_t push(fan_outq *queue, const char *key, const char *data) {
  fan_buf *frame = frame_keyed(key, data);
  size_t size = fan_buf_chunked(frame).size;
  CHECK_EQ(fan_outq_push(queue, frame, &replaced), 0);
  fan_buf_unref(frame);
  return size;
}

/* Takes everything that waits; answers what it says. */
static const char *drain(fan_outq *queue) {
  fan_slice slices[64];
  uint32_t count = queue->count;
  CHECK_EQ(fan_outq_gather(queue, slices, 64, SIZE_MAX), count);
  const char *text = frames_say(slices, (int)count);
  CHECK_EQ(fan_outq_advance(queue, queue->bytes), count);
  CHECK(fan_outq_empty(queue));
  CHECK_EQ(queue->by_key.count, 0);
  return text;
}

#define CHECK_DRAINS(queue, want)                                                                  \
  do {                                                                                             \
    const char *drained = drain(queue);                                                            \
    CHECK_BYTES(drained, strlen(drained), want, strlen(want));                                     \
  } while (0)

static void push_verbatim(fan_outq *queue, const char *text) {
  fan_buf *frame = fan_frame_verbatim(slice_of_text(text));
  CHECK_EQ(fan_outq_push(queue, frame, &replaced), 0);
  fan_buf_unref(frame);
}

static void test_outq_drop_oldest_and_newest_take_one_end_each(void) {
  fan_outq queue;
  fan_outq_init(&queue);
  CHECK_EQ(fan_outq_drop_oldest(&queue), 0);
  CHECK_EQ(fan_outq_drop_newest(&queue), 0);
  size_t first = push(&queue, NULL, "a");
  push(&queue, NULL, "bb");
  size_t last = push(&queue, NULL, "ccc");
  size_t bytes = queue.bytes;
  CHECK_EQ(fan_outq_drop_oldest(&queue), first);
  CHECK_EQ(fan_outq_drop_newest(&queue), last);
  CHECK_EQ(queue.bytes, bytes - first - last);
  CHECK_DRAINS(&queue, "bb");
  fan_outq_deinit(&queue);
}

/* Around the ring, so that the begun frame moves across its end as well. */
static void test_outq_drops_keep_a_begun_frame(void) {
  fan_outq queue;
  fan_outq_init(&queue);
  for (unsigned turn = 0; turn < 2 * FAN_OUTQ_INLINE; turn++) {
    size_t begun = push(&queue, "a", "a");
    size_t oldest = push(&queue, "b", "bb");
    push(&queue, "c", "old");
    size_t newest = push(&queue, "d", "dddd");
    fan_outq_advance(&queue, begun - 1);
    CHECK_EQ(fan_outq_drop_oldest(&queue), oldest);
    CHECK_EQ(fan_outq_drop_newest(&queue), newest);
    push(&queue, "c", "ccc"); /* its place has not changed */
    CHECK(replaced > 0);
    push(&queue, "b", "[new]"); /* it has none any more */
    CHECK_EQ(replaced, 0);
    CHECK(fan_outq_drop_oldest(&queue) > 0);
    CHECK(fan_outq_drop_oldest(&queue) > 0);
    CHECK_EQ(fan_outq_drop_oldest(&queue), 0);
    CHECK_EQ(fan_outq_drop_newest(&queue), 0);
    CHECK_EQ(queue.bytes, 1);
    CHECK_EQ(fan_outq_advance(&queue, 1), 1);
    CHECK(fan_outq_empty(&queue));
    if (turn % 2) push(&queue, NULL, "x"), drain(&queue);
  }
  fan_outq_deinit(&queue);
}

static void test_outq_a_begun_frame_that_moved_is_not_replaced(void) {
  fan_outq queue;
  fan_outq_init(&queue);
  push(&queue, "a", "a");
  push(&queue, "b", "b");
  fan_outq_advance(&queue, 1);
  fan_outq_drop_oldest(&queue);
  push(&queue, "a", "new");
  CHECK_EQ(replaced, 0);
  CHECK_EQ(queue.count, 2);
  push(&queue, "a", "newer");
  CHECK(replaced > 0);
  fan_outq_advance(&queue, fan_buf_chunked(queue.slots[queue.first]).size - 1);
  CHECK_DRAINS(&queue, "newer");
  fan_outq_deinit(&queue);
}

static void test_outq_verbatim_bytes_are_not_dropped(void) {
  fan_outq queue;
  fan_outq_init(&queue);
  push_verbatim(&queue, "1\r\n");
  CHECK_EQ(fan_outq_drop_oldest(&queue), 0);
  CHECK_EQ(fan_outq_drop_newest(&queue), 0);
  push(&queue, NULL, "a");
  CHECK_EQ(fan_outq_drop_oldest(&queue), 0);
  push_verbatim(&queue, "x");
  CHECK_EQ(fan_outq_drop_newest(&queue), 0);
  fan_outq_advance(&queue, 1); /* into the first one: the event is the oldest that is not begun */
  CHECK(fan_outq_drop_oldest(&queue) > 0);
  CHECK_EQ(fan_outq_drop_oldest(&queue), 0);
  CHECK_EQ(queue.bytes, strlen("\r\nx"));
  CHECK_EQ(fan_outq_advance(&queue, 2), 1);
  CHECK_DRAINS(&queue, "x");
  fan_outq_deinit(&queue);
}

static void test_outq_settles_each_reference_once(void) {
  fan_outq queue;
  fan_list complete;
  fan_list_init(&complete);
  fan_outq_init(&queue);
  fan_buf *frame = frame_keyed("k", "x"), *plain = frame_event("plain");
  size_t size = fan_buf_chunked(frame).size;
  CHECK_EQ(fan_ticket_attach(frame, 1), 0);
  fan_ticket_open(frame, &complete);
  for (int i = 0; i < 6; i++) fan_buf_owe(frame);
  fan_ticket_seal(frame);
  fan_ticket *ticket = frame->ticket;

  CHECK_EQ(fan_outq_push(&queue, frame, &replaced), 0);
  CHECK_EQ(fan_outq_push(&queue, frame, &replaced), 0);
  CHECK_EQ(ticket->fates[FAN_DROPPED], 1); /* replaced */
  fan_outq_advance(&queue, size - 1);
  CHECK_EQ(ticket->fates[FAN_WRITTEN], 0); /* not before its last byte */
  fan_outq_advance(&queue, 1);
  CHECK_EQ(ticket->fates[FAN_WRITTEN], 1);
  CHECK_EQ(fan_outq_push(&queue, frame, &replaced), 0);
  fan_outq_drop_oldest(&queue);
  CHECK_EQ(ticket->fates[FAN_DROPPED], 2);
  CHECK_EQ(fan_outq_push(&queue, frame, &replaced), 0);
  fan_outq_drop_newest(&queue);
  CHECK_EQ(ticket->fates[FAN_DROPPED], 3);
  CHECK_EQ(fan_outq_push(&queue, frame, &replaced), 0);
  CHECK_EQ(fan_outq_push(&queue, plain, &replaced), 0);
  fan_outq_clear(&queue);
  CHECK_EQ(ticket->fates[FAN_CLOSED], 1);
  CHECK_EQ(fan_outq_push(&queue, frame, &replaced), 0);
  fan_buf_unref(frame); /* the queue has the last reference: it settles before it gives it back */
  fan_outq_deinit(&queue);
  CHECK(fan_list_shift(&complete) == &ticket->node);
  CHECK_EQ(ticket->fates[FAN_CLOSED], 2);
  CHECK_EQ(ticket->fates[FAN_WRITTEN], 1);
  CHECK_EQ(ticket->fates[FAN_DROPPED], 3);
  fan_free(ticket);
  fan_buf_unref(plain);
}

static void test_outq_dropping_and_clearing_give_the_memory_back_too(void) {
  for (int way = 0; way < 3; way++) {
    fan_outq queue;
    fan_outq_init(&queue);
    char key[16];
    for (unsigned i = 0; i < 500; i++) {
      snprintf(key, sizeof key, "%u", i);
      push(&queue, key, "x");
    }
    if (way == 2) fan_outq_clear(&queue);
    while (way == 0 && fan_outq_drop_oldest(&queue)) continue;
    while (way == 1 && fan_outq_drop_newest(&queue)) continue;
    CHECK(fan_outq_empty(&queue));
    CHECK_EQ(queue.bytes, 0);
    CHECK_EQ(queue.capacity, FAN_OUTQ_INLINE);
    CHECK(queue.by_key.capacity <= 32);
    push(&queue, "1", "again");
    CHECK_EQ(replaced, 0);
    CHECK_DRAINS(&queue, "again");
    fan_outq_deinit(&queue);
  }
}

int main(void) {
  RUN(test_outq_drop_oldest_and_newest_take_one_end_each);
  RUN(test_outq_drops_keep_a_begun_frame);
  RUN(test_outq_a_begun_frame_that_moved_is_not_replaced);
  RUN(test_outq_verbatim_bytes_are_not_dropped);
  RUN(test_outq_settles_each_reference_once);
  RUN(test_outq_dropping_and_clearing_give_the_memory_back_too);
  return check_done("test_outq_drops");
}
