/* One stream: dial, ask, read, end. */
#define _GNU_SOURCE
#include "load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BUFFER (256 * 1024)
#define DIALS_FOR_EACH_ADDRESS                                                                     \
  10000 /* of the ~28,000 ports that an address has, many may be in TIME_WAIT */

static char buffer[BUFFER];

void fatal(const char *what) {
  perror(what);
  exit(1);
}

/* On loopback every 127.x.y.z is ours: another source address has all its ports again. */
static void bind_source(int fd) {
  static uint32_t dials;
  int on = 1;
  uint32_t address = INADDR_LOOPBACK + (dials++ / DIALS_FOR_EACH_ADDRESS) % 200;
  struct sockaddr_in source = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(address)};
  setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  if (bind(fd, (struct sockaddr *)&source, sizeof source) != 0) fatal("bind");
}

static void append(char *request, size_t room, const char *more) {
  size_t size = strlen(request);
  snprintf(request + size, room - size, "%s", more);
}

/* The path with the stream's rooms at '%'. */
static void append_path(char *request, size_t room, const stream *s) {
  const endpoint *to = s->to;
  const char *mark = strchr(to->path, '%');
  if (!mark) {
    append(request, room, to->path);
    return;
  }
  char part[32];
  size_t size = strlen(request);
  snprintf(request + size, room - size, "%.*s", (int)(mark - to->path), to->path);
  for (uint32_t k = 0; k < s->seen_count; k++) {
    snprintf(part, sizeof part, "%s%u", k ? "," : "", s->seen[k].room);
    append(request, room, part);
  }
  append(request, room, mark + 1);
}

static void ask(stream *s) {
  char request[1024] = "GET ";
  append_path(request, sizeof request, s);
  append(request, sizeof request, " HTTP/1.1\r\nHost: localhost\r\n");
  if (s->to->websocket) {
    append(request, sizeof request,
           "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
           "Sec-WebSocket-Key: ZmFubGluZSBiZW5jaG1hcg==\r\n");
  } else {
    append(request, sizeof request,
           "Connection: keep-alive\r\nCache-Control: no-cache\r\nAccept: text/event-stream\r\n"
           "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)\r\n"
           "Accept-Encoding: gzip, deflate\r\nAccept-Language: en-US,en;q=0.9\r\n");
  }
  if (s->asks_for_missed && s->last_id[0]) {
    append(request, sizeof request, "Last-Event-ID: ");
    append(request, sizeof request, s->last_id);
    append(request, sizeof request, "\r\n");
  }
  append(request, sizeof request, "\r\n");
  http_begin(s);
  s->phase = HEAD;
  watch(s, true, false);
  if (!stream_write(s, request, strlen(request))) stream_end(s, strerror(errno));
}

bool stream_write(stream *s, const void *bytes, size_t size) {
  ssize_t sent =
      s->tls ? (ssize_t)tls_write(s, bytes, size) : send(s->fd, bytes, size, MSG_NOSIGNAL);
  return sent == (ssize_t)size; /* requests are small: an empty socket takes them */
}

static void go_on(stream *s) {
  if (!s->to->tls) {
    ask(s);
    return;
  }
  if (!s->tls) tls_begin(s);
  s->phase = HANDSHAKE;
  bool writable = false;
  int done = tls_handshake(s, &writable);
  if (done > 0) ask(s);
  else if (done < 0) stream_end(s, "the TLS handshake failed");
  else watch(s, true, writable);
}

void stream_start(stream *s, bool missed) {
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(s->to->port)};
  int on = 1;
  if (inet_pton(AF_INET, s->to->host, &to.sin_addr) != 1) fatal("host");
  s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (s->fd < 0) fatal("socket");
  bind_source(s->fd);
  setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  int window = (int)s->to->window;
  if (window) setsockopt(s->fd, SOL_SOCKET, SO_RCVBUF, &window, sizeof window);
  s->asks_for_missed = missed;
  s->stalled = s->is_open = s->has_data = s->is_reset = false;
  s->status = 0;
  s->new_id[0] = '\0';
  s->started = now_ns();
  s->phase = CONNECTING;
  int result = connect(s->fd, (struct sockaddr *)&to, sizeof to);
  if (result != 0 && errno != EINPROGRESS) stream_end(s, strerror(errno));
  else if (result != 0) watch(s, false, true);
  else go_on(s);
}

static void finish_connect(stream *s) {
  int error = 0;
  socklen_t size = sizeof error;
  getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &size);
  if (error) stream_end(s, strerror(error));
  else go_on(s);
}

static void read_some(stream *s) {
  do {
    ssize_t size = s->tls ? (ssize_t)tls_read(s, buffer, sizeof buffer)
                          : recv(s->fd, buffer, sizeof buffer, 0);
    if (size < 0 && errno == EAGAIN) return;
    if (size < 0) {
      stream_end(s, strerror(errno));
      return;
    }
    if (size > 0) {
      s->group->bytes += (uint64_t)size;
      if (http_take(s, buffer, (size_t)size, now_ns())) continue;
      if (is_ping(s)) {
        ping_answered(s);
        continue;
      }
    }
    stream_end(s, "the server ended it");
  } while (s->tls && s->fd >= 0); /* what OpenSSL holds already makes no descriptor readable */
}

void stream_ready(stream *s, bool writable) {
  if (s->fd < 0) return; /* closed earlier in this turn */
  if (s->phase == CONNECTING) finish_connect(s);
  else if (s->phase == HANDSHAKE) go_on(s);
  else if (s->stalled) stream_end(s, "cut while it was stalled");
  else if (!writable || s->phase >= HEAD) read_some(s);
}

static void release(stream *s, bool reset) {
  struct linger now = {.l_onoff = 1, .l_linger = 0};
  if (reset) setsockopt(s->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  if (s->tls) tls_free(s);
  if (s->to->websocket) socketio_free(s);
  close(s->fd);
  s->fd = -1;
}

void stream_close(stream *s, bool reset) {
  if (s->fd < 0) return;
  release(s, reset);
  s->phase = IDLE;
  if (s->is_open) s->group->open--;
  s->is_open = false;
}

/* Told once: a stream that never opened has failed, any other has ended. */
void stream_end(stream *s, const char *why) {
  bool was_open = s->is_open;
  char reason[64];
  if (!was_open && s->status && s->status != 200 && s->status != 101) {
    snprintf(reason, sizeof reason, "status %d", s->status);
    why = reason;
  }
  release(s, false);
  s->phase = ENDED;
  s->is_open = false;
  if (is_ping(s)) {
    ping_lost(s);
    return;
  }
  if (was_open) {
    s->group->open--;
    s->group->ended++;
    if (s->events < s->group->wanted) s->group->fell_short++;
  } else {
    failed(s, why);
  }
}
