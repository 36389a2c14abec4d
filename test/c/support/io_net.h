#ifndef IO_NET_H
#define IO_NET_H
/*
 * Real sockets for io tests: pairs over loopback, and what the far end sees. Index 0 is the side that Node would have, 1 is
 * the peer. Whatever waits does so on poll(2), for NET_PATIENCE_MS at most. They abort when the system refuses.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NET_PATIENCE_MS 15000

void net_tcp(int pair[2]);
void net_unix(int pair[2]);
/* Small kernel buffers on both sides, so that little is needed to block. */
void net_narrow(const int pair[2]);
void net_close(int pair[2]); /* those that are not -1 */
void net_reset(int *fd);     /* closes with RST */

bool net_readable(int fd, int timeout_ms); /* bytes or the end */
/* Reads until `size` bytes or the end of the stream; answers how many. */
size_t net_read(int fd, void *bytes, size_t size);
/* Is the stream over, in order or by reset, with nothing more to read? */
bool net_ended(int fd);
/* Reads to the end into memory that the caller frees. */
unsigned char *net_drain(int fd, size_t *size);

int net_option(int fd, int level, int name);
void net_set_option(int fd, int level, int name, int value);
unsigned net_descriptors(void); /* open in this process */

/* Bytes that a test expects. */
typedef struct net_bytes {
  unsigned char *data;
  size_t size, capacity;
} net_bytes;

void net_bytes_add(net_bytes *bytes, const void *data, size_t size);
void net_bytes_free(net_bytes *bytes);

#endif
