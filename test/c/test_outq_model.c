/*
 * outq.h beside an array that does the same the slow way: random pushes with and without keys, drops at both ends, short
 * writes, allocations that fail; in a second run different keys share a hash. Bytes, counts, places and fates are exact.
 */
#include <stdio.h>
#include <string.h>

#include "core/err.h"
#include "core/mem.h"
#include "core/outq.h"
#include "core/ticket.h"
#include "support/check.h"
#include "support/frames.h"
#include "support/mem_fail.h"
#include "support/random.h"

#define QUEUES 3
#define FRAMES 400
#define KEYS 12
#define TAKE 900

typedef struct sent {
  fan_buf *frame; /* a reference */
  uint32_t want[FAN_FATES];
  uint32_t queued;
} sent;

typedef struct place {
  sent *sent;
  bool findable; /* the newest of its hash, and it may be replaced once nothing of it is written */
} place;

typedef struct side {
  fan_outq queue;
  place places[FRAMES];
  unsigned count;
  size_t offset;
  bool raw;
} side;

typedef struct world {
  rng dice;
  side sides[QUEUES];
  sent frames[FRAMES];
  unsigned sent;
  bool colliding;
  fan_list complete;
} world;

static fan_slice slice_of(const side *s, unsigned at) {
  fan_buf *frame = s->places[at].sent->frame;
  return s->raw ? fan_buf_raw(frame) : fan_buf_chunked(frame);
}

static bool begun(const side *s, unsigned at) { return at == 0 && s->offset > 0; }

static void meets(side *s, unsigned at, enum fan_fate fate) {
  s->places[at].sent->want[fate]++;
  s->places[at].sent->queued--;
}

static void remove_place(side *s, unsigned at) {
  s->count--;
  memmove(s->places + at, s->places + at + 1, (s->count - at) * sizeof *s->places);
}

/* The array's push. Answers the bytes that are replaced. */
static size_t add(side *s, sent *new) {
  place p = {.sent = new, .findable = new->frame->key != 0};
  new->queued++;
  for (unsigned i = 0; i < s->count && p.findable; i++) {
    place *old = &s->places[i];
    if (!old->findable || old->sent->frame->key != new->frame->key) continue;
    if (fan_buf_same_key(old->sent->frame, new->frame) && !begun(s, i)) {
      size_t size = slice_of(s, i).size;
      meets(s, i, FAN_DROPPED);
      old->sent = new;
      return size;
    }
    old->findable = false;
  }
  s->places[s->count++] = p;
  return 0;
}

/* Is any allocation of the queue's next call to fail? */
static void maybe_without_memory(world *w) {
  if (rng_below(&w->dice, 8) == 0) mem_fail_at(1, rng_below(&w->dice, 2));
}

static void push(world *w, side *s, sent *new) {
  size_t replaced = 12345;
  fan_buf_owe(new->frame);
  maybe_without_memory(w);
  int error = fan_outq_push(&s->queue, new->frame, &replaced);
  bool failed = mem_fail_happened();
  mem_fail_at(0, false);
  if (!error) {
    CHECK_EQ(replaced, add(s, new));
    return;
  }
  CHECK(failed);
  CHECK_EQ(error, FAN_ENOMEM);
  CHECK_EQ(replaced, 12345);
  new->want[FAN_CLOSED]++;
  fan_buf_settle(new->frame, FAN_CLOSED);
}

static fan_buf *random_frame(world *w) {
  char key[8], data[64];
  unsigned number = rng_below(&w->dice, KEYS);
  snprintf(key, sizeof key, "k%u", number);
  snprintf(data, sizeof data, "%u.%0*u", w->sent, (int)rng_below(&w->dice, 50), number);
  uint32_t kind = rng_below(&w->dice, 10);
  if (kind == 0) return fan_frame_verbatim(slice_of_text(data));
  fan_buf *frame = frame_keyed(kind < 4 ? NULL : key, data);
  if (frame->key && w->colliding) frame->key = 1 + number % 3;
  return frame;
}

static void publish(world *w) {
  if (w->sent == FRAMES) return;
  sent *new = &w->frames[w->sent];
  *new = (sent){.frame = random_frame(w)};
  CHECK_EQ(fan_ticket_attach(new->frame, w->sent++), 0);
  fan_ticket_open(new->frame, &w->complete);
  for (int i = 0; i < QUEUES; i++)
    if (rng_below(&w->dice, 4)) push(w, &w->sides[i], new);
  fan_ticket_seal(new->frame);
}

/* What the array would send next, `size` bytes of it. */
static void write_array(side *s, char *out, size_t size) {
  while (size) {
    fan_slice slice = slice_of(s, 0);
    size_t left = slice.size - s->offset, take = left < size ? left : size;
    memcpy(out, (const char *)slice.data + s->offset, take);
    out += take;
    size -= take;
    s->offset += take;
    if (s->offset < slice.size) return;
    meets(s, 0, FAN_WRITTEN);
    remove_place(s, 0);
    s->offset = 0;
  }
}

static void take(world *w, side *s) {
  char got[TAKE], want[TAKE];
  fan_slice slices[8];
  size_t most = 1 + rng_below(&w->dice, TAKE), size = 0;
  int count = fan_outq_gather(&s->queue, slices, 8, most);
  for (int i = 0; i < count && size < most; i++) {
    size_t part = slices[i].size < most - size ? slices[i].size : most - size;
    memcpy(got + size, slices[i].data, part);
    size += part;
  }
  unsigned before = s->count;
  write_array(s, want, size);
  CHECK_BYTES(got, size, want, size);
  maybe_without_memory(w);
  CHECK_EQ(fan_outq_advance(&s->queue, size), before - s->count);
}

static void drop(world *w, side *s, bool oldest) {
  unsigned at = oldest ? begun(s, 0) : s->count - 1;
  bool may = at < s->count && !begun(s, at) && s->places[at].sent->frame->kind != FAN_BUF_VERBATIM;
  size_t size = may ? slice_of(s, at).size : 0;
  maybe_without_memory(w);
  CHECK_EQ(oldest ? fan_outq_drop_oldest(&s->queue) : fan_outq_drop_newest(&s->queue), size);
  if (!may) return;
  meets(s, at, FAN_DROPPED);
  if (oldest && at) s->places[0].findable = false;
  remove_place(s, at);
}

static void clear(side *s) {
  while (s->count) {
    meets(s, s->count - 1, FAN_CLOSED);
    s->count--;
  }
  s->offset = 0;
}

static void check_side(const side *s) {
  const fan_outq *queue = &s->queue;
  size_t bytes = 0, findable = 0;
  CHECK_EQ(queue->count, s->count);
  CHECK_EQ(queue->offset, s->offset);
  for (unsigned i = 0; i < s->count; i++) {
    bytes += slice_of(s, i).size;
    findable += s->places[i].findable;
    CHECK(queue->slots[(queue->first + i) & (queue->capacity - 1)] == s->places[i].sent->frame);
  }
  CHECK_EQ(queue->bytes, bytes - s->offset);
  CHECK_EQ(queue->by_key.count, findable);
}

static void step(world *w, uint32_t pushes) {
  side *s = &w->sides[rng_below(&w->dice, QUEUES)];
  uint32_t choice = rng_below(&w->dice, 100);
  if (choice < pushes) publish(w);
  else if (choice < 80) take(w, s);
  else if (choice < 88) drop(w, s, true);
  else if (choice < 96) drop(w, s, false);
  else if (choice < 97) {
    fan_outq_clear(&s->queue);
    clear(s);
  } else if (!s->offset) fan_outq_set_raw(&s->queue, s->raw = !s->raw);
  mem_fail_at(0, false);
}

/* All queues are gone: every ticket is complete, and tells what the array says. */
static void check_fates(world *w) {
  bool seen[FRAMES] = {false};
  for (fan_list *node; (node = fan_list_shift(&w->complete));) {
    fan_ticket *ticket = fan_list_entry(node, fan_ticket, node);
    CHECK(!seen[ticket->id]);
    seen[ticket->id] = true;
    for (int i = 0; i < FAN_FATES; i++) CHECK_EQ(ticket->fates[i], w->frames[ticket->id].want[i]);
    fan_free(ticket);
  }
  for (unsigned i = 0; i < w->sent; i++) {
    CHECK(seen[i]);
    CHECK_EQ(w->frames[i].frame->refs, 1);
    fan_buf_unref(w->frames[i].frame);
  }
}

static void play(world *w, bool colliding) {
  w->sent = 0;
  w->colliding = colliding;
  fan_list_init(&w->complete);
  for (int i = 0; i < QUEUES; i++) {
    w->sides[i] = (side){0};
    fan_outq_init(&w->sides[i].queue);
  }
  uint32_t pushes = 0;
  for (int n = 0; n < 1500 && !check_failing(); n++) {
    if (n % 50 == 0) pushes = rng_below(&w->dice, 75); /* now they block, now they catch up */
    step(w, pushes);
    for (int i = 0; i < QUEUES; i++) check_side(&w->sides[i]);
    for (unsigned i = 0; i < w->sent; i++)
      CHECK_EQ(w->frames[i].frame->refs, 1 + w->frames[i].queued);
  }
  for (int i = 0; i < QUEUES; i++) {
    fan_outq_deinit(&w->sides[i].queue);
    clear(&w->sides[i]);
  }
  check_fates(w);
}

static uint64_t seed;

static void play_rounds(bool colliding) {
  static world w;
  rng_init(&w.dice, seed);
  for (int round = 0; round < 100 && !check_failing(); round++) play(&w, colliding);
}

static void test_outq_random_use_is_like_an_array(void) { play_rounds(false); }

static void test_outq_random_use_is_like_an_array_when_hashes_collide(void) { play_rounds(true); }

int main(void) {
  seed = rng_seed("test_outq_model");
  RUN(test_outq_random_use_is_like_an_array);
  RUN(test_outq_random_use_is_like_an_array_when_hashes_collide);
  return check_done("test_outq_model");
}
