#include "sink_relay.h"

#include <assert.h>
#include <string.h>

typedef struct sink_relay {
  fan_wire wire;
  fan_relays *relays;
  fan_list node;      /* in relays->gathering while there is a block */
  size_t outstanding; /* gathered or in JavaScript's hands */
  bool wanted;
  unsigned char *block;
  size_t size;
} sink_relay;

static sink_relay *self_of(fan_sink *sink) { return (sink_relay *)sink; }

static size_t copy_slices(unsigned char *to, size_t room, const fan_slice *slices, int count) {
  size_t taken = 0;
  for (int i = 0; i < count && taken < room; i++) {
    size_t size = slices[i].size < room - taken ? slices[i].size : room - taken;
    memcpy(to + taken, slices[i].data, size);
    taken += size;
  }
  return taken;
}

static int64_t write_slices(fan_sink *sink, const fan_slice *slices, int count) {
  sink_relay *self = self_of(sink);
  size_t room = FAN_RELAY_BYTES - self->outstanding, offered = 0;
  for (int i = 0; i < count; i++) offered += slices[i].size;
  if (offered < room) room = offered;
  if (!room) return FAN_EAGAIN;
  unsigned char *block = fan_resize(self->block, self->size + room);
  if (!block) return FAN_EIO;
  self->block = block;
  /* Bytes that were taken must reach JavaScript: the place for the letter comes first. */
  if (!self->size && !fan_outbox_promise(self->relays->outbox)) return FAN_EIO;
  size_t taken = copy_slices(block + self->size, room, slices, count);
  self->size += taken;
  self->outstanding += taken;
  if (!fan_list_linked(&self->node)) fan_list_push(&self->relays->gathering, &self->node);
  return (int64_t)taken;
}

static void want_write(fan_sink *sink, bool on) { self_of(sink)->wanted = on; }

static void push(sink_relay *self) {
  if (!self->size) return;
  fan_letter letter = {.kind = FAN_NOTICE_RELAY,
                       .reason = FAN_NO_REASON,
                       .id = self->wire.client,
                       .data = self->block,
                       .size = self->size};
  fan_outbox_redeem(self->relays->outbox);
  fan_outbox_push(self->relays->outbox, &letter);
  self->block = NULL;
  self->size = 0;
  fan_list_remove(&self->node);
}

static void close_sink(fan_sink *sink, enum fan_sink_close how) {
  sink_relay *self = self_of(sink);
  /* The last bytes go out before the notice that the stream has ended. */
  if (how == FAN_SINK_RELEASE) push(self);
  else if (self->size) fan_outbox_redeem(self->relays->outbox);
  fan_wire_remove(&self->wire);
  fan_list_remove(&self->node);
  fan_free(self->block);
  fan_free(self);
}

static const fan_sink_ops relay_ops = {write_slices, want_write, NULL, close_sink};

bool fan_sink_is_relay(const fan_sink *sink) { return sink->ops == &relay_ops; }

fan_sink *fan_sink_relay_new(void) {
  sink_relay *self = fan_zalloc(sizeof *self);
  if (!self) return NULL;
  self->wire.base = (fan_sink){&relay_ops, true};
  fan_list_init(&self->node);
  return &self->wire.base;
}

void fan_sink_relay_watch(fan_sink *sink, fan_relays *relays) { self_of(sink)->relays = relays; }

bool fan_sink_relay_credit(fan_sink *sink, size_t bytes) {
  sink_relay *self = self_of(sink);
  assert(bytes <= self->outstanding);
  self->outstanding -= bytes < self->outstanding ? bytes : self->outstanding;
  return self->wanted && self->outstanding <= FAN_RELAY_BYTES / 2;
}

void fan_relays_push(fan_relays *relays) {
  for (fan_list *node; (node = fan_list_shift(&relays->gathering));)
    push(fan_list_entry(node, sink_relay, node));
}
