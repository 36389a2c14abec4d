/*
 * Ordinary requests at a fixed rate, over connections that stay open. Each goes out when it is due, whatever has become of the ones
 * before: a server that makes nobody ask while it is busy would look quicker than it is.
 */
#include "load.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define PINGERS 64

static stream pingers[PINGERS];
static endpoint target;
static histogram times;
static uint64_t skipped; /* due while all connections waited, or lost with one */
static uint64_t due_ns, every;
static int timer = -1;
static group unseen = {.name = "pings"};

bool is_ping(const stream *s) { return s->to == &target; }

void ping_answered(stream *s) {
  histogram_add(&times, now_ns() - s->sent);
  s->sent = 0;
}

void ping_lost(stream *s) {
  if (s->sent) skipped++;
  s->sent = 0;
}

static void ask(stream *s, uint64_t due) {
  char request[384];
  int size =
      snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", target.path);
  s->sent = due;
  if (s->fd < 0) {
    stream_start(s, false);
    return;
  }
  http_begin(s);
  if (!stream_write(s, request, (size_t)size)) stream_end(s, "a ping was not taken");
}

static void on_timer(void) {
  uint64_t passed;
  if (read(timer, &passed, sizeof passed) != sizeof passed) return;
  for (; passed; passed--, due_ns += every) {
    unsigned free_one = 0;
    while (free_one < PINGERS && pingers[free_one].sent) free_one++;
    if (free_one == PINGERS) skipped++;
    else ask(&pingers[free_one], due_ns);
  }
}

void pings_begin(const endpoint *to, uint64_t every_ns) {
  struct itimerspec spec = {0};
  target = *to;
  every = every_ns;
  memset(&times, 0, sizeof times);
  skipped = 0;
  for (unsigned i = 0; i < PINGERS; i++) {
    pingers[i] = (stream){.fd = -1, .to = &target, .group = &unseen};
  }
  due_ns = now_ns() + every;
  spec.it_value.tv_sec = (time_t)(due_ns / UINT64_C(1000000000));
  spec.it_value.tv_nsec = (long)(due_ns % UINT64_C(1000000000));
  spec.it_interval.tv_sec = (time_t)(every / UINT64_C(1000000000));
  spec.it_interval.tv_nsec = (long)(every % UINT64_C(1000000000));
  timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
  if (timer < 0 || timerfd_settime(timer, TFD_TIMER_ABSTIME, &spec, NULL) != 0) fatal("timerfd");
  watch_descriptor(timer, on_timer);
}

void pings_report(void) {
  uint64_t waiting = 0, now = now_ns();
  for (unsigned i = 0; i < PINGERS; i++) {
    if (pingers[i].sent) {
      histogram_add(&times, now - pingers[i].sent);
      waiting++;
    }
    stream_close(&pingers[i], true);
  }
  if (timer >= 0) close(timer);
  timer = -1;
  answer("{\"did\":\"pings\",\"pings\":%llu,\"waiting\":%llu,\"skipped\":%llu,"
         "\"p50_ms\":%.4f,\"p99_ms\":%.4f,\"max_ms\":%.4f}",
         (unsigned long long)times.count, (unsigned long long)waiting, (unsigned long long)skipped,
         (double)histogram_at(&times, 0.50) / 1e6, (double)histogram_at(&times, 0.99) / 1e6,
         (double)times.max / 1e6);
}
