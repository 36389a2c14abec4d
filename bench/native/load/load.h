/*
 * The load of the benchmark: thousands of event streams in one thread and one epoll, told by commands (commands.c) what to do.
 *
 *     load.c       the loop: standard input, sockets, the clock
 *     commands.c   the commands
 *     batch.c      what takes time: opening many streams, waiting for events
 *     stream.c     one stream: dial, ask, read, end
 *     http.c       the response's head and its transfer coding
 *     events.c     event-stream lines; the order of events in each stream and room
 *     socketio.c   the same events by WebSocket from socket.io
 *     tls.c        the bytes of a stream through TLS
 *     pings.c      ordinary requests at a fixed rate
 *     histogram.c  latencies
 *
 * Thread: one. Times are nanoseconds of CLOCK_MONOTONIC, which Node's process.hrtime tells as well.
 */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LINE_KEPT 159 /* bytes of a line that are looked at; the rest is padding */
#define ID_KEPT 63
#define JOINED_MAX 8
#define ANY_NUMBER UINT64_MAX

typedef struct histogram {
  uint64_t count, max;
  uint32_t buckets[2432]; /* 64 for each power of two: within 1.6 % */
} histogram;

void histogram_add(histogram *h, uint64_t value);
/* The value below which the part p (0 to 1) of all lies; 0 if there is none. */
uint64_t histogram_at(const histogram *h, double p);
void histogram_merge(histogram *into, const histogram *from);

/* What streams have in common. `stall` moves streams into the group "stalled", so that others' figures are not theirs. */
typedef struct group {
  char name[16];
  uint64_t open, ended; /* ended: by the server, or by a fault */
  uint64_t events, bytes;
  uint64_t holes, disorder, strays, resets; /* strays: of a room that the stream has not joined */
  uint64_t wanted, complete,
      fell_short; /* streams that have had `wanted` events, or ended before */
  uint64_t first_sent, last_seen;
  histogram latency; /* from the event's own time to its last byte */
} group;

/* Where streams go, and as what. */
typedef struct endpoint {
  char host[64], path[256]; /* '%' in the path stands for the rooms of a stream */
  uint16_t port;
  uint32_t window;        /* SO_RCVBUF; 0: as the kernel has it */
  uint32_t rooms, joined; /* stream i is in rooms (i + k * rooms / joined) % rooms */
  bool tls, websocket;
} endpoint;

enum phase { IDLE, CONNECTING, HANDSHAKE, HEAD, OPEN, ENDED };
enum http_state { HTTP_HEAD, HTTP_IDENTITY, HTTP_SIZE, HTTP_CHUNK, HTTP_CHUNK_END };

typedef struct stream {
  int fd;
  enum phase phase;
  bool is_open, stalled, asks_for_missed;
  uint32_t index;
  group *group;
  const endpoint *to;
  void *tls; /* SSL */
  uint64_t started;

  enum http_state http;
  bool chunked, sized; /* sized: has Content-Length */
  int status;
  uint64_t left; /* bytes of the chunk or of the sized body */
  uint32_t kept;
  char line[LINE_KEPT + 1];

  /* the event whose blank line has not come yet */
  bool has_data, is_reset;
  uint64_t number, sent;
  uint32_t room;
  char new_id[ID_KEPT + 1];

  char last_id[ID_KEPT + 1];
  uint64_t events;
  struct {
    uint32_t room;
    uint64_t last;
  } seen[JOINED_MAX];
  uint32_t seen_count;

  void *extra; /* of socketio.c */
} stream;

uint64_t now_ns(void);

/* load.c */
void watch(stream *s, bool readable, bool writable);
void watch_descriptor(int fd, void (*ready)(void));
/* One line of JSON. */
__attribute__((format(printf, 1, 2))) void answer(const char *format, ...);

/* commands.c */
bool take_command(char *line); /* false: quit */

/* batch.c */
typedef struct batch_options {
  uint64_t ahead; /* streams on their way at once, at most */
  double seconds;
  bool missed;
} batch_options;

/* Owns the list, not the streams. */
void batch_begin(const char *verb, stream **list, uint64_t size, const batch_options *options);
/* Until so many streams have had what is wanted or can't any more, or, with a total, the group has had so many events. */
typedef struct wait_options {
  uint64_t streams, total;
  double seconds, silence; /* in vain: so long at all, so long without any event */
} wait_options;

void wait_begin(group *g, const wait_options *options);
void report(const char *verb, const group *g, uint64_t started, bool timed_out);
void check_pending(void); /* after each turn: is what is waited for there? */
void opened(stream *s);
void failed(stream *s, const char *why);

/* stream.c: `missed` asks for what came after the last id. */
void stream_start(stream *s, bool missed);
void stream_ready(stream *s, bool writable);
void stream_close(stream *s, bool reset);
void stream_end(stream *s, const char *why); /* the server's doing, or a fault */
bool stream_write(stream *s, const void *bytes, size_t size);
/* A setting that is not what the program expects, or an error of the system at the start: ends the program. */
void fatal(const char *what);

/* http.c: takes bytes of the response, or false: the response is over. */
bool http_take(stream *s, const char *bytes, size_t size, uint64_t now);
void http_begin(stream *s);
/* Appends to the stream's line as much as is looked at. */
void keep(stream *s, const char *bytes, size_t size);

/* events.c */
void events_begin(stream *s, uint64_t first);
void events_take(stream *s, const char *bytes, size_t size, uint64_t now);
/* Reads `[<room>:]<number> <ns>`; false if it is something else. */
bool read_data(stream *s, const char *data, const char *end);
void count_event(stream *s, uint64_t now);

/* socketio.c */
void socketio_begin(stream *s);
bool socketio_take(stream *s, const char *bytes, size_t size, uint64_t now);
void socketio_free(stream *s);

/* tls.c: as read and write; a handshake answers 1 done, 0 wait (then *writable says for what), -1 failed. */
bool tls_available(void);
void tls_begin(stream *s);
int tls_handshake(stream *s, bool *writable);
int64_t tls_read(stream *s, void *bytes, size_t size);
int64_t tls_write(stream *s, const void *bytes, size_t size);
void tls_free(stream *s);

/* pings.c */
void pings_begin(const endpoint *to, uint64_t every_ns);
void pings_report(void); /* and end them */
bool is_ping(const stream *s);
void ping_answered(stream *s);
void ping_lost(stream *s);

#endif
