/*
 * The floor: what event streams cost when nothing but the kernel's work is done. One thread, epoll, every client gets the same
 * bytes with one send(); no limits, no queues (a full socket is waited for), no HTTP beyond fixed answers.
 *
 *     bare     prints its port; then `stream <k>` for each GET /stream. Each line of standard input is an event's data for everybody,
 *              `@<room> <data>` for those of GET /events?rooms=<room>,…, `#<k> <data>` for a single stream
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECTIONS 20000
#define ROOMS 10000
#define ROOMS_EACH 8
#define TURN_EVENTS 256

static const char greeting[] =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache\r\n"
    "Transfer-Encoding: chunked\r\n\r\n3\r\n:\n\n\r\n";
static const char pong[] = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\npong";

typedef struct list {
  int *fds;
  uint32_t size, room;
} list;

static struct connection {
  uint32_t rooms[ROOMS_EACH], room_count;
  bool everybody;           /* is in `clients` */
} connections[CONNECTIONS]; /* by descriptor */

static list clients, rooms[ROOMS];
static int streams[CONNECTIONS], stream_count;
static int epoll, listener;
static char event[1 << 20], lines[1 << 20];
static size_t kept; /* bytes of a line that is not yet whole */

static void add(list *l, int fd) {
  if (l->size == l->room) {
    l->room = l->room ? l->room * 2 : 8;
    l->fds = realloc(l->fds, l->room * sizeof *l->fds);
    if (!l->fds) abort();
  }
  l->fds[l->size++] = fd;
}

static void take_out(list *l, int fd) {
  uint32_t at = 0;
  while (at < l->size && l->fds[at] != fd) at++;
  if (at < l->size) l->fds[at] = l->fds[--l->size];
}

static void send_all(int fd, const char *bytes, size_t size) {
  while (size) { /* blocks */
    ssize_t sent = send(fd, bytes, size, MSG_NOSIGNAL);
    if (sent <= 0) return; /* its end will be noticed */
    bytes += sent;
    size -= (size_t)sent;
  }
}

static void accept_all(void) {
  int fd, on = 1;
  while ((fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
    struct epoll_event interest = {.events = EPOLLIN | EPOLLRDHUP, .data.fd = fd};
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (fd >= CONNECTIONS || epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &interest) != 0) close(fd);
    else connections[fd] = (struct connection){0};
  }
}

static void leave(int fd) {
  struct connection *c = &connections[fd];
  if (c->everybody) take_out(&clients, fd);
  for (uint32_t i = 0; i < c->room_count; i++) take_out(&rooms[c->rooms[i]], fd);
  for (int k = 0; k < stream_count; k++)
    if (streams[k] == fd) streams[k] = -1;
  close(fd);
}

static void join_rooms(int fd, const char *names) {
  struct connection *c = &connections[fd];
  for (char *end; c->room_count < ROOMS_EACH; names = end + 1) {
    uint32_t room = (uint32_t)strtoul(names, &end, 10);
    if (end == names || room >= ROOMS) return;
    c->rooms[c->room_count++] = room;
    add(&rooms[room], fd);
    if (*end != ',') return;
  }
}

/* A request comes whole: the load writes it with one call. */
static void take_request(int fd) {
  char request[2048];
  ssize_t size = recv(fd, request, sizeof request - 1, MSG_DONTWAIT);
  if (size < 0 && errno == EAGAIN)
    return; /* an event of a connection that this descriptor was before */
  if (size <= 0) {
    leave(fd);
    return;
  }
  request[size] = '\0';
  if (strncmp(request, "GET /ping ", 10) == 0) {
    send_all(fd, pong, sizeof pong - 1);
    return;
  }
  send_all(fd, greeting, sizeof greeting - 1);
  if (strncmp(request, "GET /stream ", 12) == 0) {
    streams[stream_count] = fd;
    printf("stream %d\n", stream_count++);
    fflush(stdout);
    return;
  }
  connections[fd].everybody = true;
  add(&clients, fd);
  const char *mark = strstr(request, "?rooms=");
  if (mark) join_rooms(fd, mark + 7);
}

/* As one chunk of the body. */
static size_t encode(const char *text, size_t size) {
  int head = snprintf(event, sizeof event, "%zx\r\ndata: ", size + 8);
  if ((size_t)head + size + 4 > sizeof event) return 0;
  memcpy(event + head, text, size);
  memcpy(event + (size_t)head + size, "\n\n\r\n", 4);
  return (size_t)head + size + 4;
}

static void send_line(char *line, char *stop) {
  char mark = *line, *text = line;
  unsigned long number = 0;
  if (mark == '@' || mark == '#') {
    number = strtoul(line + 1, &text, 10);
    text++;
  }
  size_t size = encode(text, (size_t)(stop - text));
  if (mark == '#') {
    if ((int)number < stream_count && streams[number] >= 0) send_all(streams[number], event, size);
    return;
  }
  const list *to = mark == '@' ? &rooms[number % ROOMS] : &clients;
  for (uint32_t i = 0; i < to->size; i++) send_all(to->fds[i], event, size);
}

/* False once there is nobody left to tell it anything. */
static bool take_lines(void) {
  ssize_t got = read(STDIN_FILENO, lines + kept, sizeof lines - kept);
  if (got <= 0) return false;
  char *start = lines, *end = lines + kept + (size_t)got, *stop;
  while ((stop = memchr(start, '\n', (size_t)(end - start)))) {
    send_line(start, stop);
    start = stop + 1;
  }
  kept = (size_t)(end - start);
  memmove(lines, start, kept);
  return true;
}

static void watch(int fd) {
  struct epoll_event interest = {.events = EPOLLIN, .data.fd = fd};
  epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &interest);
}

static bool turn(void) {
  struct epoll_event ready[TURN_EVENTS];
  int n = epoll_wait(epoll, ready, TURN_EVENTS, -1);
  for (int i = 0; i < n; i++) {
    int fd = ready[i].data.fd;
    if (fd == listener) accept_all();
    else if (fd != STDIN_FILENO) take_request(fd);
    else if (!take_lines()) return false;
  }
  return true;
}

int main(void) {
  struct sockaddr_in address = {.sin_family = AF_INET};
  socklen_t length = sizeof address;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  epoll = epoll_create1(EPOLL_CLOEXEC);
  listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 4096))
    return 1;
  getsockname(listener, (struct sockaddr *)&address, &length);
  printf("%d\n", ntohs(address.sin_port));
  fflush(stdout);
  watch(listener);
  watch(STDIN_FILENO);
  while (turn()) {
  }
}
