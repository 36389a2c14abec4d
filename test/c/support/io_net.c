#define _GNU_SOURCE
#include "io_net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MOST_DESCRIPTORS 4096

static void need(bool holds, const char *what) {
  if (holds) return;
  perror(what);
  abort();
}

static void unblock(int fd) {
  need(fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) == 0, "fcntl");
}

void net_tcp(int pair[2]) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof address;
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  need(listener >= 0, "socket");
  need(bind(listener, (struct sockaddr *)&address, size) == 0, "bind");
  need(listen(listener, 1) == 0, "listen");
  need(getsockname(listener, (struct sockaddr *)&address, &size) == 0, "getsockname");
  pair[1] = socket(AF_INET, SOCK_STREAM, 0);
  need(pair[1] >= 0, "socket");
  need(connect(pair[1], (struct sockaddr *)&address, size) == 0, "connect");
  pair[0] = accept(listener, NULL, NULL);
  need(pair[0] >= 0, "accept");
  close(listener);
  unblock(pair[0]); /* as libuv has it */
}

void net_unix(int pair[2]) {
  need(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0, "socketpair");
  unblock(pair[0]);
}

void net_narrow(const int pair[2]) {
  net_set_option(pair[0], SOL_SOCKET, SO_SNDBUF, 16 * 1024);
  /* Not less than loopback's segment: a smaller window opens by timer only. */
  net_set_option(pair[1], SOL_SOCKET, SO_RCVBUF, 64 * 1024);
}

void net_close(int pair[2]) {
  for (int i = 0; i < 2; i++)
    if (pair[i] >= 0) close(pair[i]);
  pair[0] = pair[1] = -1;
}

void net_reset(int *fd) {
  struct linger at_once = {.l_onoff = 1, .l_linger = 0};
  setsockopt(*fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  close(*fd);
  *fd = -1;
}

bool net_readable(int fd, int timeout_ms) {
  struct pollfd one = {.fd = fd, .events = POLLIN};
  int ready;
  do ready = poll(&one, 1, timeout_ms);
  while (ready < 0 && errno == EINTR);
  return ready > 0;
}

size_t net_read(int fd, void *bytes, size_t size) {
  size_t at = 0;
  while (at < size && net_readable(fd, NET_PATIENCE_MS)) {
    ssize_t got = recv(fd, (char *)bytes + at, size - at, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (got <= 0) break;
    at += (size_t)got;
  }
  return at;
}

bool net_ended(int fd) {
  char byte;
  if (!net_readable(fd, NET_PATIENCE_MS)) return false;
  ssize_t got = recv(fd, &byte, 1, MSG_DONTWAIT);
  return got == 0 || (got < 0 && (errno == ECONNRESET || errno == EPIPE));
}

unsigned char *net_drain(int fd, size_t *size) {
  net_bytes all = {0};
  unsigned char some[8192];
  for (size_t got; (got = net_read(fd, some, sizeof some)) > 0;) net_bytes_add(&all, some, got);
  *size = all.size;
  return all.data;
}

int net_option(int fd, int level, int name) {
  int value = 0;
  socklen_t size = sizeof value;
  return getsockopt(fd, level, name, &value, &size) == 0 ? value : -1;
}

void net_set_option(int fd, int level, int name, int value) {
  need(setsockopt(fd, level, name, &value, sizeof value) == 0, "setsockopt");
}

unsigned net_descriptors(void) {
  unsigned count = 0;
  for (int fd = 0; fd < MOST_DESCRIPTORS; fd++)
    if (fcntl(fd, F_GETFD) >= 0) count++;
  return count;
}

void net_bytes_add(net_bytes *bytes, const void *data, size_t size) {
  if (bytes->size + size > bytes->capacity) {
    bytes->capacity = (bytes->size + size) * 2;
    bytes->data = realloc(bytes->data, bytes->capacity);
    need(bytes->data != NULL, "realloc");
  }
  if (size) memcpy(bytes->data + bytes->size, data, size);
  bytes->size += size;
}

void net_bytes_free(net_bytes *bytes) {
  free(bytes->data);
  *bytes = (net_bytes){0};
}
