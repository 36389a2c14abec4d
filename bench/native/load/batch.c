/* What takes time: opening many streams, and waiting until their events are there. One of each at a time. */
#include "load.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define SECOND UINT64_C(1000000000)

static struct {
  const char *verb; /* NULL: nothing is being opened */
  stream **list;
  uint64_t size, next, in_flight, ahead, opened, failed;
  uint64_t started, last_opened, deadline;
  bool missed;
  char why[64]; /* the first failure's */
  histogram first_byte;
} batch;

static struct {
  group *of; /* NULL: nobody waits */
  uint64_t target, total, started, deadline, silence;
} waiting;

void batch_begin(const char *verb, stream **list, uint64_t size, const batch_options *options) {
  if (batch.verb) {
    answer("{\"did\":\"%s\",\"error\":\"%s is under way\"}", verb, batch.verb);
    free(list);
    return;
  }
  memset(&batch, 0, sizeof batch);
  batch.verb = verb;
  batch.list = list;
  batch.size = size;
  batch.ahead = options->ahead;
  batch.missed = options->missed;
  batch.started = batch.last_opened = now_ns();
  batch.deadline = batch.started + (uint64_t)(options->seconds * (double)SECOND);
}

void opened(stream *s) {
  uint64_t now = now_ns();
  s->is_open = true;
  s->group->open++;
  batch.in_flight--;
  batch.opened++;
  batch.last_opened = now;
  histogram_add(&batch.first_byte, now - s->started);
}

void failed(stream *s, const char *why) {
  (void)s;
  batch.in_flight--;
  batch.failed++;
  if (!batch.why[0]) snprintf(batch.why, sizeof batch.why, "%s", why);
}

static void end_batch(void) {
  for (uint64_t i = 0; i < batch.next; i++) {
    stream *s = batch.list[i];
    if (s->fd >= 0 && !s->is_open) {
      stream_close(s, true);
      failed(s, "not open in time");
    }
  }
  double seconds = (double)(batch.last_opened - batch.started) / 1e9;
  answer("{\"did\":\"%s\",\"opened\":%" PRIu64 ",\"failed\":%" PRIu64 ",\"why\":\"%s\","
         "\"began_ms\":%.3f,\"seconds\":%.6f,\"first_p50_ms\":%.4f,\"first_p99_ms\":%.4f,\"first_"
         "max_ms\":%.4f}",
         batch.verb, batch.opened, batch.failed + batch.size - batch.next, batch.why,
         (double)batch.started / 1e6, seconds, (double)histogram_at(&batch.first_byte, 0.50) / 1e6,
         (double)histogram_at(&batch.first_byte, 0.99) / 1e6, (double)batch.first_byte.max / 1e6);
  free(batch.list);
  batch.verb = NULL;
}

static void go_on(uint64_t now) {
  while (batch.next < batch.size && batch.in_flight < batch.ahead) {
    batch.in_flight++;
    stream_start(batch.list[batch.next++], batch.missed);
  }
  bool through = batch.next == batch.size && !batch.in_flight;
  if (through || now >= batch.deadline) end_batch();
}

static double cpu_seconds(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

void report(const char *verb, const group *g, uint64_t started, bool timed_out) {
  double span = g->last_seen > g->first_sent ? (double)(g->last_seen - g->first_sent) / 1e9 : 0;
  answer(
      "{\"did\":\"%s\",\"timed_out\":%s,\"open\":%" PRIu64 ",\"ended\":%" PRIu64
      ",\"complete\":%" PRIu64 ",\"fell_short\":%" PRIu64 ",\"events\":%" PRIu64
      ",\"bytes\":%" PRIu64 ",\"holes\":%" PRIu64 ",\"disorder\":%" PRIu64 ",\"strays\":%" PRIu64
      ",\"resets\":%" PRIu64 ",\"last_ms\":%.3f,\"seconds\":%.6f,\"span_s\":%.6f,\"p50_ms\":%.4f,"
      "\"p99_ms\":%.4f,\"max_ms\":%.4f,"
      "\"load_cpu_s\":%.4f}",
      verb, timed_out ? "true" : "false", g->open, g->ended, g->complete, g->fell_short, g->events,
      g->bytes, g->holes, g->disorder, g->strays, g->resets, (double)g->last_seen / 1e6,
      (double)(now_ns() - started) / 1e9, span, (double)histogram_at(&g->latency, 0.50) / 1e6,
      (double)histogram_at(&g->latency, 0.99) / 1e6, (double)g->latency.max / 1e6, cpu_seconds());
}

void wait_begin(group *g, const wait_options *options) {
  if (waiting.of) {
    answer("{\"did\":\"wait\",\"error\":\"a wait is under way\"}");
    return;
  }
  waiting.of = g;
  waiting.total = options->total;
  waiting.target = options->streams;
  waiting.started = now_ns();
  waiting.deadline = waiting.started + (uint64_t)(options->seconds * (double)SECOND);
  waiting.silence = (uint64_t)(options->silence * (double)SECOND);
}

static bool all_there(const group *g) {
  if (waiting.total) return g->events >= waiting.total || !g->open;
  return g->complete + g->fell_short >= waiting.target;
}

static bool in_vain(const group *g, uint64_t now) {
  uint64_t last = g->last_seen > waiting.started ? g->last_seen : waiting.started;
  return now >= waiting.deadline || (now > last && now - last >= waiting.silence);
}

void check_pending(void) {
  if (!batch.verb && !waiting.of) return;
  uint64_t now = now_ns();
  if (batch.verb) go_on(now);
  if (!waiting.of) return;
  bool there = all_there(waiting.of);
  if (!there && !in_vain(waiting.of, now)) return;
  report("wait", waiting.of, waiting.started, !there);
  waiting.of = NULL;
}
