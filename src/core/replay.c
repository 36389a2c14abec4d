#include "replay.h"

#include <assert.h>
#include <string.h>

#include "err.h"
#include "mem.h"

#define MIN_SOURCES 4

/* Where one source stands in its ring. */
typedef struct fan_reading {
  const fan_ring *ring;
  uint64_t seq; /* of the record at `index` */
  uint64_t until;
  uint32_t index;
} reading;

void fan_replay_init(fan_replay *replay, uint64_t client, uint64_t cursor, uint64_t since) {
  *replay =
      (fan_replay){.client = client, .forged = cursor > since, .cursor = cursor, .since = since};
}

void fan_replay_deinit(fan_replay *replay) {
  fan_free(replay->sources);
  fan_free(replay->heap);
  *replay = (fan_replay){0};
}

/* --- sources: by room, and those of one room by time, which do not overlap --- */

/* How many sources lie before those of room `room` that begin at `after` or later. */
static uint32_t sources_before(const fan_replay *replay, uint64_t room, uint64_t after) {
  uint32_t low = 0, high = replay->count;
  while (low < high) {
    uint32_t middle = low + (high - low) / 2;
    const fan_source *source = &replay->sources[middle];
    if (source->room < room || (source->room == room && source->after < after)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/* The latest source of this room that begins before `seq`, or NULL. */
static fan_source *source_before(const fan_replay *replay, uint64_t room, uint64_t seq) {
  uint32_t before = sources_before(replay, room, seq);
  if (!before || replay->sources[before - 1].room != room) return NULL;
  return &replay->sources[before - 1];
}

int fan_replay_join(fan_replay *replay, uint64_t room, uint64_t after) {
  fan_source *latest = source_before(replay, room, UINT64_MAX);
  if (latest && latest->until >= after) { /* nothing was sent since it left */
    latest->until = UINT64_MAX;
    return 0;
  }
  if (replay->count == replay->capacity) {
    uint32_t capacity = replay->capacity ? replay->capacity * 2 : MIN_SOURCES;
    fan_source *sources = fan_resize(replay->sources, capacity * sizeof *sources);
    if (!sources) return FAN_ENOMEM;
    replay->sources = sources;
    replay->capacity = capacity;
  }
  uint32_t at = sources_before(replay, room, after);
  fan_source *source = &replay->sources[at];
  memmove(source + 1, source, (replay->count++ - at) * sizeof *source);
  *source = (fan_source){room, after, UINT64_MAX};
  return 0;
}

void fan_replay_leave(fan_replay *replay, uint64_t room, uint64_t latest) {
  fan_source *source = source_before(replay, room, UINT64_MAX);
  if (source && source->until > latest) source->until = latest;
}

void fan_replay_limit(fan_replay *replay, uint64_t latest) {
  for (uint32_t i = 0; i < replay->count; i++)
    if (replay->sources[i].until > latest) replay->sources[i].until = latest;
}

void fan_replay_rebase(fan_replay *replay, uint64_t cursor) {
  if (cursor > replay->cursor) replay->cursor = cursor;
  replay->forged = false;
}

static uint64_t begin_of(const fan_replay *replay, const fan_source *source) {
  return source->after > replay->cursor ? source->after : replay->cursor;
}

/* Nothing of it can be left. */
static bool is_over(const fan_replay *replay, const fan_source *source) {
  return source->until <= begin_of(replay, source);
}

bool fan_replay_possible(const fan_replay *replay, const fan_history *history) {
  if (replay->forged) return false;
  for (uint32_t i = 0; i < replay->count; i++) {
    const fan_source *source = &replay->sources[i];
    if (is_over(replay, source)) continue;
    if (fan_history_let_go(history, source->room) > begin_of(replay, source)) return false;
  }
  return true;
}

static void drop_what_is_over(fan_replay *replay) {
  uint32_t kept = 0;
  for (uint32_t i = 0; i < replay->count; i++)
    if (!is_over(replay, &replay->sources[i])) replay->sources[kept++] = replay->sources[i];
  replay->count = kept;
}

/* --- the heap: the smallest number is first; the children of i are 2i + 1 and 2i + 2 --- */

static void sift_down(fan_replay *replay, uint32_t at) {
  reading *heap = replay->heap, moved = heap[at];
  for (;;) {
    uint64_t child = (uint64_t)at * 2 + 1;
    if (child >= replay->heap_count) break;
    if (child + 1 < replay->heap_count && heap[child + 1].seq < heap[child].seq) child++;
    if (heap[child].seq >= moved.seq) break;
    heap[at] = heap[child];
    at = (uint32_t)child;
  }
  heap[at] = moved;
}

/* Is there something at reading->index that is the client's? */
static bool stands(reading *at) {
  if (at->index >= at->ring->count) return false;
  at->seq = fan_ring_at(at->ring, at->index)->frame->seq;
  return at->seq <= at->until;
}

/* The first reading goes to its next record, or leaves. */
static void step(fan_replay *replay) {
  reading *first = replay->heap;
  first->index++;
  if (!stands(first)) *first = replay->heap[--replay->heap_count];
  if (replay->heap_count) sift_down(replay, 0);
}

static int reserve_heap(fan_replay *replay) {
  if (replay->count <= replay->heap_capacity) return 0;
  reading *heap = fan_alloc(replay->capacity * sizeof *heap);
  if (!heap) return FAN_ENOMEM;
  fan_free(replay->heap);
  replay->heap = heap;
  replay->heap_capacity = replay->capacity;
  return 0;
}

/* --- a pass --- */

enum fan_replay_state fan_replay_open(fan_replay *replay, const fan_history *history) {
  replay->heap_count = 0;
  drop_what_is_over(replay);
  if (!fan_replay_possible(replay, history)) return FAN_REPLAY_LOST;
  if (reserve_heap(replay)) return FAN_REPLAY_NOMEM;
  for (uint32_t i = 0; i < replay->count; i++) {
    const fan_source *source = &replay->sources[i];
    const fan_ring *ring = fan_history_ring(history, source->room);
    if (!ring) continue;
    reading at = {.ring = ring, .until = source->until};
    at.index = fan_ring_after(ring, begin_of(replay, source));
    if (stands(&at)) replay->heap[replay->heap_count++] = at;
  }
  for (uint32_t i = replay->heap_count / 2; i-- > 0;) sift_down(replay, i);
  return FAN_REPLAY_READY;
}

static bool is_excepted(const fan_replay *replay, const fan_record *record) {
  const uint64_t *clients = fan_record_except_clients(record);
  for (uint32_t i = 0; i < record->except_clients; i++)
    if (clients[i] == replay->client) return true;
  const uint64_t *rooms = fan_record_except_rooms(record);
  for (uint32_t i = 0; i < record->except_rooms; i++) {
    const fan_source *source = source_before(replay, rooms[i], record->frame->seq);
    if (source && record->frame->seq <= source->until) return true;
  }
  return false;
}

fan_record *fan_replay_peek(fan_replay *replay) {
  for (; replay->heap_count; step(replay)) {
    const reading *first = replay->heap;
    if (first->seq <= replay->cursor) continue; /* in several of its rooms */
    fan_record *record = fan_ring_at(first->ring, first->index);
    if (!is_excepted(replay, record)) return record;
    replay->cursor = first->seq;
  }
  return NULL;
}

void fan_replay_advance(fan_replay *replay) {
  assert(replay->heap_count && replay->heap[0].seq > replay->cursor);
  replay->cursor = replay->heap[0].seq;
  step(replay);
}
