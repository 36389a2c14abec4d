#define _GNU_SOURCE
#include "io_readers.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define BLOCK (64 * 1024)

/* Answers false when this stream needs no more reading. */
static bool read_some(readers *r, unsigned i, unsigned char *block) {
  ssize_t size = recv(r->fds[i], block, BLOCK, MSG_DONTWAIT);
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return true;
  if (size <= 0) {
    r->ended++;
    return false;
  }
  struct timespec moment = {.tv_nsec = (long)r->pause_us * 1000};
  if (r->pause_us) nanosleep(&moment, NULL);
  size_t left = r->expected->size - r->got[i];
  if ((size_t)size > left || memcmp(r->expected->data + r->got[i], block, (size_t)size) != 0) {
    r->wrong++;
    return false;
  }
  r->got[i] += (size_t)size;
  return r->got[i] < r->expected->size;
}

static void *run(void *context) {
  readers *r = context;
  struct pollfd *set = calloc(r->count, sizeof *set);
  unsigned char *block = malloc(BLOCK);
  unsigned left = r->count;
  for (unsigned i = 0; i < r->count; i++)
    set[i] = (struct pollfd){.fd = r->fds[i], .events = POLLIN};
  while (left && poll(set, r->count, NET_PATIENCE_MS) > 0)
    for (unsigned i = 0; i < r->count; i++) {
      if (!set[i].revents || read_some(r, i, block)) continue;
      set[i].fd = -1;
      left--;
    }
  free(block);
  free(set);
  return NULL;
}

void readers_start(readers *r) {
  if (pthread_create(&r->thread, NULL, run, r) != 0) abort();
}

unsigned readers_join(readers *r) {
  unsigned complete = 0;
  pthread_join(r->thread, NULL);
  for (unsigned i = 0; i < r->count; i++)
    if (r->got[i] == r->expected->size) complete++;
  return complete;
}
