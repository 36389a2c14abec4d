#ifndef FAN_WIRE_H
#define FAN_WIRE_H
/*
 * What the sinks of io/ have in common: a sink is found by its client's id (events and credit arrive by id) as long as it is
 * attached, and takes itself out of the table when it is closed, whoever closes it.
 *
 * Thread: loop only. Owns: nothing. Units: none.
 */
#include "../core/fan.h"
#include "../core/map.h"

struct fan_port;

typedef struct fan_wire {
  fan_sink base;  /* first: a fan_sink of io/ is a fan_wire */
  fan_map *table; /* NULL until it is entered */
  struct fan_port *port;
  uint64_t client;
} fan_wire;

static inline fan_wire *fan_wire_of(fan_sink *sink) { return (fan_wire *)sink; }

/* 0 or FAN_ENOMEM. The table must outlive the wire. */
static inline int fan_wire_enter(fan_wire *wire, fan_map *table, struct fan_port *port,
                                 uint64_t client) {
  int error = fan_map_set(table, client, wire);
  if (error) return error;
  wire->table = table;
  wire->port = port;
  wire->client = client;
  return 0;
}

static inline void fan_wire_remove(fan_wire *wire) {
  if (wire->table) fan_map_remove(wire->table, wire->client);
  wire->table = NULL;
}

#endif
