#ifndef FAN_SINK_RELAY_H
#define FAN_SINK_RELAY_H
/*
 * The sink for connections that only JavaScript can write to: TLS, HTTP/2, behind a compressing middleware. It copies the
 * turn's bytes once, into one block, which goes out through the outbox; JavaScript writes it with `res.write` and gives credit
 * back. At most FAN_RELAY_BYTES are in JavaScript's hands; the rest stays as references in the client's queue.
 *
 * Thread: loop only. Owns: the block being gathered. Units: bytes.
 */
#include "outbox.h"
#include "wire.h"

#define FAN_RELAY_BYTES (64 * 1024)

/* The sinks that have gathered something in this turn. */
typedef struct fan_relays {
  fan_list gathering;
  fan_outbox *outbox;
} fan_relays;

/* NULL: no memory. Any thread. */
fan_sink *fan_sink_relay_new(void);
/* Before the first write. `relays` must outlive the sink. */
void fan_sink_relay_watch(fan_sink *sink, fan_relays *relays);
bool fan_sink_is_relay(const fan_sink *sink);

/* JavaScript has written `bytes` on. Answers true when the client waits for that. */
bool fan_sink_relay_credit(fan_sink *sink, size_t bytes);

/* Pushes what the sinks have gathered; call it at the end of each turn. */
void fan_relays_push(fan_relays *relays);

#endif
