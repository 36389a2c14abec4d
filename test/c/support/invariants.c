#include "invariants.h"

#include <stdlib.h>

#include "check.h"
#include "frames.h"
#include "sink_script.h"

#define MOST_CLIENTS 512
#define MOST_FRAMES 65536

static fan_client *found[MOST_CLIENTS];
static size_t found_count;
static const fan_buf *frames[MOST_FRAMES];
static size_t frame_count;

/* A frame that the hub has seen knows the hub's ledger, and that lies in what we look for. */
fan_clients *invariants_clients(fan_hub *hub) {
  static const fan_target nobody;
  fan_buf *frame = frame_event("");
  fan_hub_publish(hub, &nobody, frame);
  fan_clients *clients = fan_list_entry(frame->ledger, fan_clients, ledger);
  fan_buf_unref(frame);
  return clients;
}

static void add_client(fan_client *client) {
  for (size_t i = 0; i < found_count; i++)
    if (found[i] == client) return;
  if (CHECK(found_count < MOST_CLIENTS)) found[found_count++] = client;
}

#define ADD_ALL(list, member)                                                                      \
  for (const fan_list *n = (list)->next; n != (list); n = n->next)                                 \
  add_client(fan_list_entry(n, fan_client, member))

static void find_clients(const fan_clients *clients) {
  found_count = 0;
  ADD_ALL(&clients->dirty, dirty_node);
  ADD_ALL(&clients->behind, behind_node);
  ADD_ALL(&clients->notices, notice_node);
  ADD_ALL(&clients->dead, dead_node);
  ADD_ALL(&clients->wheel.expired, timer.node);
  for (int level = 0; level < FAN_WHEEL_LEVELS; level++)
    for (int i = 0; i < FAN_WHEEL_SLOTS; i++) {
      const fan_list *slot = &clients->wheel.slots[level][i];
      CHECK(((clients->wheel.used[level] >> i) & 1) == !fan_list_empty(slot));
      ADD_ALL(slot, timer.node);
    }
}

static void add_frame(const fan_buf *frame) {
  if (CHECK(frame_count < MOST_FRAMES)) frames[frame_count++] = frame;
}

static void check_queue(const fan_outq *queue) {
  size_t sum = 0, first = 0;
  for (uint32_t i = 0; i < queue->count; i++) {
    const fan_buf *buf = queue->slots[(queue->first + i) & (queue->capacity - 1)];
    size_t size = (queue->raw ? fan_buf_raw(buf) : fan_buf_chunked(buf)).size;
    if (i == 0) first = size;
    sum += size;
    add_frame(buf);
  }
  CHECK_EQ(queue->bytes, sum - queue->offset);
  CHECK(queue->count ? queue->offset < first : queue->offset == 0);
}

static void check_sink(const fan_client *client) {
  const sink_script *sink = (const sink_script *)client->sink;
  if (!sink) {
    CHECK(!client->blocked && client->state != FAN_OPEN && client->queue.offset == 0);
    return;
  }
  CHECK(client->state != FAN_OPENING && sink->closed == 0);
  CHECK(sink->sink.raw == client->queue.raw);
  CHECK(sink->wanting == client->blocked);
}

static void check_client(const fan_client *client, const fan_clients *clients) {
  const fan_limits *limits = &clients->limits;
  bool waits = !fan_outq_empty(&client->queue), dirty = fan_list_linked(&client->dirty_node);
  CHECK(client->shared == clients);
  check_queue(&client->queue);
  check_sink(client);
  CHECK(fan_list_linked(&client->dead_node) == (client->state == FAN_DEAD));
  if (client->state == FAN_DEAD) {
    CHECK(!dirty && !fan_list_linked(&client->behind_node));
    CHECK(client->reason < FAN_REASON_COUNT);
    return;
  }
  CHECK((client->reason == FAN_NO_REASON) == (client->state != FAN_DRAINING));
  if (client->blocked) CHECK(waits);
  else if (client->sink && (waits || client->state == FAN_DRAINING)) CHECK(dirty);
  if (limits->stall_ms && (client->blocked || !client->sink)) {
    CHECK(fan_timer_armed(&client->timer));
    CHECK(client->timer.due_ms <= client->progress_ms + limits->stall_ms);
  }
  if (fan_list_linked(&client->behind_node)) CHECK(!fan_outq_empty(&client->queue));
  if (client->state != FAN_DRAINING) add_frame(client->heartbeat);
}

static int by_address(const void *a, const void *b) {
  uintptr_t x = (uintptr_t) * (const fan_buf *const *)a,
            y = (uintptr_t) * (const fan_buf *const *)b;
  return (x > y) - (x < y);
}

/* The ledger counts each frame that lives once. */
static void check_ledger(const fan_ledger *ledger) {
  size_t sum = 0;
  qsort(frames, frame_count, sizeof *frames, by_address);
  for (size_t i = 0; i < frame_count; i++)
    if (frames[i]->ledger == ledger && (i == 0 || frames[i] != frames[i - 1]))
      sum += fan_buf_cost(frames[i]);
  CHECK_EQ(ledger->held_bytes, sum);
  CHECK(ledger->peak_bytes >= sum);
}

void check_invariants(fan_hub *hub, fan_buf *const *held, size_t count) {
  const fan_clients *clients = invariants_clients(hub);
  frame_count = 0;
  for (size_t i = 0; i < count; i++)
    if (held[i]) add_frame(held[i]);
  find_clients(clients);
  for (size_t i = 0; i < found_count; i++) check_client(found[i], clients);
  CHECK_EQ(fan_hub_stats(hub)->clients, found_count);
  if (!fan_list_empty(&clients->dirty)) CHECK(clients->flush_due_ms != FAN_NEVER);
  check_ledger(&clients->ledger);
}
