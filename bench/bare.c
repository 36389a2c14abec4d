/*
 * The floor: what broadcasting costs when nothing but the kernel's work is done. One thread, epoll, every client gets the same
 * bytes with one send(); no rooms, no limits, no HTTP beyond a fixed answer.
 *
 *     bare                    prints its port; then reads commands, one a line, from standard input:
 *     run EVENTS HZ SIZE      broadcasts (HZ 0: as fast as sockets take them), then prints `{"cpu_s":...,"seconds":...}`
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MAX_CLIENTS 20000
#define GREETING                                                                                   \
  "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: "                      \
  "chunked\r\n\r\n3\r\n:\n\n\r\n"

static int clients[MAX_CLIENTS], client_count;
static char event[1 << 20];

static double now_s(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double cpu_s(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

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

static size_t make_event(long number, size_t padding) {
  char body[64];
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  int head = snprintf(body, sizeof body, "data: %ld %" PRIu64 " ", number,
                      (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec);
  size_t size = (size_t)head + padding + 2;
  int at = snprintf(event, sizeof event, "%zx\r\n%s", size, body);
  memset(event + at, 'x', padding);
  memcpy(event + (size_t)at + padding, "\n\n\r\n", 4);
  return (size_t)at + padding + 4;
}

static void run(long events, double hz, size_t padding) {
  double cpu = cpu_s(), start = now_s();
  for (long i = 1; i <= events; i++) {
    size_t size = make_event(i, padding);
    for (int c = 0; c < client_count; c++) send_all(clients[c], event, size);
    double rest = hz > 0 ? start + (double)i / hz - now_s() : 0;
    if (rest > 0) usleep((useconds_t)(rest * 1e6));
  }
  printf("{\"cpu_s\":%.6f,\"seconds\":%.6f}\n", cpu_s() - cpu, now_s() - start);
  fflush(stdout);
}

int main(void) {
  struct sockaddr_in address = {.sin_family = AF_INET};
  socklen_t length = sizeof address;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0),
      epoll = epoll_create1(EPOLL_CLOEXEC);
  if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 1024))
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
    char line[128];
    long events;
    double hz;
    size_t padding;
    if (epoll_wait(epoll, &ready, 1, -1) != 1) continue;
    if (ready.data.fd == listener) {
      add_client(listener);
      continue;
    }
    ssize_t size = read(STDIN_FILENO, line, sizeof line - 1);
    if (size <= 0) return 0;
    line[size] = '\0';
    if (sscanf(line, "run %ld %lf %zu", &events, &hz, &padding) == 3) run(events, hz, padding);
  }
}
