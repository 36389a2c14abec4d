#include "history.h"

#include <assert.h>
#include <string.h>

#include "err.h"
#include "mem.h"

#define MIN_SLOTS 4
/* What a ring costs without its slots; the map keeps at most a few of its own per ring. */
#define RING_COST (sizeof(fan_ring) + 2 * sizeof(fan_map_slot))

static uint64_t larger(uint64_t a, uint64_t b) { return a > b ? a : b; }

/* --- records --- */

static size_t record_cost(const fan_record *record) {
  size_t keys = (size_t)record->rooms + record->except_rooms + record->except_clients;
  return sizeof *record + keys * sizeof(uint64_t) + fan_buf_cost(record->frame);
}

static uint64_t *put_keys(uint64_t *at, const uint64_t *keys, uint32_t count) {
  if (count) memcpy(at, keys, count * sizeof *keys);
  return at + count;
}

/* Without a reference for the frame yet. */
static fan_record *record_new(const fan_target *target, const uint64_t *rooms, uint32_t count,
                              fan_buf *frame, uint64_t now_ms) {
  size_t keys = (size_t)count + target->except_rooms + target->except_clients;
  fan_record *record = fan_alloc(sizeof *record + keys * sizeof(uint64_t));
  if (!record) return NULL;
  *record = (fan_record){.sent_ms = now_ms,
                         .frame = frame,
                         .rooms = count,
                         .except_rooms = target->except_rooms,
                         .except_clients = target->except_clients};
  uint64_t *at = put_keys(record->keys, rooms, count);
  at = put_keys(at, fan_target_except_rooms(target), target->except_rooms);
  put_keys(at, fan_target_except_clients(target), target->except_clients);
  return record;
}

/* --- rings --- */

fan_record *fan_ring_at(const fan_ring *ring, uint32_t index) {
  assert(index < ring->count);
  return ring->records[(ring->first + index) & (ring->capacity - 1)];
}

uint32_t fan_ring_after(const fan_ring *ring, uint64_t seq) {
  uint32_t low = 0, high = ring->count;
  while (low < high) {
    uint32_t middle = low + (high - low) / 2;
    if (fan_ring_at(ring, middle)->frame->seq > seq) high = middle;
    else low = middle + 1;
  }
  return low;
}

/* capacity: a power of two, at least ring->count. */
static int ring_resize(fan_history *history, fan_ring *ring, uint32_t capacity) {
  fan_record **records = fan_alloc(capacity * sizeof(fan_record *));
  if (!records) return FAN_ENOMEM;
  for (uint32_t i = 0; i < ring->count; i++) records[i] = fan_ring_at(ring, i);
  fan_free(ring->records);
  history->bytes += capacity * sizeof(fan_record *);
  history->bytes -= ring->capacity * sizeof(fan_record *);
  ring->records = records;
  ring->capacity = capacity;
  ring->first = 0;
  return 0;
}

/* Room for one more; a ring that is full to the limit will lose one for it. */
static int ring_reserve(fan_history *history, fan_ring *ring) {
  if (ring->count < ring->capacity || ring->count == history->limits.events) return 0;
  if (ring->capacity > UINT32_MAX / 2) return FAN_ENOMEM;
  return ring_resize(history, ring, ring->capacity ? ring->capacity * 2 : MIN_SLOTS);
}

static void ring_wake(fan_history *history, fan_ring *ring) {
  if (!fan_list_linked(&ring->node)) return;
  fan_list_remove(&ring->node);
  history->quiet_bytes -= RING_COST;
}

/* Gives back the slots it does not need. A ring that nothing holds any more becomes quiet. */
static void ring_settle(fan_history *history, fan_ring *ring) {
  if (ring->count) {
    /* Failing to is no error. */
    if (ring->capacity > MIN_SLOTS && ring->count <= ring->capacity / 4)
      (void)ring_resize(history, ring, ring->capacity / 2);
    return;
  }
  fan_free(ring->records);
  history->bytes -= ring->capacity * sizeof(fan_record *);
  ring->records = NULL;
  ring->capacity = ring->first = 0;
  if (ring->excepted || fan_list_linked(&ring->node)) return;
  fan_list_push(&history->quiet, &ring->node);
  history->quiet_bytes += RING_COST;
}

/* The ring of this room, a quiet one if it is new; NULL: no memory. */
static fan_ring *ring_of(fan_history *history, uint64_t room) {
  fan_ring *ring = fan_map_get(&history->rings, room);
  if (ring) return ring;
  ring = fan_alloc(sizeof *ring);
  if (!ring) return NULL;
  /* It may have been here before, and forgotten. */
  *ring = (fan_ring){.room = room, .let_go = history->floor};
  if (fan_map_set(&history->rings, room, ring)) {
    fan_free(ring);
    return NULL;
  }
  fan_list_init(&ring->node);
  history->bytes += RING_COST;
  ring_settle(history, ring);
  return ring;
}

static void ring_push(fan_ring *ring, fan_record *record) {
  assert(ring->count < ring->capacity);
  ring->records[(ring->first + ring->count++) & (ring->capacity - 1)] = record;
  record->rings++;
}

static fan_record *ring_shift(fan_ring *ring) {
  fan_record *record = fan_ring_at(ring, 0);
  ring->first = (ring->first + 1) & (ring->capacity - 1);
  ring->count--;
  ring->let_go = larger(ring->let_go, record->frame->seq);
  record->rings--;
  return record;
}

/* --- letting go --- */

static fan_record *oldest_of(const fan_history *history) {
  if (fan_list_empty(&history->records)) return NULL;
  return fan_list_entry(history->records.next, fan_record, node);
}

/* No ring holds it any more. */
static void record_free(fan_history *history, fan_record *record) {
  const uint64_t *except = fan_record_except_rooms(record);
  assert(!record->rings);
  for (uint32_t i = 0; i < record->except_rooms; i++) {
    fan_ring *ring = fan_map_get(&history->rings, except[i]);
    ring->excepted--;
    ring_settle(history, ring);
  }
  history->count--;
  history->bytes -= record_cost(record);
  history->frame_bytes -= fan_buf_cost(record->frame);
  fan_list_remove(&record->node);
  fan_buf_unref(record->frame);
  fan_free(record);
}

/* The oldest of all is the first of every ring that still holds it. */
static void let_go_of_oldest(fan_history *history) {
  fan_record *record = oldest_of(history);
  for (uint32_t i = 0; i < record->rooms; i++) {
    fan_ring *ring = fan_map_get(&history->rings, record->keys[i]);
    if (!ring->count || fan_ring_at(ring, 0) != record) continue;
    ring_shift(ring);
    ring_settle(history, ring);
  }
  record_free(history, record);
}

static void forget_quiet(fan_history *history) {
  while (history->quiet_bytes > history->limits.bytes / 8) {
    fan_list *node = fan_list_shift(&history->quiet);
    fan_ring *ring = fan_list_entry(node, fan_ring, node);
    history->floor = larger(history->floor, ring->let_go);
    history->quiet_bytes -= RING_COST;
    history->bytes -= RING_COST;
    fan_map_remove(&history->rings, ring->room);
    fan_list_push(&history->forgotten, node);
  }
}

/* Forgetting comes first: it costs nobody an event. */
static void trim(fan_history *history) {
  forget_quiet(history);
  while (history->bytes > history->limits.bytes && oldest_of(history)) {
    let_go_of_oldest(history);
    forget_quiet(history);
  }
}

/* --- adding --- */

/* Whatever has to be allocated for the record, so that filing it can't fail. */
static int reserve(fan_history *history, const fan_record *record) {
  const uint64_t *except = fan_record_except_rooms(record);
  for (uint32_t i = 0; i < record->rooms; i++) {
    fan_ring *ring = ring_of(history, record->keys[i]);
    if (!ring) return FAN_ENOMEM;
    ring_wake(history, ring);
    if (ring_reserve(history, ring)) return FAN_ENOMEM;
  }
  for (uint32_t i = 0; i < record->except_rooms; i++)
    if (!ring_of(history, except[i])) return FAN_ENOMEM;
  return 0;
}

static bool is_filed(const fan_ring *ring, const fan_record *record) {
  return ring->count && fan_ring_at(ring, ring->count - 1) == record;
}

static void file(fan_history *history, fan_record *record) {
  const uint64_t *except = fan_record_except_rooms(record);
  fan_list gone; /* freed in the end: that may settle rings which are still to be filled */
  fan_list_init(&gone);
  fan_buf_ref(record->frame);
  fan_list_push(&history->records, &record->node);
  history->count++;
  history->bytes += record_cost(record);
  history->frame_bytes += fan_buf_cost(record->frame);
  for (uint32_t i = 0; i < record->except_rooms; i++) {
    fan_ring *ring = fan_map_get(&history->rings, except[i]);
    ring_wake(history, ring);
    ring->excepted++;
    ring->last = record->frame->seq;
  }
  for (uint32_t i = 0; i < record->rooms; i++) {
    fan_ring *ring = fan_map_get(&history->rings, record->keys[i]);
    if (is_filed(ring, record)) continue; /* the room is named twice */
    if (ring->count == history->limits.events) {
      fan_record *oldest = ring_shift(ring);
      if (!oldest->rings) {
        fan_list_remove(&oldest->node);
        fan_list_push(&gone, &oldest->node);
      }
    }
    ring_push(ring, record);
    ring->last = record->frame->seq;
  }
  while (!fan_list_empty(&gone)) record_free(history, fan_list_entry(gone.next, fan_record, node));
}

/* The frame can't be kept: it was here, and is let go of. */
static void refuse(fan_history *history, const uint64_t *rooms, uint32_t count, uint64_t seq) {
  for (uint32_t i = 0; i < count; i++) {
    fan_ring *ring = fan_map_get(&history->rings, rooms[i]);
    if (ring) {
      ring->let_go = ring->last = seq;
      ring_settle(history, ring);
    } else history->floor = seq;
  }
}

void fan_history_add(fan_history *history, const fan_target *target, fan_buf *frame,
                     uint64_t now_ms) {
  static const uint64_t everyone = FAN_EVERYONE;
  const uint64_t *rooms = target->everyone ? &everyone : fan_target_rooms(target);
  uint32_t count = target->everyone ? 1 : target->rooms;
  assert(frame->seq > history->latest);
  history->latest = frame->seq;
  if (!count) return;
  if (!history->limits.events) {
    history->floor = frame->seq;
    return;
  }
  fan_record *record = record_new(target, rooms, count, frame, now_ms);
  if (record && reserve(history, record) == 0) file(history, record);
  else {
    fan_free(record);
    refuse(history, rooms, count, frame->seq);
  }
  trim(history);
}

void fan_history_restart(fan_history *history, uint64_t seq) {
  assert(seq >= history->latest);
  while (oldest_of(history)) let_go_of_oldest(history);
  size_t cursor = 0;
  for (fan_ring *ring; (ring = fan_map_next(&history->rings, &cursor));) ring->let_go = seq;
  history->floor = history->latest = seq;
  forget_quiet(history);
}

/* --- age --- */

void fan_history_expire(fan_history *history, uint64_t now_ms) {
  const fan_record *oldest;
  while ((oldest = oldest_of(history)) && oldest->sent_ms <= now_ms &&
         now_ms - oldest->sent_ms >= history->limits.age_ms)
    let_go_of_oldest(history);
  forget_quiet(history);
}

uint64_t fan_history_due_ms(const fan_history *history) {
  const fan_record *oldest = oldest_of(history);
  if (!oldest) return UINT64_MAX;
  uint64_t age_ms = history->limits.age_ms;
  uint64_t slack_ms = age_ms / 8 < 1000 ? age_ms / 8 : 1000;
  if (age_ms > UINT64_MAX - slack_ms || oldest->sent_ms > UINT64_MAX - slack_ms - age_ms)
    return UINT64_MAX;
  return oldest->sent_ms + age_ms + slack_ms;
}

/* --- the whole --- */

void fan_history_init(fan_history *history, const fan_history_limits *limits) {
  *history = (fan_history){.limits = *limits};
  fan_list_init(&history->records);
  fan_list_init(&history->quiet);
  fan_list_init(&history->forgotten);
  fan_map_init(&history->rings);
}

void fan_history_deinit(fan_history *history) {
  size_t cursor = 0;
  uint64_t room, last;
  while (oldest_of(history)) let_go_of_oldest(history);
  for (fan_ring *ring; (ring = fan_map_next(&history->rings, &cursor));) fan_free(ring);
  fan_map_deinit(&history->rings);
  while (fan_history_next_forgotten(history, &room, &last)) continue;
}

uint64_t fan_history_let_go(const fan_history *history, uint64_t room) {
  const fan_ring *ring = fan_history_ring(history, room);
  return ring ? ring->let_go : history->floor;
}

const fan_ring *fan_history_ring(const fan_history *history, uint64_t room) {
  return fan_map_get(&history->rings, room);
}

bool fan_history_next_forgotten(fan_history *history, uint64_t *room, uint64_t *last) {
  for (fan_list *node; (node = fan_list_shift(&history->forgotten));) {
    fan_ring *ring = fan_list_entry(node, fan_ring, node);
    *room = ring->room;
    *last = ring->last;
    fan_free(ring);
    if (*room != FAN_EVERYONE) return true; /* that one has no name to be forgotten */
  }
  return false;
}
