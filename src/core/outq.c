#include "outq.h"

#include <assert.h>

#include "err.h"
#include "mem.h"
#include "ticket.h"

/* An empty queue keeps this many: a burst each tick must not allocate each tick. */
#define KEEP_SLOTS 64
#define KEEP_KEYS 32

static fan_slice slice_of(const fan_outq *queue, const fan_buf *buf) {
  return queue->raw ? fan_buf_raw(buf) : fan_buf_chunked(buf);
}

static fan_buf **slot(const fan_outq *queue, uint32_t index) {
  return &queue->slots[(queue->first + index) & (queue->capacity - 1)];
}

static void release_slots(fan_outq *queue) {
  if (queue->slots != queue->inline_slots) fan_free(queue->slots);
  queue->slots = queue->inline_slots;
  queue->capacity = FAN_OUTQ_INLINE;
  queue->first = 0;
}

/* The queue is empty. */
static void give_back(fan_outq *queue) {
  if (queue->capacity > KEEP_SLOTS) release_slots(queue);
  if (queue->by_key.capacity > KEEP_KEYS) fan_map_deinit(&queue->by_key);
}

/* A frame's place, for by_key. It is odd and so never NULL, even where pointers have 32 bits and `taken`
 * has passed them. */
static void *mark_of(const fan_outq *queue, uint32_t index) {
  return (void *)(uintptr_t)((queue->taken + index) * 2 + 1);
}

static uint32_t index_of(const fan_outq *queue, const void *mark) {
  return (uint32_t)(((uintptr_t)mark - (uintptr_t)mark_of(queue, 0)) / 2);
}

/* The frame at `index` leaves, or will not be replaced any more. A newer one may have its key. */
static void forget_key(fan_outq *queue, uint32_t index) {
  uint64_t key = (*slot(queue, index))->key;
  if (key && fan_map_get(&queue->by_key, key) == mark_of(queue, index))
    fan_map_remove(&queue->by_key, key);
}

static bool begun(const fan_outq *queue, uint32_t index) { return index == 0 && queue->offset > 0; }

static void let_go(fan_buf *buf, enum fan_fate fate) {
  fan_buf_settle(buf, fate);
  fan_buf_unref(buf);
}

/* The slot of the first frame is free. */
static void step(fan_outq *queue) {
  queue->first = (queue->first + 1) & (queue->capacity - 1);
  queue->count--;
  queue->taken++;
}

void fan_outq_init(fan_outq *queue) {
  *queue = (fan_outq){.capacity = FAN_OUTQ_INLINE};
  queue->slots = queue->inline_slots;
}

void fan_outq_deinit(fan_outq *queue) {
  fan_outq_clear(queue);
  release_slots(queue);
}

void fan_outq_set_raw(fan_outq *queue, bool raw) {
  assert(queue->offset == 0);
  queue->raw = raw;
  queue->bytes = 0;
  for (uint32_t i = 0; i < queue->count; i++) queue->bytes += slice_of(queue, *slot(queue, i)).size;
}

static int grow(fan_outq *queue) {
  uint32_t capacity = queue->capacity * 2;
  fan_buf **slots = fan_alloc(capacity * sizeof *slots);
  if (!slots) return FAN_ENOMEM;
  for (uint32_t i = 0; i < queue->count; i++) slots[i] = *slot(queue, i);
  if (queue->slots != queue->inline_slots) fan_free(queue->slots);
  queue->slots = slots;
  queue->capacity = capacity;
  queue->first = 0;
  return 0;
}

/* The slot of a frame that buf may replace, or NULL. */
static fan_buf **same_key(const fan_outq *queue, const fan_buf *buf) {
  const void *mark = fan_map_get(&queue->by_key, buf->key);
  if (!mark) return NULL;
  uint32_t index = index_of(queue, mark);
  fan_buf **found = slot(queue, index);
  return !begun(queue, index) && fan_buf_same_key(*found, buf) ? found : NULL;
}

static size_t replace(fan_outq *queue, fan_buf **at, fan_buf *buf) {
  fan_buf *old = *at;
  size_t size = slice_of(queue, old).size;
  *at = fan_buf_ref(buf);
  queue->bytes = queue->bytes - size + slice_of(queue, buf).size;
  let_go(old, FAN_DROPPED);
  return size;
}

int fan_outq_push(fan_outq *queue, fan_buf *buf, size_t *replaced) {
  fan_buf **old = buf->key ? same_key(queue, buf) : NULL;
  if (old) {
    *replaced = replace(queue, old, buf);
    return 0;
  }
  if (queue->count == queue->capacity) {
    int error = grow(queue);
    if (error) return error;
  }
  if (buf->key) {
    int error = fan_map_set(&queue->by_key, buf->key, mark_of(queue, queue->count));
    if (error) return error;
  }
  *slot(queue, queue->count++) = fan_buf_ref(buf);
  queue->bytes += slice_of(queue, buf).size;
  *replaced = 0;
  return 0;
}

static bool may_drop(const fan_outq *queue, uint32_t index) {
  return index < queue->count && !begun(queue, index) &&
         (*slot(queue, index))->kind != FAN_BUF_VERBATIM;
}

/* Its slot is free already. */
static size_t drop(fan_outq *queue, fan_buf *buf) {
  size_t size = slice_of(queue, buf).size;
  queue->bytes -= size;
  let_go(buf, FAN_DROPPED);
  if (!queue->count) give_back(queue);
  return size;
}

size_t fan_outq_drop_oldest(fan_outq *queue) {
  uint32_t index = begun(queue, 0) ? 1 : 0;
  if (!may_drop(queue, index)) return 0;
  fan_buf *buf = *slot(queue, index);
  forget_key(queue, index);
  if (index) {
    forget_key(queue, 0); /* a begun one is not replaced, and its place changes */
    *slot(queue, 1) = *slot(queue, 0);
  }
  step(queue);
  return drop(queue, buf);
}

size_t fan_outq_drop_newest(fan_outq *queue) {
  uint32_t index = queue->count - 1;
  if (!may_drop(queue, index)) return 0;
  fan_buf *buf = *slot(queue, index);
  forget_key(queue, index);
  queue->count--;
  return drop(queue, buf);
}

int fan_outq_gather(const fan_outq *queue, fan_slice *slices, int max, size_t budget) {
  size_t total = 0, skip = queue->offset;
  int n = 0;
  while (n < max && (uint32_t)n < queue->count && total < budget) {
    fan_slice slice = slice_of(queue, *slot(queue, (uint32_t)n));
    slices[n++] = (fan_slice){(const char *)slice.data + skip, slice.size - skip};
    total += slice.size - skip;
    skip = 0;
  }
  return n;
}

uint32_t fan_outq_advance(fan_outq *queue, size_t bytes) {
  assert(bytes <= queue->bytes);
  uint32_t done = 0;
  queue->bytes -= bytes;
  bytes += queue->offset;
  while (queue->count) {
    fan_buf *buf = *slot(queue, 0);
    size_t size = slice_of(queue, buf).size;
    if (bytes < size) break;
    bytes -= size;
    forget_key(queue, 0);
    step(queue);
    let_go(buf, FAN_WRITTEN);
    done++;
  }
  queue->offset = bytes;
  if (!queue->count) give_back(queue);
  return done;
}

void fan_outq_clear(fan_outq *queue) {
  for (uint32_t i = 0; i < queue->count; i++) let_go(*slot(queue, i), FAN_CLOSED);
  queue->first = queue->count = 0;
  queue->offset = queue->bytes = 0;
  fan_map_deinit(&queue->by_key);
  give_back(queue);
}
