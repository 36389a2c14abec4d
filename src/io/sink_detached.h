#ifndef FAN_SINK_DETACHED_H
#define FAN_SINK_DETACHED_H
/*
 * The sink of a connection that Node has let go of: the duplicate of sink_fd.h is all that is left of it. What would be Node's is
 * done here: what the peer still sends is read and thrown away, the end of a chunked body is written, and the connection is
 * closed as TCP wants it: shut down for writing, then closed once the peer has closed its side, too (lingering: a socket that is
 * closed with something unread resets the connection, and the peer may lose the last bytes).
 *
 *   shared --fan_sink_detach--> detached --released--> lingering --peer's FIN, or FAN_LINGER_MS--> closed
 *                                  +------evicted-----------------------------------------------------^
 *
 * A sink that lingers stays in the table of wires, without a port, so that its events find it.
 *
 * Thread: loop only. Owns: the descriptor, until it is closed. Units: bytes, ms.
 */
#include "sink_fd.h"

#define FAN_INPUT_BYTES (64 * 1024) /* a peer that sends more than this floods us */
#define FAN_LINGER_MS 5000

/* Node is about to close its own descriptor. The sink is one of fan_sink_fd_open, watched and not yet detached; when it is
 * released it goes to the list `lingering`, which must outlive it. */
void fan_sink_detach(fan_sink *sink, fan_list *lingering);

/* The socket has something to be read: it is thrown away. False: the peer has left, or floods us. */
bool fan_sink_detached_read(fan_sink *sink);

bool fan_sink_lingers(const fan_sink *sink);
/* Something was reported of a sink that lingers; it may be gone afterwards. `broken`: the peer has closed its side. */
void fan_sink_linger(fan_sink *sink, bool broken);

/* When the first of those that linger has to be closed; FAN_NEVER: none does. */
uint64_t fan_lingering_due_ms(const fan_list *lingering);
/* Closes those whose time is up; FAN_NEVER: all. */
void fan_lingering_close(fan_list *lingering, uint64_t now_ms);

#endif
