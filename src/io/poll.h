#ifndef FAN_POLL_H
#define FAN_POLL_H
/*
 * Waiting for sockets: the private interface of the backends. poll_epoll.c on Linux, poll_poll.c elsewhere; the
 * build chooses one file, nothing else knows which. A socket is always watched for its peer's leaving, for
 * something to read and for room to write only when asked. Each has a token, never a pointer: an event that comes late finds nothing.
 *
 * Thread: the loop's, except fan_poll_wake (any). Owns: its own descriptors, never the sockets. Units: ms.
 */
#include <stdbool.h>
#include <stdint.h>

typedef struct fan_poll fan_poll;

typedef struct fan_poll_event {
  uint64_t token;
  bool writable, readable;
  bool broken; /* hung up, reset, or an error is pending */
} fan_poll_event;

fan_poll *fan_poll_new(void); /* NULL: no memory, or no descriptor left */
void fan_poll_free(fan_poll *poll);

/* Watches fd until fan_poll_remove, which must come before fd is closed. 0, FAN_ENOMEM or FAN_EIO. */
int fan_poll_add(fan_poll *poll, int fd, uint64_t token);
void fan_poll_want(fan_poll *poll, int fd, uint64_t token, bool read, bool write);
void fan_poll_remove(fan_poll *poll, int fd);

/* Waits for at most timeout_ms (-1: for ever). Answers the number of events, at most `max`. */
int fan_poll_wait(fan_poll *poll, fan_poll_event *events, int max, int timeout_ms);

/* Ends the present wait, or the next one. */
void fan_poll_wake(fan_poll *poll);

#endif
