#ifndef IO_READERS_H
#define IO_READERS_H
/* Peers that read in a thread of their own and compare what comes with one stream that all of them expect. */
#include <pthread.h>

#include "io_net.h"

#define READERS_MOST 700

typedef struct readers {
  pthread_t thread;
  int fds[READERS_MOST];
  size_t got[READERS_MOST];
  unsigned count;
  const net_bytes *expected; /* complete before the thread starts */
  unsigned pause_us;         /* after each 64 KiB at most: a reader with work to do */
  unsigned wrong;            /* streams that were not a prefix of it */
  unsigned ended;            /* that ended before they were complete */
} readers;

/* Afterwards the thread reads until each stream is complete or over. */
void readers_start(readers *r);
/* Waits for that. Answers how many streams were complete. */
unsigned readers_join(readers *r);

#endif
