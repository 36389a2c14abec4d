#ifndef FAN_SINK_FD_H
#define FAN_SINK_FD_H
/*
 * The sink that writes to a socket which Node also owns. It works on a duplicate of the descriptor, so that a number that
 * Node has closed and the system has given to somebody else is never written to. It never changes file-status flags (they
 * belong to both duplicates); each call says MSG_DONTWAIT instead.
 *
 * Thread: open on the JavaScript thread, everything else on the loop. Owns: the duplicate. Units: ms, bytes.
 */
#include "poll.h"
#include "wire.h"

/* Kernel buffers hide a reader's slowness from us: they take new bytes only while fewer than this wait unsent. */
#define FAN_NOTSENT_BYTES (16 * 1024)

/* Duplicates `fd` and tunes the socket: keep-alive, no Nagle, FAN_NOTSENT_BYTES, and a peer that acknowledges nothing for
 * user_timeout_ms (0: the system's default) is given up. `raw`: the response is not chunked. 0 and *sink, or FAN_ENOMEM,
 * or FAN_EIO (no descriptor left, not a descriptor). */
int fan_sink_fd_open(int fd, uint32_t user_timeout_ms, bool raw, fan_sink **sink);

/* Starts watching the socket; its wire must be entered, events come with the client's id as token. When it is evicted, it goes
 * to the list `evicted` and waits there for fan_sinks_fd_cut. Poll and list must outlive the sink. 0, FAN_ENOMEM, FAN_EIO. */
int fan_sink_fd_watch(fan_sink *sink, fan_poll *poll, fan_list *evicted);

/* Shuts down and closes what waits; call it when the notices of these evictions have been posted. */
void fan_sinks_fd_cut(fan_list *evicted);

/* Why the socket was reported broken: FAN_EGONE, FAN_ETIMEOUT or FAN_EIO. */
int fan_sink_fd_error(fan_sink *sink);

/* The tuning alone, without a duplicate, for sockets that JavaScript goes on writing to; and its undoing. Any thread. */
void fan_fd_tune(int fd, uint32_t user_timeout_ms);
void fan_fd_untune(int fd);

#endif
