#ifndef CLIENT_WORLD_H
#define CLIENT_WORLD_H
/* One client with a scripted sink and no hub: the turn of a hub in ten lines, for tests of client.h. */
#include "core/client.h"
#include "sink_script.h"

typedef struct client_world {
  fan_clients clients;
  fan_client client;
  sink_script sink;
  fan_buf *heartbeat; /* a comment; config.heartbeat may be another */
  bool ended;
} client_world;

/* NULL: generous limits; no clocks. The time is 1000. The client is OPENING. */
void world_init(client_world *world, const fan_limits *limits, const fan_client_config *config);
/* The same, with a heartbeat comment every `heartbeat_ms` and the sink attached and flushed once. */
void world_open(client_world *world, const fan_limits *limits, uint32_t heartbeat_ms);
void world_attach(client_world *world);
/* `closed`: how often the sink must have been closed by now. Else it is closed here. */
void world_deinit(client_world *world, unsigned closed);

/* Timers, one flush if it is due, the sweep. */
void world_turn(client_world *world, uint64_t now_ms);
/* Turns at the same time until the client is not dirty any more. */
void world_settle(client_world *world);
/* The sink has room again. */
void world_writable(client_world *world);
/* Pushes `count` events whose raw slices are `size` bytes long. */
void world_push(client_world *world, size_t size, unsigned count);

#endif
