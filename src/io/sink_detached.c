#define _GNU_SOURCE
#include "sink_detached.h"

#include <assert.h>
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "sink_fd_private.h"

#define READ_BYTES (16 * 1024)

static const char END[] = "0\r\n\r\n";

static sink_fd *self_of(fan_sink *sink) { return (sink_fd *)sink; }

static void want_write(fan_sink *sink, bool on) {
  sink_fd *self = self_of(sink);
  self->wants_write = on;
  fan_poll_want(self->poll, self->fd, self->wire.client, true, on);
}

/* A body that is not chunked ends with the connection. */
static int finish(fan_sink *sink) {
  sink_fd *self = self_of(sink);
  while (!sink->raw && self->finished < sizeof END - 1) {
    fan_slice rest = {END + self->finished, sizeof END - 1 - self->finished};
    int64_t sent = fan_sink_fd_write(sink, &rest, 1);
    if (sent < 0) return (int)sent;
    self->finished = (uint8_t)(self->finished + sent);
  }
  return 0;
}

static void let_go(sink_fd *self) {
  fan_wire_remove(&self->wire);
  fan_poll_remove(self->poll, self->fd);
  fan_list_remove(&self->node);
  close(self->fd);
  fan_free(self);
}

static void close_sink(fan_sink *sink, enum fan_sink_close how) {
  sink_fd *self = self_of(sink);
  if (how == FAN_SINK_EVICT) {
    fan_sink_fd_close(sink, how);
    return;
  }
  if (shutdown(self->fd, SHUT_WR) != 0) { /* the peer has reset the connection */
    let_go(self);
    return;
  }
  want_write(sink, false);
  self->stage = SINK_LINGERING;
  self->wire.port = NULL;
  self->due_ms = fan_clock_ms() + FAN_LINGER_MS;
  fan_list_push(self->lingering, &self->node);
}

static const fan_sink_ops detached_ops = {fan_sink_fd_write, want_write, finish, close_sink};

void fan_sink_detach(fan_sink *sink, fan_list *lingering) {
  sink_fd *self = self_of(sink);
  assert(self->poll && self->stage == SINK_SHARED);
  self->stage = SINK_DETACHED;
  self->lingering = lingering;
  sink->ops = &detached_ops;
  want_write(sink, self->wants_write); /* and read */
}

bool fan_sink_detached_read(fan_sink *sink) {
  sink_fd *self = self_of(sink);
  char bytes[READ_BYTES];
  while (self->input <= FAN_INPUT_BYTES) {
    ssize_t got = recv(self->fd, bytes, sizeof bytes, MSG_DONTWAIT);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
    self->input += (uint32_t)got;
  }
  return false;
}

bool fan_sink_lingers(const fan_sink *sink) {
  return ((const sink_fd *)sink)->stage == SINK_LINGERING;
}

void fan_sink_linger(fan_sink *sink, bool broken) {
  if (!fan_sink_detached_read(sink) || broken) let_go(self_of(sink));
}

uint64_t fan_lingering_due_ms(const fan_list *lingering) {
  if (fan_list_empty(lingering)) return FAN_NEVER;
  return fan_list_entry(lingering->next, sink_fd, node)->due_ms;
}

void fan_lingering_close(fan_list *lingering, uint64_t now_ms) {
  while (fan_lingering_due_ms(lingering) <= now_ms && !fan_list_empty(lingering)) {
    sink_fd *self = fan_list_entry(lingering->next, sink_fd, node);
    (void)fan_sink_detached_read(&self->wire.base);
    let_go(self);
  }
}
