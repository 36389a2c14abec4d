#ifndef FAN_SINK_H
#define FAN_SINK_H
/*
 * Where a client's bytes go: a socket (io/sink_fd), JavaScript (io/sink_relay) or a test's script. A sink
 * only takes bytes; all policy is above it, in client.c. It must never call back into core.
 *
 * Thread: loop only. Owns: whatever lies beneath; the client owns the sink and closes it exactly once.
 * Units: bytes.
 */
#include <stdbool.h>
#include <stdint.h>

#include "buf.h"

typedef struct fan_sink fan_sink;

enum fan_sink_close {
  FAN_SINK_RELEASE, /* the stream ended in order: give the connection back as it was found */
  FAN_SINK_EVICT,   /* cut the connection */
};

typedef struct fan_sink_ops {
  /* Writes what it can. Answers the bytes taken (>= 0; less than offered means that the rest would block)
   * or FAN_EAGAIN (took nothing), FAN_EGONE, FAN_ETIMEOUT, FAN_EIO. */
  int64_t (*write)(fan_sink *sink, const fan_slice *slices, int count);
  /* From now on say (not from within this call) when bytes can be taken again; or stop saying so. */
  void (*want_write)(fan_sink *sink, bool on);
  /* NULL, or: everything has been written and no more will come. 0: the sink may be released; FAN_EAGAIN: not yet, call again once
   * it can take bytes; or what write answers. */
  int (*finish)(fan_sink *sink);
  /* Ends the sink and frees it. */
  void (*close)(fan_sink *sink, enum fan_sink_close how);
} fan_sink_ops;

struct fan_sink {
  const fan_sink_ops *ops;
  bool raw; /* it takes the raw slice of each frame, not the chunked one */
};

#endif
