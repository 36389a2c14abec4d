/* The Linux backend: epoll, level-triggered, with an eventfd to be woken by. */
#define _GNU_SOURCE
#include <errno.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "../core/err.h"
#include "../core/mem.h"
#include "poll.h"

#define WATCHED (EPOLLRDHUP | EPOLLHUP | EPOLLERR)
#define BATCH 256
#define WAKE UINT64_MAX /* the token of the eventfd */

struct fan_poll {
  int epoll, wake;
};

static int control(fan_poll *poll, int operation, int fd, uint64_t token, uint32_t events) {
  struct epoll_event event = {.events = events, .data.u64 = token};
  if (epoll_ctl(poll->epoll, operation, fd, &event) == 0) return 0;
  return errno == ENOMEM || errno == ENOSPC ? FAN_ENOMEM : FAN_EIO;
}

fan_poll *fan_poll_new(void) {
  fan_poll *poll = fan_alloc(sizeof *poll);
  if (!poll) return NULL;
  poll->epoll = epoll_create1(EPOLL_CLOEXEC);
  poll->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (poll->epoll >= 0 && poll->wake >= 0 &&
      control(poll, EPOLL_CTL_ADD, poll->wake, WAKE, EPOLLIN) == 0)
    return poll;
  fan_poll_free(poll);
  return NULL;
}

void fan_poll_free(fan_poll *poll) {
  if (!poll) return;
  if (poll->epoll >= 0) close(poll->epoll);
  if (poll->wake >= 0) close(poll->wake);
  fan_free(poll);
}

int fan_poll_add(fan_poll *poll, int fd, uint64_t token) {
  return control(poll, EPOLL_CTL_ADD, fd, token, WATCHED);
}

void fan_poll_want(fan_poll *poll, int fd, uint64_t token, bool read, bool write) {
  uint32_t wanted = (read ? EPOLLIN : 0u) | (write ? EPOLLOUT : 0u);
  /* Cannot fail for a descriptor that is registered: no memory is needed. */
  (void)control(poll, EPOLL_CTL_MOD, fd, token, WATCHED | wanted);
}

void fan_poll_remove(fan_poll *poll, int fd) { (void)control(poll, EPOLL_CTL_DEL, fd, 0, 0); }

int fan_poll_wait(fan_poll *poll, fan_poll_event *events, int max, int timeout_ms) {
  struct epoll_event ready[BATCH];
  int n = epoll_wait(poll->epoll, ready, max < BATCH ? max : BATCH, timeout_ms), count = 0;
  for (int i = 0; i < n; i++) {
    if (ready[i].data.u64 == WAKE) {
      uint64_t times;
      /* Nothing to read means somebody else's wake-up was merged with this one. */
      if (read(poll->wake, &times, sizeof times) < 0) continue;
    } else {
      events[count++] = (fan_poll_event){
          .token = ready[i].data.u64,
          .writable = (ready[i].events & EPOLLOUT) != 0,
          .readable = (ready[i].events & EPOLLIN) != 0,
          .broken = (ready[i].events & WATCHED) != 0,
      };
    }
  }
  return count;
}

void fan_poll_wake(fan_poll *poll) {
  uint64_t one = 1;
  /* It fails only when the counter is full, and then a wake-up is pending anyway. */
  while (write(poll->wake, &one, sizeof one) < 0 && errno == EINTR) continue;
}
