#ifndef FAN_SINK_FD_PRIVATE_H
#define FAN_SINK_FD_PRIVATE_H
/* The inside of a sink that writes to a socket, for sink_fd.c and sink_detached.c. Thread: the loop's, once it is watched. */
#include "sink_fd.h"

enum sink_fd_stage {
  SINK_SHARED,    /* Node has the socket, too */
  SINK_DETACHED,  /* Node has let go of it: see sink_detached.h */
  SINK_LINGERING, /* the same, and its client has gone */
};

typedef struct sink_fd {
  fan_wire wire;
  int fd;
  bool had_keepalive, had_nodelay, wants_write;
  uint8_t stage;     /* enum sink_fd_stage */
  fan_poll *poll;    /* NULL until it is watched */
  fan_list *evicted; /* likewise */
  fan_list node;     /* in *evicted or *lingering, once it is closed */
  /* once it is detached */
  fan_list *lingering;
  uint64_t due_ms;  /* lingering: closed by then */
  uint32_t input;   /* bytes that the peer has sent since */
  uint8_t finished; /* bytes of the body's end that are written */
} sink_fd;

/* What both kinds of sink do alike. */
int64_t fan_sink_fd_write(fan_sink *sink, const fan_slice *slices, int count);
void fan_sink_fd_close(fan_sink *sink, enum fan_sink_close how);

#endif
