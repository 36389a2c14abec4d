#ifndef FAN_CLIENT_PRIVATE_H
#define FAN_CLIENT_PRIVATE_H
/* The inside of a client, for client.c (its life, what it is given, its clocks) and client_flush.c (its writes, and who is too slow).
 *
 * Thread: loop only. */
#include "client.h"

/* It is looked at when the batch window ends; the first dirty client opens the window. */
void fan_client_mark_dirty(fan_client *client);
/* It is looked at with the next turn. */
void fan_client_mark_urgent(fan_client *client);
/* It has something to tell JavaScript. */
void fan_client_mark_notice(fan_client *client);

/* Its timer has to fire at due_ms at the latest; FAN_NEVER changes nothing. */
void fan_client_wake_by(fan_client *client, uint64_t due_ms);

/* Counts one frame that was let go of while the client lives on. */
void fan_client_count_shed(fan_client *client, enum fan_drop drop, size_t bytes);

static inline uint32_t fan_client_frames(const fan_client *client) {
  return client->queue.count + (client->held ? client->held->count : 0);
}

#endif
