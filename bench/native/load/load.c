/* The loop. Commands come by standard input, one a line (commands.c); answers go to standard output, one line of JSON each. */
#include "load.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define TURN_EVENTS 512
#define TICK_MS 50 /* deadlines are looked at so often */

static int epoll = -1;

/* What an epoll event belongs to: a stream, or one of these (their addresses are the mark). */
static struct descriptor {
  int fd;
  void (*ready)(void);
} descriptors[2];

uint64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

void watch(stream *s, bool readable, bool writable) {
  struct epoll_event event = {.data.ptr = s};
  event.events =
      (readable ? (uint32_t)EPOLLIN : (uint32_t)EPOLLRDHUP) | (writable ? (uint32_t)EPOLLOUT : 0U);
  if (epoll_ctl(epoll, EPOLL_CTL_MOD, s->fd, &event) == 0) return;
  if (errno != ENOENT || epoll_ctl(epoll, EPOLL_CTL_ADD, s->fd, &event) != 0) fatal("epoll_ctl");
}

void watch_descriptor(int fd, void (*ready)(void)) {
  struct descriptor *d = descriptors[0].ready ? &descriptors[1] : &descriptors[0];
  *d = (struct descriptor){fd, ready};
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = d};
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0) fatal("epoll_ctl");
}

void answer(const char *format, ...) {
  va_list values;
  va_start(values, format);
  vprintf(format, values);
  va_end(values);
  putchar('\n');
  fflush(stdout);
}

static void on_stdin(void) {
  static char line[2048];
  static size_t kept;
  ssize_t size = read(STDIN_FILENO, line + kept, sizeof line - 1 - kept);
  if (size <= 0) exit(0); /* whoever told us what to do is gone */
  kept += (size_t)size;
  line[kept] = '\0';
  char *from = line, *end;
  while ((end = strchr(from, '\n'))) {
    *end = '\0';
    if (!take_command(from)) exit(0);
    from = end + 1;
  }
  kept -= (size_t)(from - line);
  memmove(line, from, kept);
}

static void raise_limit(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

static void turn(void) {
  struct epoll_event events[TURN_EVENTS];
  int n = epoll_wait(epoll, events, TURN_EVENTS, TICK_MS);
  for (int i = 0; i < n; i++) {
    void *mark = events[i].data.ptr;
    if (mark == &descriptors[0] || mark == &descriptors[1]) ((struct descriptor *)mark)->ready();
    else stream_ready(mark, events[i].events & EPOLLOUT);
  }
  check_pending();
}

int main(void) {
  raise_limit();
  epoll = epoll_create1(EPOLL_CLOEXEC);
  if (epoll < 0) fatal("epoll_create1");
  watch_descriptor(STDIN_FILENO, on_stdin);
  for (;;) turn();
}
