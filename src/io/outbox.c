#include "outbox.h"

#include <assert.h>
#include <string.h>

int fan_outbox_init(fan_outbox *outbox) {
  *outbox = (fan_outbox){0};
  return pthread_mutex_init(&outbox->mutex, NULL) == 0 ? 0 : FAN_EIO;
}

static void deinit_letters(fan_letters *letters) {
  for (size_t i = 0; i < letters->count; i++) fan_free(letters->items[i].data);
  fan_free(letters->items);
  *letters = (fan_letters){0};
}

void fan_outbox_deinit(fan_outbox *outbox) {
  deinit_letters(&outbox->writing);
  deinit_letters(&outbox->posted);
  outbox->reading.count = 0; /* the taker has had these */
  deinit_letters(&outbox->reading);
  pthread_mutex_destroy(&outbox->mutex);
}

static bool reserve(fan_letters *letters, size_t count) {
  if (count <= letters->capacity) return true;
  size_t capacity = letters->capacity ? letters->capacity : 64;
  while (capacity < count) capacity *= 2;
  fan_letter *items = fan_resize(letters->items, capacity * sizeof *items);
  if (!items) return false;
  letters->items = items;
  letters->capacity = capacity;
  return true;
}

bool fan_outbox_reserve(fan_outbox *outbox) {
  return reserve(&outbox->writing, outbox->writing.count + outbox->promised + 1);
}

bool fan_outbox_promise(fan_outbox *outbox) {
  if (!fan_outbox_reserve(outbox)) return false;
  outbox->promised++;
  return true;
}

void fan_outbox_redeem(fan_outbox *outbox) {
  assert(outbox->promised > 0);
  outbox->promised--;
}

void fan_outbox_push(fan_outbox *outbox, const fan_letter *letter) {
  assert(outbox->writing.count < outbox->writing.capacity);
  outbox->writing.items[outbox->writing.count++] = *letter;
}

bool fan_outbox_post(fan_outbox *outbox) {
  fan_letters *writing = &outbox->writing, *posted = &outbox->posted;
  assert(!outbox->promised);
  if (!writing->count) return false;
  pthread_mutex_lock(&outbox->mutex);
  bool wake = posted->count == 0;
  if (wake) {
    fan_letters empty = *posted;
    *posted = *writing;
    *writing = empty;
  } else if (reserve(posted, posted->count + writing->count)) {
    memcpy(posted->items + posted->count, writing->items, writing->count * sizeof *writing->items);
    posted->count += writing->count;
    writing->count = 0;
  } /* else they stay and go with the next post */
  pthread_mutex_unlock(&outbox->mutex);
  return wake;
}

const fan_letters *fan_outbox_take(fan_outbox *outbox) {
  outbox->reading.count = 0;
  pthread_mutex_lock(&outbox->mutex);
  fan_letters posted = outbox->posted;
  outbox->posted = outbox->reading;
  outbox->reading = posted;
  pthread_mutex_unlock(&outbox->mutex);
  return &outbox->reading;
}
