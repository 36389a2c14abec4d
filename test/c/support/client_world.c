#include "client_world.h"

#include "check.h"
#include "frames.h"

static const fan_limits generous = {.queue_bytes = 1 << 20, .total_bytes = 64 << 20};

void world_init(client_world *world, const fan_limits *limits, const fan_client_config *config) {
  *world = (client_world){.ended = false};
  fan_client_config none = {0};
  sink_script_init(&world->sink, true);
  fan_clients_init(&world->clients, limits ? limits : &generous, 1000);
  fan_client_init(&world->client, &world->clients, config ? config : &none);
}

void world_attach(client_world *world) {
  CHECK_EQ(fan_client_attach(&world->client, &world->sink.sink), 0);
}

void world_open(client_world *world, const fan_limits *limits, uint32_t heartbeat_ms) {
  fan_buf *beat = frame_heartbeat(false);
  world_init(world, limits, &(fan_client_config){heartbeat_ms, beat, 0});
  world->heartbeat = beat;
  world_attach(world);
  world_turn(world, 1000);
}

void world_deinit(client_world *world, unsigned closed) {
  CHECK_EQ(world->sink.closed, closed);
  fan_client_kill(&world->client, FAN_SHUTDOWN);
  world_turn(world, world->clients.now_ms);
  CHECK(world->ended);
  sink_script_deinit(&world->sink, world->client.state == FAN_DEAD && world->sink.closed ? 1 : 0);
  fan_client_deinit(&world->client);
  fan_buf_unref(world->heartbeat);
  CHECK(fan_list_empty(&world->clients.dirty) && fan_list_empty(&world->clients.behind));
  CHECK(fan_list_empty(&world->clients.notices) && fan_list_empty(&world->clients.dead));
  CHECK_EQ(fan_wheel_due_ms(&world->clients.wheel), FAN_NEVER);
}

static void sweep(client_world *world) {
  fan_client *client = &world->client;
  if (!fan_list_shift(&world->clients.dead)) return;
  CHECK_EQ(client->state, FAN_DEAD);
  world->ended = true;
  if (!client->sink) return;
  client->sink->ops->close(client->sink, client->released ? FAN_SINK_RELEASE : FAN_SINK_EVICT);
  client->sink = NULL;
}

void world_turn(client_world *world, uint64_t now_ms) {
  fan_clients *clients = &world->clients;
  clients->now_ms = now_ms;
  fan_wheel_advance(&clients->wheel, now_ms);
  for (fan_timer *timer; (timer = fan_wheel_next(&clients->wheel));)
    fan_client_on_timer(fan_list_entry(timer, fan_client, timer));
  if (now_ms >= clients->flush_due_ms) {
    bool dirty = fan_list_shift(&clients->dirty) != NULL;
    if (dirty) fan_client_flush(&world->client);
    clients->flush_due_ms = fan_list_empty(&clients->dirty) ? FAN_NEVER : now_ms;
  }
  sweep(world);
}

void world_settle(client_world *world) {
  for (int i = 0; i < 1000 && !fan_list_empty(&world->clients.dirty); i++)
    world_turn(world, world->clients.now_ms);
  CHECK(fan_list_empty(&world->clients.dirty));
}

void world_writable(client_world *world) {
  sink_script_room(&world->sink);
  fan_client_writable(&world->client);
}

void world_push(client_world *world, size_t size, unsigned count) {
  for (unsigned i = 0; i < count; i++) {
    fan_buf *frame = frame_sized(size, i);
    fan_client_push(&world->client, frame);
    fan_buf_unref(frame);
  }
}
