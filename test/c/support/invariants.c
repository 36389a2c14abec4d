#include "invariants.h"

#include <stdlib.h>

#include "check.h"
#include "core/hub_private.h"
#include "sink_script.h"

#define MOST_FRAMES 65536

/* As in held.c. */
typedef struct held_entry {
  fan_list node;
  fan_buf *frame;
  uint64_t follows;
} held_entry;

/* References found, one entry each. */
static const fan_buf *frames[MOST_FRAMES];
static size_t frame_count;

static void add_frame(const fan_buf *frame) {
  if (CHECK(frame_count < MOST_FRAMES)) frames[frame_count++] = frame;
}

/* ---- a client ---- */

static const fan_buf *queued_at(const fan_outq *queue, uint32_t index) {
  return queue->slots[(queue->first + index) & (queue->capacity - 1)];
}

/* Whoever has a key and is not begun can be found by it, and nothing else can. No two keys of a test have one hash. */
static void check_keys(const fan_outq *queue) {
  size_t findable = 0;
  for (uint32_t i = 0; i < queue->count; i++) {
    uint64_t key = queued_at(queue, i)->key;
    if (!key) continue;
    uintptr_t place = (uintptr_t)((queue->taken + i) * 2 + 1);
    bool found = (uintptr_t)fan_map_get(&queue->by_key, key) == place;
    CHECK(found || (i == 0 && queue->offset > 0));
    findable += found;
  }
  CHECK_EQ(queue->by_key.count, findable);
}

static void check_queue(const fan_outq *queue) {
  size_t sum = 0, first = 0;
  for (uint32_t i = 0; i < queue->count; i++) {
    const fan_buf *buf = queued_at(queue, i);
    size_t size = (queue->raw ? fan_buf_raw(buf) : fan_buf_chunked(buf)).size;
    if (i == 0) first = size;
    sum += size;
    add_frame(buf);
  }
  CHECK_EQ(queue->bytes, sum - queue->offset);
  CHECK(queue->count ? queue->offset < first : queue->offset == 0);
  check_keys(queue);
}

static void check_held(const fan_held *held, uint64_t latest) {
  size_t sum = 0, count = 0, keys = 0;
  uint64_t follows = 0;
  for (fan_list *node = held->frames.next; node != &held->frames; node = node->next, count++) {
    held_entry *e = fan_list_entry(node, held_entry, node);
    CHECK(e->follows >= follows && e->follows <= latest);
    follows = e->follows;
    sum += fan_buf_chunked(e->frame).size;
    add_frame(e->frame);
    if (!e->frame->key) continue;
    CHECK(fan_map_get(&held->by_key, e->frame->key) == e);
    keys++;
  }
  CHECK_EQ(held->count, count);
  CHECK_EQ(held->bytes, sum);
  CHECK_EQ(held->by_key.count, keys);
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

static bool armed_by(const fan_client *client, uint64_t due_ms) {
  return fan_timer_armed(&client->timer) && client->timer.due_ms <= due_ms;
}

static void check_clocks(const fan_client *client, const fan_limits *limits) {
  if (limits->stall_ms && (client->blocked || !client->sink))
    CHECK(armed_by(client, client->progress_ms + limits->stall_ms));
  if (client->tell_shed) CHECK(fan_list_linked(&client->notice_node));
  else if (fan_client_has_shed(client)) CHECK(armed_by(client, client->shed_told_ms + FAN_SHED_MS));
  if (client->report) CHECK(fan_list_linked(&client->notice_node));
}

static void check_client(const fan_slot *slot, const fan_clients *clients) {
  const fan_client *client = &slot->client;
  bool waits = !fan_outq_empty(&client->queue), dirty = fan_list_linked(&client->dirty_node);
  CHECK(client->shared == clients);
  check_queue(&client->queue);
  if (client->held) check_held(client->held, clients->latest);
  check_sink(client);
  if (client->heartbeat) add_frame(client->heartbeat);
  CHECK(fan_list_linked(&client->dead_node) == (client->state == FAN_DEAD));
  if (client->state == FAN_DEAD) {
    CHECK(!dirty && !fan_list_linked(&client->behind_node));
    CHECK(client->reason < FAN_REASON_COUNT);
    return;
  }
  CHECK((client->reason == FAN_NO_REASON) == (client->state != FAN_DRAINING));
  CHECK((client->held != NULL) == (client->gated || slot->replay));
  CHECK(!(client->gated && slot->replay));
  if (client->gated) CHECK(client->state != FAN_DRAINING);
  if (client->blocked) CHECK(waits);
  else if (client->sink && (waits || slot->replay || client->state == FAN_DRAINING)) CHECK(dirty);
  CHECK(client->replayed_bytes <= clients->limits.queue_bytes * 2);
  if (fan_list_linked(&client->behind_node)) CHECK(waits);
  check_clocks(client, &clients->limits);
}

static void check_clients(fan_hub *hub) {
  size_t cursor = 0, dirty = 0, dead = 0;
  for (fan_slot *slot; (slot = fan_map_next(&hub->slots, &cursor));) {
    check_client(slot, &hub->clients);
    dirty += fan_list_linked(&slot->client.dirty_node);
    dead += fan_list_linked(&slot->client.dead_node);
  }
  for (const fan_list *n = hub->clients.dirty.next; n != &hub->clients.dirty; n = n->next) dirty--;
  for (const fan_list *n = hub->clients.dead.next; n != &hub->clients.dead; n = n->next) dead--;
  CHECK_EQ(dirty, 0);
  CHECK_EQ(dead, 0);
  if (!fan_list_empty(&hub->clients.dirty)) CHECK(hub->clients.flush_due_ms != FAN_NEVER);
  for (fan_list *n = hub->ended.next; n != &hub->ended; n = n->next) {
    const fan_client *client = fan_list_entry(n, fan_client, dead_node);
    CHECK(!client->sink && fan_outq_empty(&client->queue) && !client->held);
    CHECK(!fan_timer_armed(&client->timer));
    if (client->heartbeat) add_frame(client->heartbeat);
  }
}

/* ---- the history ---- */

static void check_ring(const fan_history *history, const fan_ring *ring) {
  uint64_t seq =
      0; /* what could not be kept for want of memory was let go of before what is older */
  CHECK(ring->count <= ring->capacity && ring->count <= history->limits.events);
  for (uint32_t i = 0; i < ring->count; i++) {
    const fan_record *record = fan_ring_at(ring, i);
    CHECK(record->frame->seq > seq);
    seq = record->frame->seq;
  }
  CHECK(ring->last >= seq || ring->last == 0);
  CHECK(fan_list_linked(&ring->node) == (!ring->count && !ring->excepted));
}

/* Each record lies in as many rings as it says, and its frame is held once. */
static void check_history_books(const fan_history *history) {
  size_t cursor = 0, frame_bytes = 0, places = 0, filed = 0, bytes = 0;
  uint64_t count = 0, seq = 0;
  for (fan_list *n = history->records.next; n != &history->records; n = n->next, count++) {
    fan_record *record = fan_list_entry(n, fan_record, node);
    CHECK(record->frame->seq > seq && record->rings > 0);
    seq = record->frame->seq;
    frame_bytes += fan_buf_cost(record->frame);
    places += record->rings;
    bytes +=
        sizeof *record + ((size_t)record->rooms + record->except_rooms + record->except_clients) *
                             sizeof *record->keys;
    add_frame(record->frame);
  }
  for (fan_ring *ring; (ring = fan_map_next(&history->rings, &cursor));) {
    check_ring(history, ring);
    filed += ring->count;
    bytes += sizeof *ring + 2 * sizeof(fan_map_slot) + ring->capacity * sizeof *ring->records;
  }
  CHECK_EQ(history->count, count);
  CHECK_EQ(filed, places);
  CHECK_EQ(history->frame_bytes, frame_bytes);
  CHECK_EQ(history->bytes, bytes + frame_bytes);
  CHECK(history->bytes <= history->limits.bytes || !count);
}

/* ---- frames ---- */

static int by_address(const void *a, const void *b) {
  uintptr_t x = (uintptr_t) * (const fan_buf *const *)a,
            y = (uintptr_t) * (const fan_buf *const *)b;
  return (x > y) - (x < y);
}

/* The ledger counts each frame that lives once, and a frame counts each reference. */
static void check_frames(const fan_ledger *ledger) {
  size_t sum = 0;
  qsort(frames, frame_count, sizeof *frames, by_address);
  for (size_t i = 0, next; i < frame_count; i = next) {
    for (next = i + 1; next < frame_count && frames[next] == frames[i];) next++;
    CHECK_EQ(frames[i]->refs, next - i);
    if (frames[i]->ledger == ledger) sum += fan_buf_cost(frames[i]);
  }
  CHECK_EQ(ledger->held_bytes, sum);
  CHECK(ledger->peak_bytes >= sum);
}

void check_invariants(fan_hub *hub, fan_buf *const *held, size_t count) {
  frame_count = 0;
  for (size_t i = 0; i < count; i++)
    if (held[i]) add_frame(held[i]);
  check_clients(hub);
  check_history_books(&hub->history);
  CHECK_EQ(fan_hub_stats(hub)->clients, hub->slots.count);
  check_frames(&hub->clients.ledger);
}
