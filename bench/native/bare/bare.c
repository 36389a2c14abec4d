/*
 * The floor: what broadcasting costs when nothing but the kernel's work is done. One thread, epoll, every client gets the same
 * bytes with one send(); no rooms, no limits, no HTTP beyond a fixed answer.
 *
 *     bare     prints its port; then each line of standard input is an event's data, sent to everybody
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_CLIENTS 20000
#define GREETING                                                                                   \
  "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: "                      \
  "chunked\r\n\r\n3\r\n:\n\n\r\n"

static int clients[MAX_CLIENTS], client_count;
static char event[1 << 20], lines[1 << 20];
static size_t kept; /* bytes of a line that is not yet whole */

static void add_client(int listener) {
  char request[1024];
  int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC), on = 1;
  if (fd < 0 || client_count == MAX_CLIENTS) return;
  if (read(fd, request, sizeof request) <= 0 || write(fd, GREETING, sizeof GREETING - 1) < 0) {
    close(fd);
    return;
  }
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  clients[client_count++] = fd;
}

static void send_all(int fd, const char *bytes, size_t size) {
  while (size) { /* a full socket is waited for: this is a floor, not a server */
    ssize_t sent = send(fd, bytes, size, MSG_NOSIGNAL);
    if (sent <= 0) return;
    bytes += sent;
    size -= (size_t)sent;
  }
}

/* As one chunk of the body. */
static void broadcast(const char *text, size_t size) {
  int head = snprintf(event, sizeof event, "%zx\r\ndata: ", size + 8);
  if ((size_t)head + size + 4 > sizeof event) return;
  memcpy(event + head, text, size);
  memcpy(event + (size_t)head + size, "\n\n\r\n", 4);
  for (int c = 0; c < client_count; c++) send_all(clients[c], event, (size_t)head + size + 4);
}

/* False once there is nobody left to tell it anything. */
static bool take_lines(void) {
  ssize_t got = read(STDIN_FILENO, lines + kept, sizeof lines - kept);
  if (got <= 0) return false;
  char *start = lines, *end = lines + kept + (size_t)got, *stop;
  while ((stop = memchr(start, '\n', (size_t)(end - start)))) {
    broadcast(start, (size_t)(stop - start));
    start = stop + 1;
  }
  kept = (size_t)(end - start);
  memmove(lines, start, kept);
  return true;
}

int main(void) {
  struct sockaddr_in address = {.sin_family = AF_INET};
  socklen_t length = sizeof address;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0),
      epoll = epoll_create1(EPOLL_CLOEXEC);
  if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 4096))
    return 1;
  getsockname(listener, (struct sockaddr *)&address, &length);
  printf("%d\n", ntohs(address.sin_port));
  fflush(stdout);
  struct epoll_event interest = {.events = EPOLLIN, .data.fd = listener};
  epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &interest);
  interest.data.fd = STDIN_FILENO;
  epoll_ctl(epoll, EPOLL_CTL_ADD, STDIN_FILENO, &interest);
  for (;;) {
    struct epoll_event ready;
    if (epoll_wait(epoll, &ready, 1, -1) != 1) continue;
    if (ready.data.fd == listener) add_client(listener);
    else if (!take_lines()) return 0;
  }
}
