#include "outq.h"

#include <assert.h>

#include "err.h"
#include "mem.h"

#define KEEP_SLOTS                                                                                 \
  64 /* an empty queue keeps this many: a burst each tick must not allocate each tick */

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

int fan_outq_push(fan_outq *queue, fan_buf *buf) {
  if (queue->count == queue->capacity) {
    int error = grow(queue);
    if (error) return error;
  }
  *slot(queue, queue->count++) = fan_buf_ref(buf);
  queue->bytes += slice_of(queue, buf).size;
  return 0;
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
    queue->first = (queue->first + 1) & (queue->capacity - 1);
    queue->count--;
    fan_buf_unref(buf);
    done++;
  }
  queue->offset = bytes;
  if (!queue->count && queue->capacity > KEEP_SLOTS) release_slots(queue);
  return done;
}

void fan_outq_clear(fan_outq *queue) {
  for (uint32_t i = 0; i < queue->count; i++) fan_buf_unref(*slot(queue, i));
  queue->first = queue->count = 0;
  queue->offset = queue->bytes = 0;
}
