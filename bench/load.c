/*
 * The load: opens many event streams with one thread and epoll, takes the transfer coding off, and looks at every event.
 *
 *     load HOST-PORT PATH CLIENTS EVENTS SECONDS
 *
 * An event's data is `<number> <nanoseconds of CLOCK_MONOTONIC> <anything>`; each client must see 1, 2, 3, ... without a hole.
 * Prints `ready` once all streams are open; ends when each client has seen EVENTS events, or after SECONDS, with one line of
 * JSON: what arrived, in which order, how late (p50, p99, from every 16th event), and the CPU time it took to read.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define LINE_MAX_KEPT 64
#define BUFFER (256 * 1024)
#define SAMPLES (1 << 20)

enum state { HEADERS, CHUNK_SIZE, CHUNK_DATA, CHUNK_END };

typedef struct stream {
  int fd;
  enum state state;
  uint32_t matched; /* of CR LF CR LF, while reading headers */
  uint64_t chunk;   /* bytes left of the present chunk */
  uint32_t kept;    /* bytes of the present line in line[] */
  char line[LINE_MAX_KEPT + 1];
  uint64_t events, last;
} stream;

static uint64_t total_events, total_bytes, disorder, finished, opened;
static uint64_t *samples;
static size_t sample_count;
static uint64_t wanted;

static uint64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

static void take_event(stream *s, const char *data, uint64_t now) {
  char *end;
  if (*data == '"') data++; /* some drivers send JSON */
  uint64_t number = strtoull(data, &end, 10);
  if (end == data || !number) return; /* a greeting, a heartbeat */
  uint64_t sent = strtoull(end, NULL, 10);
  if (number != s->last + 1) disorder++;
  s->last = number;
  if (total_events++ % 16 == 0 && sample_count < SAMPLES && sent && now > sent)
    samples[sample_count++] = now - sent;
  if (++s->events == wanted) finished++;
}

static void take_body(stream *s, const char *bytes, size_t size, uint64_t now) {
  const char *end = bytes + size;
  while (bytes < end) {
    const char *line_end = memchr(bytes, '\n', (size_t)(end - bytes));
    size_t part = (size_t)((line_end ? line_end : end) - bytes);
    size_t keep = part < LINE_MAX_KEPT - s->kept ? part : LINE_MAX_KEPT - s->kept;
    memcpy(s->line + s->kept, bytes, keep);
    s->kept += (uint32_t)keep;
    if (!line_end) return;
    s->line[s->kept] = '\0';
    if (strncmp(s->line, "data:", 5) == 0)
      take_event(s, s->line + (s->line[5] == ' ' ? 6 : 5), now);
    s->kept = 0;
    bytes = line_end + 1;
  }
}

/* One byte of a chunk's size line. */
static void take_size(stream *s, char c) {
  if (c == '\n') s->state = CHUNK_DATA;
  else if (c >= '0' && c <= '9') s->chunk = s->chunk * 16 + (uint64_t)(c - '0');
  else if ((c | 32) >= 'a' && (c | 32) <= 'f')
    s->chunk = s->chunk * 16 + (uint64_t)((c | 32) - 'a' + 10);
}

static void take(stream *s, const char *bytes, size_t size, uint64_t now) {
  static const char blank[] = "\r\n\r\n";
  for (size_t i = 0; i < size;) {
    if (s->state == HEADERS) {
      s->matched = bytes[i] == blank[s->matched] ? s->matched + 1 : bytes[i] == '\r';
      i++;
      if (s->matched < 4) continue;
      s->state = CHUNK_SIZE;
      s->chunk = 0;
      opened++;
    } else if (s->state == CHUNK_SIZE) {
      take_size(s, bytes[i++]);
    } else if (s->state == CHUNK_DATA) {
      size_t part = s->chunk < size - i ? (size_t)s->chunk : size - i;
      take_body(s, bytes + i, part, now);
      i += part;
      s->chunk -= part;
      if (!s->chunk) s->state = CHUNK_END;
    } else if (bytes[i++] == '\n') {
      s->state = CHUNK_SIZE;
      s->chunk = 0;
    }
  }
}

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static int dial(int port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) fail("socket");
  if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0) fail("connect");
  return fd;
}

static void open_stream(int epoll, stream *s, int port, const char *path) {
  char request[512];
  int size =
      snprintf(request, sizeof request,
               "GET %s HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n", path);
  s->fd = dial(port);
  if (write(s->fd, request, (size_t)size) != size) fail("write");
  fcntl(s->fd, F_SETFL, O_NONBLOCK);
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = s};
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, s->fd, &event) != 0) fail("epoll_ctl");
}

static char buffer[BUFFER];

static void pump(int epoll, int timeout_ms) {
  struct epoll_event events[512];
  int n = epoll_wait(epoll, events, 512, timeout_ms);
  uint64_t now = now_ns();
  for (int i = 0; i < n; i++) {
    stream *s = events[i].data.ptr;
    ssize_t size = read(s->fd, buffer, sizeof buffer);
    if (size > 0) {
      total_bytes += (uint64_t)size;
      take(s, buffer, (size_t)size, now);
    } else if (size == 0 || errno != EAGAIN) {
      epoll_ctl(epoll, EPOLL_CTL_DEL, s->fd, NULL);
    }
  }
}

static int by_value(const void *a, const void *b) {
  uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
  return (x > y) - (x < y);
}

static double percentile_ms(double p) {
  if (!sample_count) return 0;
  size_t at = (size_t)(p * (double)(sample_count - 1));
  return (double)samples[at] / 1e6;
}

static void report(uint64_t start) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  double cpu = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
               (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
  qsort(samples, sample_count, sizeof *samples, by_value);
  printf("{\"opened\":%" PRIu64 ",\"finished\":%" PRIu64 ",\"events\":%" PRIu64
         ",\"bytes\":%" PRIu64 ",\"disorder\":%" PRIu64
         ",\"seconds\":%.3f,\"p50_ms\":%.3f,\"p99_ms\":%.3f,\"cpu_s\":%.3f}\n",
         opened, finished, total_events, total_bytes, disorder, (double)(now_ns() - start) / 1e9,
         percentile_ms(0.50), percentile_ms(0.99), cpu);
}

int main(int argc, char **argv) {
  if (argc != 6) {
    fprintf(stderr, "usage: load PORT PATH CLIENTS EVENTS SECONDS\n");
    return 2;
  }
  int port = atoi(argv[1]);
  uint64_t clients = strtoull(argv[3], NULL, 10);
  wanted = strtoull(argv[4], NULL, 10);
  uint64_t limit_ns = strtoull(argv[5], NULL, 10) * UINT64_C(1000000000);
  stream *streams = calloc(clients, sizeof *streams);
  samples = malloc(SAMPLES * sizeof *samples);
  int epoll = epoll_create1(EPOLL_CLOEXEC);
  if (!streams || !samples || epoll < 0) fail("setup");
  uint64_t start = now_ns();
  for (uint64_t i = 0; i < clients; i++) {
    open_stream(epoll, &streams[i], port, argv[2]);
    if (i % 64 == 63) pump(epoll, 0);
  }
  while (opened < clients && now_ns() - start < limit_ns) pump(epoll, 100);
  printf("ready %" PRIu64 "\n", opened);
  fflush(stdout);
  start = now_ns();
  while (finished < clients && now_ns() - start < limit_ns) pump(epoll, 100);
  report(start);
  return finished == clients && !disorder ? 0 : 1;
}
