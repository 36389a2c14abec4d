/* sink_relay.h, through the loop: blocks for JavaScript to write, credit, and in which order letters come. */
#include <stdlib.h>
#include <string.h>

#include "io/sink_relay.h"
#include "support/io_js.h"

#define ROOM 7

/* A hub with one relay client, and what was sent to it. */
typedef struct scene {
  js_side js;
  fan_port *port;
  uint64_t client;
  net_bytes sent, got;
  size_t outstanding; /* taken and not yet credited */
  unsigned blocks;
} scene;

static void begin(scene *s, size_t queue_bytes) {
  *s = (scene){0};
  fan_limits limits = js_limits();
  limits.queue_bytes = queue_bytes;
  js_begin(&s->js);
  s->port = js_open(&s->js, &limits);
  s->client = js_connect(&s->js, s->port, ROOM);
  js_attach_relay(&s->js, s->port, s->client);
}

static void end(scene *s) {
  js_free(&s->js, s->port);
  js_end(&s->js);
  net_bytes_free(&s->sent);
  net_bytes_free(&s->got);
}

static void send_some(scene *s, unsigned count, size_t size) {
  for (unsigned i = 0; i < count; i++) {
    fan_buf *frame = expect_frame(&s->sent, frame_sized(size + i, i), true);
    if (i % 2) js_send(&s->js, s->port, s->client, frame);
    else js_publish(&s->js, s->port, ROOM, frame);
  }
}

/* Takes what the letter carries, as JavaScript does before res.write. Answers its kind. */
static uint8_t take(scene *s, uint8_t kind) {
  fan_letter letter = js_await(&s->js, s->client, kind);
  if (letter.kind != FAN_NOTICE_RELAY) return letter.kind;
  CHECK(letter.size > 0 && letter.data);
  net_bytes_add(&s->got, letter.data, letter.size);
  fan_free(letter.data);
  s->outstanding += letter.size;
  s->blocks++;
  CHECK(s->outstanding <= FAN_RELAY_BYTES);
  return letter.kind;
}

static void credit(scene *s, size_t bytes) {
  js_credit(&s->js, s->port, s->client, bytes);
  s->outstanding -= bytes;
  js_flush(&s->js);
}

static void check_all_arrived(scene *s) {
  CHECK_BYTES(s->got.data, s->got.size, s->sent.data, s->sent.size);
}

static void test_relay_sends_raw_bytes_one_block_for_a_turn(void) {
  scene s;
  begin(&s, 8 << 20);
  send_some(&s, 20, 100);
  js_flush(&s.js);
  CHECK_EQ(take(&s, 0), FAN_NOTICE_RELAY);
  CHECK_EQ(s.blocks, 1); /* one stretch, one turn, one block */
  check_all_arrived(&s);
  credit(&s, s.outstanding);
  send_some(&s, 1, 100);
  js_flush(&s.js);
  CHECK_EQ(take(&s, 0), FAN_NOTICE_RELAY);
  check_all_arrived(&s);
  end(&s);
}

static void test_relay_leaves_at_most_64_kib_in_javascripts_hands(void) {
  scene s;
  begin(&s, 8 << 20);
  send_some(&s, 300, 3000);
  js_fence(&s.js, s.port);
  while (js_has(&s.js, s.client, FAN_NOTICE_RELAY)) take(&s, FAN_NOTICE_RELAY);
  CHECK_EQ(s.outstanding, FAN_RELAY_BYTES);
  /* Some credit alone does not start it again: blocks should be worth a crossing. */
  credit(&s, 1000);
  js_fence(&s.js, s.port);
  CHECK(!js_has(&s.js, s.client, FAN_NOTICE_RELAY));
  credit(&s, FAN_RELAY_BYTES / 2 - 1000);
  for (size_t step = 1; s.got.size < s.sent.size && !check_failing(); step++) {
    if (take(&s, FAN_NOTICE_RELAY) != FAN_NOTICE_RELAY) break;
    for (size_t part = s.outstanding / (1 + step % 3); part && s.outstanding; part = s.outstanding)
      credit(&s, part);
  }
  CHECK(s.blocks >= s.sent.size / FAN_RELAY_BYTES);
  check_all_arrived(&s);
  js_fence(&s.js, s.port);
  CHECK_EQ(js_stats(&s.js, s.port).held_bytes, 0);
  end(&s);
}

static void test_relay_last_bytes_come_before_released(void) {
  scene s;
  begin(&s, 8 << 20);
  send_some(&s, 5, 50);
  js_end_client(&s.js, s.port, s.client, false);
  js_flush(&s.js);
  CHECK_EQ(take(&s, 0), FAN_NOTICE_RELAY);
  CHECK_EQ(take(&s, 0), FAN_NOTICE_RELEASED);
  check_all_arrived(&s);
  end(&s);
}

static void test_relay_close_waits_for_credit(void) {
  scene s;
  begin(&s, 8 << 20);
  send_some(&s, 100, 2000);
  js_end_client(&s.js, s.port, s.client, false);
  js_fence(&s.js, s.port);
  CHECK(!js_has(&s.js, s.client, FAN_NOTICE_RELEASED));
  uint8_t kind;
  while ((kind = take(&s, 0)) == FAN_NOTICE_RELAY || kind == FAN_NOTICE_REPORT)
    if (s.outstanding) credit(&s, s.outstanding);
  CHECK_EQ(kind, FAN_NOTICE_RELEASED);
  check_all_arrived(&s);
  credit(&s, 0); /* that of a client which has left finds nobody */
  js_fence(&s.js, s.port);
  CHECK(!js_has(&s.js, s.client, FAN_NOTICE_RELAY));
  end(&s);
}

static void test_relay_without_credit_ends_slow(void) {
  scene s;
  begin(&s, 128 * 1024);
  send_some(&s, 200, 2000);
  js_fence(&s.js, s.port);
  fan_letter letter = js_await(&s.js, s.client, FAN_NOTICE_EVICTED);
  CHECK_EQ(letter.reason, FAN_SLOW);
  while (js_has(&s.js, s.client, FAN_NOTICE_RELAY)) take(&s, FAN_NOTICE_RELAY);
  CHECK(s.got.size <= FAN_RELAY_BYTES);
  CHECK_BYTES(s.got.data, s.got.size, s.sent.data, s.got.size); /* a prefix */
  end(&s);
}

static void test_relay_nothing_follows_a_kill(void) {
  scene s;
  begin(&s, 8 << 20);
  send_some(&s, 5, 50);
  js_end_client(&s.js, s.port, s.client,
                true); /* in the same stretch: what was gathered is dropped */
  js_fence(&s.js, s.port);
  CHECK(!js_has(&s.js, s.client, 0));
  CHECK_EQ(js_stats(&s.js, s.port).held_bytes, 0);
  end(&s);
}

static void test_relay_credit_means_nothing_to_a_socket(void) {
  scene s;
  int pair[2];
  begin(&s, 8 << 20);
  net_tcp(pair);
  net_bytes expected = {0};
  uint64_t other = js_client(&s.js, s.port, 0, pair[0], false);
  js_credit(&s.js, s.port, other, 1000);
  js_send(&s.js, s.port, other, expect_frame(&expected, frame_event("x"), false));
  js_flush(&s.js);
  CHECK_READS(pair[1], &expected);
  net_bytes_free(&expected);
  end(&s);
  net_close(pair);
}

static void test_relay_many_clients_each_get_their_own(void) {
  enum { MANY = 300 }; /* more than one slice of a turn */
  scene s;
  uint64_t clients[MANY];
  begin(&s, 8 << 20);
  for (int i = 0; i < MANY; i++) {
    clients[i] = js_connect(&s.js, s.port, ROOM);
    js_attach_relay(&s.js, s.port, clients[i]);
  }
  net_bytes shared = {0};
  js_publish(&s.js, s.port, ROOM, expect_frame(&shared, frame_sized(300, 1), true));
  for (int i = 0; i < MANY; i++) {
    js_send(&s.js, s.port, clients[i], frame_sized(100 + (size_t)i, 2));
    js_end_client(&s.js, s.port, clients[i], false);
  }
  js_flush(&s.js);
  for (int i = 0; i < MANY && !check_failing(); i++) {
    size_t size = 0;
    fan_letter letter;
    while ((letter = js_await(&s.js, clients[i], 0)).kind == FAN_NOTICE_RELAY) {
      if (!size) CHECK_BYTES(letter.data, shared.size, shared.data, shared.size);
      size += letter.size;
      fan_free(letter.data);
    }
    CHECK_EQ(letter.kind, FAN_NOTICE_RELEASED);
    CHECK_EQ(size, shared.size + 100 + (size_t)i);
  }
  net_bytes_free(&shared);
  end(&s);
}

/* Without a loop: bytes that a sink took reach the outbox, whatever becomes of the memory afterwards. */
static void test_relay_what_was_taken_is_never_lost(void) {
  fan_outbox outbox;
  fan_relays relays = {.outbox = &outbox};
  CHECK_EQ(fan_outbox_init(&outbox), 0);
  fan_list_init(&relays.gathering);
  for (long n = 1; n < 6; n++) {
    fan_sink *sink = fan_sink_relay_new();
    fan_sink_relay_watch(sink, &relays);
    fan_slice slice = slice_of_text("these bytes");
    io_fail_allocations(n);
    int64_t taken = sink->ops->write(sink, &slice, 1);
    io_fail_allocations(1);
    if (n % 2) fan_relays_push(&relays);
    sink->ops->close(sink, FAN_SINK_RELEASE);
    fan_outbox_post(&outbox);
    io_fail_allocations(0);
    const fan_letters *letters = fan_outbox_take(&outbox);
    CHECK_EQ(letters->count, taken > 0);
    CHECK(taken == FAN_EIO || taken == (int64_t)slice.size);
    for (size_t i = 0; i < letters->count; i++) {
      CHECK_BYTES(letters->items[i].data, letters->items[i].size, slice.data, slice.size);
      fan_free(letters->items[i].data);
    }
  }
  fan_outbox_deinit(&outbox);
}

int main(void) {
  IO_RUN(test_relay_sends_raw_bytes_one_block_for_a_turn);
  IO_RUN(test_relay_leaves_at_most_64_kib_in_javascripts_hands);
  IO_RUN(test_relay_last_bytes_come_before_released);
  IO_RUN(test_relay_close_waits_for_credit);
  IO_RUN(test_relay_without_credit_ends_slow);
  IO_RUN(test_relay_nothing_follows_a_kill);
  IO_RUN(test_relay_credit_means_nothing_to_a_socket);
  IO_RUN(test_relay_many_clients_each_get_their_own);
  IO_RUN(test_relay_what_was_taken_is_never_lost);
  return check_done("io_relay");
}
