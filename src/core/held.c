#include "held.h"

#include "err.h"
#include "mem.h"
#include "ticket.h"

typedef struct entry {
  fan_list node;
  fan_buf *frame;
  uint64_t follows;
} entry;

static entry *entry_of(fan_list *node) { return fan_list_entry(node, entry, node); }

static size_t size_of(const fan_buf *frame) { return fan_buf_chunked(frame).size; }

static void let_go(fan_buf *frame, enum fan_fate fate) {
  fan_buf_settle(frame, fate);
  fan_buf_unref(frame);
}

void fan_held_init(fan_held *held) {
  *held = (fan_held){0};
  fan_list_init(&held->frames);
  fan_map_init(&held->by_key);
}

/* Takes the entry out and answers its frame. A newer one may have its key. */
static fan_buf *take(fan_held *held, entry *e) {
  fan_buf *frame = e->frame;
  if (frame->key && fan_map_get(&held->by_key, frame->key) == e)
    fan_map_remove(&held->by_key, frame->key);
  fan_list_remove(&e->node);
  fan_free(e);
  held->bytes -= size_of(frame);
  if (--held->count == 0) fan_map_deinit(&held->by_key);
  return frame;
}

void fan_held_deinit(fan_held *held) {
  while (held->count) let_go(fan_held_shift(held), FAN_CLOSED);
}

/* The entry whose place the frame takes, or NULL. */
static entry *same_key(const fan_held *held, const fan_buf *frame) {
  entry *found = frame->key ? fan_map_get(&held->by_key, frame->key) : NULL;
  return found && fan_buf_same_key(found->frame, frame) ? found : NULL;
}

static size_t replace(fan_held *held, entry *e, fan_buf *frame) {
  fan_buf *old = e->frame;
  size_t size = size_of(old);
  e->frame = fan_buf_ref(frame);
  held->bytes = held->bytes - size + size_of(frame);
  let_go(old, FAN_DROPPED);
  return size;
}

int fan_held_push(fan_held *held, fan_buf *frame, uint64_t follows, size_t *replaced) {
  entry *e = same_key(held, frame);
  if (e) {
    *replaced = replace(held, e, frame);
    return 0;
  }
  e = fan_alloc(sizeof *e);
  if (!e) return FAN_ENOMEM;
  if (frame->key && fan_map_set(&held->by_key, frame->key, e) != 0) {
    fan_free(e);
    return FAN_ENOMEM;
  }
  *e = (entry){.frame = fan_buf_ref(frame), .follows = follows};
  fan_list_push(&held->frames, &e->node);
  held->count++;
  held->bytes += size_of(frame);
  *replaced = 0;
  return 0;
}

uint64_t fan_held_follows(const fan_held *held) {
  return held->count ? entry_of(held->frames.next)->follows : UINT64_MAX;
}

fan_buf *fan_held_shift(fan_held *held) {
  if (!held->count) return NULL;
  fan_buf *frame = take(held, entry_of(held->frames.next));
  held->shifted = frame->seq;
  return frame;
}

static size_t drop(fan_held *held, entry *e) {
  if (e->frame->kind == FAN_BUF_VERBATIM) return 0;
  size_t size = size_of(e->frame);
  let_go(take(held, e), FAN_DROPPED);
  return size;
}

size_t fan_held_drop_oldest(fan_held *held) {
  return held->count ? drop(held, entry_of(held->frames.next)) : 0;
}

size_t fan_held_drop_newest(fan_held *held) {
  return held->count ? drop(held, entry_of(held->frames.prev)) : 0;
}
