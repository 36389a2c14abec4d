/* The portable backend: poll(2), with a pipe to be woken by. Slower with many clients, the same in meaning. */
#define _GNU_SOURCE /* POLLRDHUP, where there is one */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "../core/err.h"
#include "../core/map.h"
#include "../core/mem.h"
#include "poll.h"

#ifndef POLLRDHUP
#define POLLRDHUP 0 /* then Node's own reading finds a peer that has left, or the next write does */
#endif
#define BROKEN (POLLRDHUP | POLLHUP | POLLERR | POLLNVAL)

struct fan_poll {
  struct pollfd *fds; /* fds[0] is the pipe */
  uint64_t *tokens;
  uint32_t count, capacity;
  fan_map places; /* fd -> place in fds; never 0 */
  uint32_t next;  /* where the next scan begins: who is ready always must not hide those behind */
  int wake[2];
};

static int reserve(fan_poll *set) {
  if (set->count < set->capacity) return 0;
  uint32_t capacity = set->capacity ? set->capacity * 2 : 16;
  struct pollfd *fds = fan_resize(set->fds, capacity * sizeof *fds);
  if (!fds) return FAN_ENOMEM;
  set->fds = fds;
  uint64_t *tokens = fan_resize(set->tokens, capacity * sizeof *tokens);
  if (!tokens) return FAN_ENOMEM;
  set->tokens = tokens;
  set->capacity = capacity;
  return 0;
}

static bool make_pipe(int pipe_fds[2]) {
  if (pipe(pipe_fds) != 0) {
    pipe_fds[0] = pipe_fds[1] = -1;
    return false;
  }
  for (int i = 0; i < 2; i++) {
    if (fcntl(pipe_fds[i], F_SETFD, FD_CLOEXEC) < 0) return false;
    if (fcntl(pipe_fds[i], F_SETFL, O_NONBLOCK) < 0) return false; /* ours alone, so this is safe */
  }
  return true;
}

fan_poll *fan_poll_new(void) {
  fan_poll *set = fan_zalloc(sizeof *set);
  if (!set) return NULL;
  fan_map_init(&set->places);
  if (make_pipe(set->wake) && reserve(set) == 0) {
    set->fds[0] = (struct pollfd){.fd = set->wake[0], .events = POLLIN};
    set->count = 1;
    return set;
  }
  fan_poll_free(set);
  return NULL;
}

void fan_poll_free(fan_poll *set) {
  if (!set) return;
  for (int i = 0; i < 2; i++)
    if (set->wake[i] >= 0) close(set->wake[i]);
  fan_map_deinit(&set->places);
  fan_free(set->fds);
  fan_free(set->tokens);
  fan_free(set);
}

static void *place_value(uint32_t place) { return (void *)(uintptr_t)place; }

static uint32_t place_of(const fan_poll *set, int fd) {
  return (uint32_t)(uintptr_t)fan_map_get(&set->places, (uint64_t)fd);
}

int fan_poll_add(fan_poll *set, int fd, uint64_t token) {
  int error = reserve(set);
  if (!error) error = fan_map_set(&set->places, (uint64_t)fd, place_value(set->count));
  if (error) return error;
  set->fds[set->count] = (struct pollfd){.fd = fd, .events = POLLRDHUP};
  set->tokens[set->count++] = token;
  return 0;
}

void fan_poll_want(fan_poll *set, int fd, uint64_t token, bool read, bool write) {
  (void)token;
  set->fds[place_of(set, fd)].events =
      (short)(POLLRDHUP | (read ? POLLIN : 0) | (write ? POLLOUT : 0));
}

void fan_poll_remove(fan_poll *set, int fd) {
  uint32_t place = place_of(set, fd), last = set->count - 1;
  if (!place) return;
  fan_map_remove(&set->places, (uint64_t)fd);
  set->count--;
  if (place == last) return;
  set->fds[place] = set->fds[last];
  set->tokens[place] = set->tokens[last];
  /* The entry exists, so this allocates nothing. */
  (void)fan_map_set(&set->places, (uint64_t)set->fds[place].fd, place_value(place));
}

int fan_poll_wait(fan_poll *set, fan_poll_event *events, int max, int timeout_ms) {
  int ready = poll(set->fds, set->count, timeout_ms), count = 0;
  if (ready > 0 && set->fds[0].revents) {
    char bytes[64];
    while (read(set->wake[0], bytes, sizeof bytes) > 0) continue;
  }
  uint32_t sockets = set->count - 1, first = set->next;
  for (uint32_t n = 0; ready > 0 && n < sockets && count < max; n++) {
    uint32_t i = 1 + (first + n) % sockets;
    short seen = set->fds[i].revents;
    set->next = i;
    if (!seen) continue;
    events[count++] = (fan_poll_event){
        .token = set->tokens[i],
        .writable = (seen & POLLOUT) != 0,
        .readable = (seen & POLLIN) != 0,
        .broken = (seen & BROKEN) != 0,
    };
  }
  return count;
}

void fan_poll_wake(fan_poll *set) {
  /* A full pipe means that a wake-up is pending. */
  while (write(set->wake[1], "", 1) < 0 && errno == EINTR) continue;
}
