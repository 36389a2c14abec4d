#include "clock.h"
#include "port_private.h"

#define SPARE_BYTES 256 /* the hub's heartbeat is held, too */
#define BULK_BYTES ((size_t)1024 * 1024)

fan_port *fan_port_new(uint64_t id, const fan_limits *limits, const fan_history_limits *history,
                       fan_buf *heartbeat) {
  fan_port *port = fan_zalloc(sizeof *port);
  if (!port) return NULL;
  port->hub = fan_hub_new(limits, history, fan_clock_ms());
  if (!port->hub) {
    fan_free(port);
    return NULL;
  }
  fan_list_init(&port->node);
  port->id = id;
  port->heartbeat = heartbeat;
  port->total_bytes = limits->total_bytes;
  port->bulk_bytes = limits->queue_bytes / 4 < BULK_BYTES ? limits->queue_bytes / 4 : BULK_BYTES;
  atomic_init(&port->held_bytes, 0);
  atomic_init(&port->taken_bytes, 0);
  return port;
}

void fan_port_shut(fan_port *port) {
  if (!port->hub) return;
  fan_hub_end(port->hub);
  fan_buf_unref(port->heartbeat);
  port->heartbeat = NULL;
  port->stats = *fan_hub_stats(port->hub);
  fan_hub_free(port->hub);
  port->hub = NULL;
  atomic_store_explicit(&port->held_bytes, 0, memory_order_relaxed);
}

void fan_port_free(fan_port *port) {
  if (!port) return;
  fan_port_shut(port);
  fan_free(port);
}

size_t fan_port_inbox_bytes(const fan_port *port) {
  return (size_t)(port->posted_bytes -
                  atomic_load_explicit(&port->taken_bytes, memory_order_acquire));
}

size_t fan_port_live_bytes(const fan_port *port) {
  size_t inbox = fan_port_inbox_bytes(port);
  return inbox + atomic_load_explicit(&port->held_bytes, memory_order_relaxed);
}

int fan_port_admit(const fan_port *port, size_t bytes) {
  /* Queues may pin half of the budget: a frame beyond that would end even a reader that waits for nothing else. */
  if (bytes + SPARE_BYTES > port->total_bytes / 2) return FAN_ETOOLARGE;
  if (fan_port_inbox_bytes(port) > port->total_bytes / 2) return FAN_EFULL;
  return fan_port_live_bytes(port) + bytes > port->total_bytes ? FAN_EFULL : 0;
}

void fan_port_stats(const fan_port *port, fan_stats *stats) { *stats = port->stats; }
