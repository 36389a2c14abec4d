/*
 * The storm: opens many event streams on loopback and ends them at random moments in every way a peer can, judging each byte
 * that comes (see reader.h).
 *
 *     storm PORT TOTAL AT-ONCE LIFE-MS SEED SECONDS
 *
 * TOTAL streams in all, AT-ONCE of them at a time, each for LIFE-MS on average. Prints one line of JSON; ends with 0 if no rule
 * was broken, 1 if one was, 3 if it was not over after SECONDS.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "reader.h"

#define MAX_AT_ONCE 4000
#define BODY_MAX (200 * 1024)
#define REQUEST_SIZE 512
#define TICK_MS 5
#define OPENED_IN_TICK 32
#define HALF_CLOSED_MS 10000 /* in this time the server must have answered a FIN with its own */

/* How a client ends. LEAVE: FIN once all is read. EARLY: in the middle of the response's
 * head, or a little later. TORN: in the middle of its own request. DEAF: has never read. */
#define WAYS(X) X(LEAVE) X(RESET) X(HALF) X(EARLY) X(DEAF) X(TORN) X(PATIENT)
enum way {
#define WAY_ENUM(name) name,
  WAYS(WAY_ENUM)
#undef WAY_ENUM
      WAY_COUNT
};
static const char *const way_names[] = {
#define WAY_NAME(name) #name,
    WAYS(WAY_NAME)
#undef WAY_NAME
};

typedef struct peer {
  int fd; /* -1: free */
  enum way way;
  uint64_t due_ms;
  size_t request_size, sent, body; /* body: bytes after the request */
  size_t readable;                 /* EARLY: bytes that it reads before it goes */
  bool post, half_closed;
  char request[REQUEST_SIZE];
  reader reader;
} peer;

static peer peers[MAX_AT_ONCE];
static char filler[BODY_MAX];
static uint64_t dice;
static int poll_fd, port;
static uint32_t last_token;
static struct {
  unsigned ended[WAY_COUNT]; /* by the peer, in its own way */
  unsigned complete, cut, reset, reused, unsent_bodies;
  uint64_t events, ids, bytes;
} counts;

static uint64_t now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static uint32_t below(uint32_t limit) { /* xorshift64* */
  dice ^= dice >> 12;
  dice ^= dice << 25;
  dice ^= dice >> 27;
  return (uint32_t)((dice * UINT64_C(2685821657736338717)) >> 33) % limit;
}

/* ---- beginning ---- */

static void ask(peer *p, bool raw) {
  static const char *const rooms[] = {"a", "b", "ab", "m", "m"};
  uint32_t token = ++last_token;
  char body[64] = "";
  if (p->post) snprintf(body, sizeof body, "Content-Length: %zu\r\n", p->body);
  int size = snprintf(p->request, REQUEST_SIZE,
                      "%s /%s?token=%u&rooms=%s&relay=%d HTTP/1.%d\r\nHost: localhost\r\n%s\r\n",
                      p->post ? "POST" : "GET", below(2) ? "plain" : "express", token,
                      rooms[below(5)], below(6) == 0, raw ? 0 : 1, body);
  p->request_size = (size_t)size;
  p->sent = 0;
  if (p->way == TORN) {
    p->request_size = 1 + below((uint32_t)p->request_size - 1);
    p->body = 0;
  }
  reader_start(&p->reader, token, raw);
}

static bool open_peer(peer *p, uint32_t life_ms) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  p->fd = fd;
  p->way = (enum way)below(WAY_COUNT);
  p->post = below(4) == 0;
  p->body = p->post ? 1 + below(BODY_MAX) : 0;
  p->readable = below(220);
  p->due_ms = now_ms() + below(life_ms * (p->way == PATIENT ? 8 : 2));
  p->half_closed = false;
  int narrow = 4096;
  if (below(4) == 0) setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &narrow, sizeof narrow);
  ask(p, below(8) == 0);
  if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0 && errno != EINPROGRESS) {
    close(fd);
    p->fd = -1;
    return false;
  }
  struct epoll_event event = {.events = EPOLLOUT | EPOLLIN, .data.ptr = p};
  epoll_ctl(poll_fd, EPOLL_CTL_ADD, fd, &event);
  return true;
}

/* ---- ending ---- */

static void drop(peer *p) {
  if (p->sent < p->request_size + p->body) counts.unsent_bodies++;
  counts.events += p->reader.events;
  counts.ids += p->reader.ids;
  close(p->fd);
  p->fd = -1;
}

static void reset(peer *p) {
  struct linger linger = {.l_onoff = 1, .l_linger = 0};
  setsockopt(p->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
  counts.ended[p->way]++;
  drop(p);
}

/* The server has ended the connection. */
static void ended(peer *p) {
  if (reader_end(&p->reader)) counts.complete++;
  else counts.cut++;
  drop(p);
}

static void watch(peer *p) {
  struct epoll_event event = {.data.ptr = p};
  bool reads = p->way != DEAF;
  bool writes = p->sent < p->request_size + p->body && !p->half_closed;
  event.events = (reads ? EPOLLIN : 0u) | (writes ? EPOLLOUT : 0u);
  epoll_ctl(poll_fd, EPOLL_CTL_MOD, p->fd, &event);
}

/* The response is complete and the connection has not ended: half of them ask again on it. */
static void ask_again(peer *p, uint32_t total) {
  counts.complete++;
  (void)reader_end(&p->reader);
  if (p->post || p->half_closed || last_token >= total || below(2)) {
    counts.ended[p->way]++;
    drop(p);
    return;
  }
  counts.events += p->reader.events;
  counts.ids += p->reader.ids;
  counts.reused++;
  ask(p, false);
  watch(p);
}

/* ---- bytes ---- */

static void send_some(peer *p) {
  while (p->sent < p->request_size + p->body) {
    bool head = p->sent < p->request_size;
    const char *from = head ? p->request + p->sent : filler;
    size_t size = head ? p->request_size - p->sent : p->request_size + p->body - p->sent;
    ssize_t sent = send(p->fd, from, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0) break; /* later; or the reading side will tell */
    p->sent += (size_t)sent;
  }
  if (p->sent == p->request_size + p->body) watch(p);
}

static void read_some(peer *p, uint32_t total) {
  static char block[65536 + 1];
  for (int turns = 0; turns < 8 && p->fd >= 0; turns++) {
    size_t most = p->way == EARLY ? p->readable : 1 + below(65536);
    if (most == 0) {
      reset(p);
      return;
    }
    ssize_t size = recv(p->fd, block, most, MSG_DONTWAIT);
    if (size < 0 && errno == EAGAIN) return;
    if (size < 0) {
      counts.reset++;
      drop(p);
      return;
    }
    if (size == 0) {
      ended(p);
      return;
    }
    block[size] = '\0';
    counts.bytes += (uint64_t)size;
    reader_feed(&p->reader, block, (size_t)size);
    if (p->way == EARLY) p->readable -= (size_t)size;
    if (p->reader.place == AT_END) ask_again(p, total);
  }
}

/* Its time has come. */
static void end_peer(peer *p, uint32_t total, uint64_t now) {
  if (p->half_closed) {
    violation(&p->reader, "half-closed for %d ms, and the server has not ended", HALF_CLOSED_MS);
    drop(p);
    return;
  }
  switch (p->way) {
  case PATIENT:
  case LEAVE:
    read_some(p, total);
    if (p->fd < 0) return;
    counts.ended[p->way]++;
    drop(p);
    break;
  case HALF:
    shutdown(p->fd, SHUT_WR);
    counts.ended[HALF]++;
    p->half_closed = true;
    p->due_ms = now + HALF_CLOSED_MS;
    watch(p);
    break;
  case DEAF: /* what the kernel has kept for it is judged, too */
    p->way = LEAVE;
    counts.ended[DEAF]++;
    p->due_ms = now + below(50);
    watch(p);
    break;
  case TORN:
    if (below(2)) {
      counts.ended[TORN]++;
      drop(p);
      return;
    }
    reset(p);
    break;
  default:
    reset(p);
  }
}

/* ---- all of them ---- */

static void turn(uint32_t total) {
  struct epoll_event events[256];
  int count = epoll_wait(poll_fd, events, 256, TICK_MS);
  for (int i = 0; i < count; i++) {
    peer *p = events[i].data.ptr;
    if (p->fd < 0) continue;
    if (events[i].events & EPOLLOUT) send_some(p);
    if (p->fd >= 0 && events[i].events & (EPOLLIN | EPOLLERR | EPOLLHUP)) read_some(p, total);
  }
}

/* Answers how many are there. */
static uint32_t tend(uint32_t total, uint32_t at_once, uint32_t life_ms) {
  uint64_t now = now_ms();
  uint32_t alive = 0, fresh = 0;
  for (uint32_t i = 0; i < at_once; i++) {
    peer *p = &peers[i];
    if (p->fd >= 0 && now >= p->due_ms) end_peer(p, total, now);
    if (p->fd < 0 && last_token < total && fresh < OPENED_IN_TICK) fresh += open_peer(p, life_ms);
    alive += p->fd >= 0;
  }
  return alive;
}

static void report(uint64_t started_ms) {
  printf(
      "{\"streams\":%u,\"events\":%" PRIu64 ",\"ids\":%" PRIu64 ",\"bytes\":%" PRIu64
      ",\"complete\":%u,\"cut\":%u,\"reset\":%u,\"reused\":%u,\"unsentBodies\":%u,\"ms\":%" PRIu64
      ",\"violations\":%u",
      last_token, counts.events, counts.ids, counts.bytes, counts.complete, counts.cut,
      counts.reset, counts.reused, counts.unsent_bodies, now_ms() - started_ms, violations);
  for (int way = 0; way < WAY_COUNT; way++) printf(",\"%s\":%u", way_names[way], counts.ended[way]);
  printf("}\n");
}

int main(int argc, char **argv) {
  if (argc != 7) {
    fprintf(stderr, "storm PORT TOTAL AT-ONCE LIFE-MS SEED SECONDS\n");
    return 2;
  }
  port = atoi(argv[1]);
  uint32_t total = (uint32_t)atoi(argv[2]), at_once = (uint32_t)atoi(argv[3]);
  uint32_t life_ms = (uint32_t)atoi(argv[4]);
  dice = strtoull(argv[5], NULL, 10) * UINT64_C(0x9E3779B97F4A7C15) + 1;
  uint64_t started = now_ms(), limit = started + strtoull(argv[6], NULL, 10) * 1000;
  if (at_once > MAX_AT_ONCE) at_once = MAX_AT_ONCE;
  memset(filler, 'x', sizeof filler);
  for (int i = 0; i < MAX_AT_ONCE; i++) peers[i].fd = -1;
  poll_fd = epoll_create1(EPOLL_CLOEXEC);
  do turn(total);
  while ((tend(total, at_once, life_ms) > 0 || last_token < total) && now_ms() < limit);
  report(started);
  for (int i = 0; i < MAX_AT_ONCE; i++) reader_free(&peers[i].reader);
  if (now_ms() >= limit) return 3;
  return violations ? 1 : 0;
}
