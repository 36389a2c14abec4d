#define _GNU_SOURCE
#include "sink_fd_private.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0 /* there SO_NOSIGPIPE is set instead */
#endif
#define MAX_VECTORS 128

static sink_fd *self_of(fan_sink *sink) { return (sink_fd *)sink; }

/* Options are a matter of quality: a socket that does not know one (a Unix socket, say) works without it. */
static void set_option(int fd, int level, int name, int value) {
  (void)setsockopt(fd, level, name, &value, sizeof value);
}

static bool get_flag(int fd, int level, int name) {
  int value = 0;
  socklen_t size = sizeof value;
  return getsockopt(fd, level, name, &value, &size) == 0 && value != 0;
}

void fan_fd_tune(int fd, uint32_t user_timeout_ms) {
#ifdef TCP_NOTSENT_LOWAT
  set_option(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, FAN_NOTSENT_BYTES);
#endif
#if defined(TCP_USER_TIMEOUT)
  set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, (int)user_timeout_ms);
#elif defined(TCP_RXT_CONNDROPTIME)
  set_option(fd, IPPROTO_TCP, TCP_RXT_CONNDROPTIME, (int)((user_timeout_ms + 999) / 1000));
#else
  (void)user_timeout_ms;
#endif
#ifdef SO_NOSIGPIPE
  set_option(fd, SOL_SOCKET, SO_NOSIGPIPE, 1);
#endif
}

/* 0 stands for the system's default in both. A timeout left behind would kill a later, slow download. */
void fan_fd_untune(int fd) {
#ifdef TCP_NOTSENT_LOWAT
  set_option(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, 0);
#endif
#if defined(TCP_USER_TIMEOUT)
  set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, 0);
#elif defined(TCP_RXT_CONNDROPTIME)
  set_option(fd, IPPROTO_TCP, TCP_RXT_CONNDROPTIME, 0);
#endif
}

static int error_of(int number) {
  switch (number) {
  case EAGAIN:
#if EWOULDBLOCK != EAGAIN
  case EWOULDBLOCK:
#endif
  case ENOBUFS:
  case ENOMEM:
    return FAN_EAGAIN;
  case EPIPE:
  case ECONNRESET:
  case ECONNABORTED:
  case ENOTCONN:
    return FAN_EGONE;
  case ETIMEDOUT:
  case EHOSTUNREACH:
  case ENETUNREACH:
    return FAN_ETIMEOUT;
  default:
    return FAN_EIO;
  }
}

/* A lone event, the ordinary case: spares the kernel to fetch a message header and vectors. */
static ssize_t write_one(int fd, const fan_slice *slice) {
  ssize_t sent;
  do sent = send(fd, slice->data, slice->size, MSG_DONTWAIT | MSG_NOSIGNAL);
  while (sent < 0 && errno == EINTR);
  return sent;
}

static ssize_t write_many(int fd, const fan_slice *slices, int count) {
  struct iovec vectors[MAX_VECTORS];
  int used = count < MAX_VECTORS ? count : MAX_VECTORS;
  for (int i = 0; i < used; i++)
    vectors[i] = (struct iovec){(void *)(uintptr_t)slices[i].data, slices[i].size};
  struct msghdr message = {.msg_iov = vectors};
  message.msg_iovlen = (unsigned)used; /* its type differs between systems */
  ssize_t sent;
  do sent = sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  while (sent < 0 && errno == EINTR);
  return sent;
}

static int64_t write_slices(fan_sink *sink, const fan_slice *slices, int count) {
  int fd = self_of(sink)->fd;
  ssize_t sent = count == 1 ? write_one(fd, slices) : write_many(fd, slices, count);
  return sent >= 0 ? sent : error_of(errno);
}

int64_t fan_sink_fd_write(fan_sink *sink, const fan_slice *slices, int count) {
  return write_slices(sink, slices, count);
}

static void want_write(fan_sink *sink, bool on) {
  sink_fd *self = self_of(sink);
  assert(self->poll);
  self->wants_write = on;
  fan_poll_want(self->poll, self->fd, self->wire.client, false, on);
}

static void give_back(sink_fd *self) {
  fan_fd_untune(self->fd);
  if (!self->had_keepalive) set_option(self->fd, SOL_SOCKET, SO_KEEPALIVE, 0);
  if (!self->had_nodelay) set_option(self->fd, IPPROTO_TCP, TCP_NODELAY, 0);
  close(self->fd);
  fan_free(self);
}

/* Shuts the connection itself down, for Node still holds the other duplicate. */
static void cut(sink_fd *self) {
  (void)shutdown(self->fd, SHUT_RDWR);
  close(self->fd);
  fan_free(self);
}

/* An eviction waits until JavaScript has been sent its notice: else Node's own `close` could be there first, and the reason
 * would be lost. */
void fan_sink_fd_close(fan_sink *sink, enum fan_sink_close how) {
  sink_fd *self = self_of(sink);
  fan_wire_remove(&self->wire);
  if (self->poll) fan_poll_remove(self->poll, self->fd);
  if (how == FAN_SINK_RELEASE) give_back(self);
  else if (self->evicted) fan_list_push(self->evicted, &self->node);
  else cut(self);
}

void fan_sinks_fd_cut(fan_list *evicted) {
  for (fan_list *node; (node = fan_list_shift(evicted));) cut(fan_list_entry(node, sink_fd, node));
}

static const fan_sink_ops fd_ops = {write_slices, want_write, NULL, fan_sink_fd_close};

int fan_sink_fd_open(int fd, uint32_t user_timeout_ms, bool raw, fan_sink **sink) {
  sink_fd *self = fan_zalloc(sizeof *self);
  if (!self) return FAN_ENOMEM;
  self->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
  if (self->fd < 0) {
    fan_free(self);
    return FAN_EIO;
  }
  fan_list_init(&self->node);
  self->wire.base = (fan_sink){&fd_ops, raw};
  self->had_keepalive = get_flag(self->fd, SOL_SOCKET, SO_KEEPALIVE);
  self->had_nodelay = get_flag(self->fd, IPPROTO_TCP, TCP_NODELAY);
  if (!self->had_keepalive) set_option(self->fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  if (!self->had_nodelay) set_option(self->fd, IPPROTO_TCP, TCP_NODELAY, 1);
  fan_fd_tune(self->fd, user_timeout_ms);
  *sink = &self->wire.base;
  return 0;
}

int fan_sink_fd_watch(fan_sink *sink, fan_poll *poll, fan_list *evicted) {
  sink_fd *self = self_of(sink);
  self->evicted = evicted;
  int error = fan_poll_add(poll, self->fd, self->wire.client);
  if (error) return error;
  self->poll = poll;
  return 0;
}

int fan_sink_fd_error(fan_sink *sink) {
  int number = 0;
  socklen_t size = sizeof number;
  if (getsockopt(self_of(sink)->fd, SOL_SOCKET, SO_ERROR, &number, &size) != 0) return FAN_EIO;
  int error = number ? error_of(number) : FAN_EGONE;
  return error == FAN_EAGAIN ? FAN_EIO : error;
}
