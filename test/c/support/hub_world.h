#ifndef HUB_WORLD_H
#define HUB_WORLD_H
/* A hub whose clients have scripted sinks. Events carry short data, so that a stream reads as a text. */
#include "core/hub.h"
#include "sink_script.h"

#define HUB_CLIENTS 64 /* ids 1 .. 63 */

typedef struct hub_world {
  fan_hub *hub;
  uint64_t now_ms, seq;
  sink_script sinks[HUB_CLIENTS]; /* by id; odd ones are raw */
  bool attached[HUB_CLIENTS];
} hub_world;

/* NULL: generous limits, no clocks. The time is 1000. */
void hub_init(hub_world *w, const fan_limits *limits);
/* The same, and a history with room for `events` of each room, for a minute. */
void hub_init_history(hub_world *w, const fan_limits *limits, uint32_t events);
void hub_deinit(hub_world *w); /* frees the hub; checks that every sink attached was closed once */

void hub_connect(hub_world *w, uint64_t id); /* without heartbeat; not attached */
void hub_attach(hub_world *w, uint64_t id);
void hub_open(hub_world *w, uint64_t first, uint64_t last); /* connect and attach */
/* The sink says "no more" at its next write. */
void hub_block(hub_world *w, uint64_t id);
void hub_unblock(hub_world *w, uint64_t id);

void hub_join(hub_world *w, uint64_t room, uint64_t first, uint64_t last);
/* An event for a target such as "r1 r2 c7 -r3 -c9" or "* -c4". Answers how many were given it. */
uint32_t hub_publish(hub_world *w, const char *target, const char *data);
/* What is special about an event. */
typedef struct hub_special {
  bool kept;
  const char *key; /* NULL: none */
  uint64_t ticket; /* 0: none */
} hub_special;
uint32_t hub_publish_as(hub_world *w, const char *target, const char *data, hub_special special);
/* Publishes one event of one letter after the other. */
void hub_publish_each(hub_world *w, const char *target, const char *letters, hub_special special);
#define hub_keep(w, target, letters)                                                               \
  hub_publish_each((w), (target), (letters), (hub_special){.kept = true})
/* The client says that it has everything up to the cursor; an event "R" would tell it of a reset. */
int hub_resume(hub_world *w, uint64_t id, uint64_t cursor, enum fan_otherwise otherwise);
void hub_send(hub_world *w, uint64_t id, const char *data);
/* Events of `size` bytes, to one client. */
void hub_send_sized(hub_world *w, uint64_t id, size_t size, unsigned count);

/* Turns until nobody is dirty any more (at the present time). */
void hub_settle(hub_world *w);
void hub_pass(hub_world *w, uint64_t ms);
/* Takes the next notice, which must be of this kind. */
fan_notice hub_notice(hub_world *w, enum fan_notice_kind kind);
/* Takes all notices; answers how many. */
unsigned hub_drop_notices(hub_world *w);

/* The data of all events that the client has received, one behind the other. Static; until the next call. */
const char *hub_received(hub_world *w, uint64_t id);

fan_target *target_of(const char *text);

#define CHECK_RECEIVED(w, id, want)                                                                \
  CHECK_BYTES(hub_received((w), (id)), strlen(hub_received((w), (id))), (want), strlen(want))

#endif
