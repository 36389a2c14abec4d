/*
 * One command a line, `verb name=value ...`; each is answered by one line of JSON with `did` (its verb). `open`, `reopen` and
 * `wait` answer when they are through, the others at once. A group is named when it is first opened; `main` unless said.
 *
 *     open port= n= [host=] [path=] [group=] [ahead=] [from=] [rooms= joined=] [window=] [tls=1] [ws=1] [seconds=]
 *                             at most `ahead` streams are on their way at once; `from` is the number of the first event (0: any);
 *                             '%' in the path becomes the stream's rooms
 *     wait [group=] each=|total= [seconds=] [silence=]   until each open stream has had so many events, or all of them together;
 *                             in vain after `seconds`, or when nothing at all has come for `silence`
 *     report [group=]         what a wait answers, now
 *     reset                   counts begin anew; the order of events goes on
 *     stall n= [group=]       so many, evenly spread, stop reading and go over into the group `stalled`
 *     read group=stalled      they read again
 *     close [group=] [n=] [abort=1]
 *     reopen [group=] [missed=1] [ahead=] [seconds=]   missed: with Last-Event-ID; else any number may come first
 *     ping port= [host=] [path=] [every_us=]      ordinary requests, until
 *     pings                   their times
 *     features                what this program was built with
 *     quit
 */
#include "load.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GROUPS 8

static group groups[GROUPS];
static stream **streams;
static uint64_t stream_count;

/* The value of `name=` in the command, or NULL. */
static const char *find(const char *line, const char *name) {
  size_t size = strlen(name);
  for (const char *at = line; (at = strchr(at, ' ')); at++)
    if (strncmp(at + 1, name, size) == 0 && at[1 + size] == '=') return at + size + 2;
  return NULL;
}

static double number(const char *line, const char *name, double otherwise) {
  const char *value = find(line, name);
  return value ? strtod(value, NULL) : otherwise;
}

static void text(const char *line, const char *name, const char *otherwise, char *out,
                 size_t room) {
  const char *value = find(line, name);
  if (!value) value = otherwise;
  snprintf(out, room, "%.*s", (int)strcspn(value, " "), value);
}

static group *group_named(const char *name, bool make) {
  for (int i = 0; i < GROUPS; i++) {
    if (!groups[i].name[0] && make) snprintf(groups[i].name, sizeof groups[i].name, "%s", name);
    if (strcmp(groups[i].name, name) == 0) return &groups[i];
  }
  return NULL;
}

static group *group_of(const char *line, bool make) {
  char name[16];
  text(line, "group", "main", name, sizeof name);
  return group_named(name, make);
}

static endpoint *endpoint_of(const char *line) {
  endpoint *to = calloc(1, sizeof *to);
  if (!to) fatal("calloc");
  text(line, "host", "127.0.0.1", to->host, sizeof to->host);
  text(line, "path", "/events", to->path, sizeof to->path);
  to->port = (uint16_t)number(line, "port", 0);
  to->rooms = (uint32_t)number(line, "rooms", 0);
  to->joined = (uint32_t)number(line, "joined", 1);
  to->window = (uint32_t)number(line, "window", 0);
  to->tls = number(line, "tls", 0) != 0;
  to->websocket = number(line, "ws", 0) != 0;
  return to;
}

static void open_streams(const char *line) {
  endpoint *to = endpoint_of(line);
  group *g = group_of(line, true);
  uint64_t n = (uint64_t)number(line, "n", 1), from = (uint64_t)number(line, "from", 1);
  if (!g || !n || !to->joined || to->joined > JOINED_MAX || (to->tls && !tls_available())) {
    answer("{\"did\":\"open\",\"error\":\"%s\"}",
           to->tls && !tls_available() ? "built without OpenSSL" : "bad numbers");
    free(to);
    return;
  }
  stream *made = calloc(n, sizeof *made);
  stream **list = malloc(n * sizeof *list);
  streams = realloc(streams, (stream_count + n) * sizeof(stream *));
  if (!made || !list || !streams) fatal("malloc");
  for (uint64_t i = 0; i < n; i++) {
    stream *s = streams[stream_count++] = list[i] = &made[i];
    *s = (stream){.fd = -1, .index = (uint32_t)i, .group = g, .to = to};
    events_begin(s, from ? from : ANY_NUMBER);
  }
  batch_options options = {(uint64_t)number(line, "ahead", 256), number(line, "seconds", 30),
                           false};
  batch_begin("open", list, n, &options);
}

static void reopen_streams(const char *line) {
  group *g = group_of(line, false);
  bool missed = number(line, "missed", 0) != 0;
  stream **list = malloc((stream_count + 1) * sizeof *list);
  if (!list) fatal("malloc");
  uint64_t n = 0;
  for (uint64_t i = 0; i < stream_count; i++) {
    stream *s = streams[i];
    if (s->group != g || s->fd >= 0) continue;
    if (!missed) events_begin(s, ANY_NUMBER);
    list[n++] = s;
  }
  batch_options options = {(uint64_t)number(line, "ahead", 256), number(line, "seconds", 30),
                           missed};
  batch_begin("reopen", list, n, &options);
}

/* Those that have ended already have had enough, or have fallen short. */
static void wait_for(const char *line) {
  group *g = group_of(line, true);
  uint64_t of = 0;
  g->wanted = (uint64_t)number(line, "each", 0);
  g->complete = g->fell_short = 0;
  for (uint64_t i = 0; i < stream_count; i++) {
    const stream *s = streams[i];
    if (s->group != g || (!s->is_open && s->phase != ENDED)) continue;
    of++;
    if (s->events >= g->wanted) g->complete++;
    else if (!s->is_open) g->fell_short++;
  }
  wait_options options = {of, (uint64_t)number(line, "total", 0), number(line, "seconds", 30),
                          number(line, "silence", 10)};
  wait_begin(g, &options);
}

static void reset(const char *line) {
  (void)line;
  for (uint64_t i = 0; i < stream_count; i++) streams[i]->events = 0;
  for (int i = 0; i < GROUPS; i++) {
    group *g = &groups[i], old = *g;
    memset(g, 0, sizeof *g);
    memcpy(g->name, old.name, sizeof g->name);
    g->open = old.open;
  }
  answer("{\"did\":\"reset\"}");
}

static void stall(const char *line) {
  group *g = group_of(line, true), *apart = group_named("stalled", true);
  uint64_t n = (uint64_t)number(line, "n", 0), of = g->open, seen = 0, moved = 0;
  for (uint64_t i = 0; i < stream_count; i++) {
    stream *s = streams[i];
    if (s->group != g || !s->is_open) continue;
    if ((seen + 1) * n / of > seen * n / of) {
      s->stalled = true;
      s->group = apart;
      g->open--;
      apart->open++;
      watch(s, false, false);
      moved++;
    }
    seen++;
  }
  answer("{\"did\":\"stall\",\"stalled\":%" PRIu64 "}", moved);
}

static void read_again(const char *line) {
  group *g = group_of(line, true);
  for (uint64_t i = 0; i < stream_count; i++) {
    stream *s = streams[i];
    if (s->group != g || !s->is_open || !s->stalled) continue;
    s->stalled = false;
    watch(s, true, false);
  }
  answer("{\"did\":\"read\"}");
}

static void close_streams(const char *line) {
  group *g = group_of(line, true);
  bool abort_them = number(line, "abort", 0) != 0;
  uint64_t n = (uint64_t)number(line, "n", 1e9), closed = 0;
  for (uint64_t i = 0; i < stream_count && closed < n; i++) {
    if (streams[i]->group != g || !streams[i]->is_open) continue;
    stream_close(streams[i], abort_them);
    closed++;
  }
  answer("{\"did\":\"close\",\"closed\":%" PRIu64 "}", closed);
}

static void report_group(const char *line) {
  report("report", group_of(line, true), now_ns(), false);
}

static void ping(const char *line) {
  endpoint *to = endpoint_of(line);
  if (!find(line, "path")) snprintf(to->path, sizeof to->path, "/ping");
  pings_begin(to, (uint64_t)(number(line, "every_us", 10000) * 1000));
  free(to);
  answer("{\"did\":\"ping\"}");
}

static void pings(const char *line) {
  (void)line;
  pings_report();
}

static void features(const char *line) {
  (void)line;
  answer("{\"did\":\"features\",\"tls\":%s}", tls_available() ? "true" : "false");
}

bool take_command(char *line) {
  static const struct {
    const char *verb;
    void (*run)(const char *line);
  } commands[] = {{"open", open_streams},   {"reopen", reopen_streams}, {"wait", wait_for},
                  {"report", report_group}, {"reset", reset},           {"stall", stall},
                  {"read", read_again},     {"close", close_streams},   {"ping", ping},
                  {"pings", pings},         {"features", features}};
  size_t size = strcspn(line, " ");
  if (strcmp(line, "quit") == 0) return false;
  for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
    if (strlen(commands[i].verb) == size && memcmp(commands[i].verb, line, size) == 0) {
      commands[i].run(line);
      return true;
    }
  }
  answer("{\"did\":\"%.*s\",\"error\":\"no such command\"}", (int)(size > 32 ? 32 : size), line);
  return true;
}
