/* A run: its limits, its operations, what must hold in between and in the end. */
#include "model.h"

#include "check.h"
#include "core/mem.h"
#include "frames.h"
#include "invariants.h"
#include "mem_fail.h"
#include "model_private.h"

uint32_t draw(model *m, uint32_t below) {
  if (m->random) return rng_below(&m->dice, below);
  if (!m->left) return 0;
  m->left--;
  return *m->bytes++ % below;
}

static void choose_limits(model *m) {
  m->limits = (fan_limits){.queue_bytes = 4000,
                           .total_bytes = draw(m, 4) ? 60000 : 20000,
                           .stall_ms = 3000,
                           .batch_ms = draw(m, 2) ? 0 : 30,
                           .overflow = (enum fan_overflow)(draw(m, 6) % 4 % 3)};
  m->history = (fan_history_limits){.events = draw(m, 8) ? 1 + draw(m, 40) : 0,
                                    .bytes = 3000 + draw(m, 250) * 200,
                                    .age_ms = 500 + draw(m, 250) * 80};
  m->keyed = draw(m, 3) == 0;
  m->starved = draw(m, 3) == 0;
  m->exact = !m->keyed && m->limits.overflow == FAN_OVERFLOW_DISCONNECT;
}

void model_starve(model *m) {
  if (m->starved && draw(m, 12) == 0) mem_fail_at(1 + draw(m, 4), draw(m, 4) == 0);
}

void model_feed(model *m) {
  bool lost = m->starved && mem_fail_happened();
  mem_fail_at(0, false);
  if (lost) model_turn(m, 0, 0);
}

model *model_new(const uint8_t *bytes, size_t size, uint64_t seed) {
  model *m = calloc(1, sizeof *m);
  if (!m) abort();
  m->bytes = bytes;
  m->left = size;
  m->random = !bytes;
  m->now_ms = 1000;
  rng_init(&m->dice, seed);
  choose_limits(m);
  m->hub = fan_hub_new(&m->limits, &m->history, m->now_ms);
  m->heartbeat = frame_heartbeat(false);
  return m;
}

bool model_step(model *m) {
  if (!m->random && !m->left) return false;
  m->ops++;
  model_operate(m);
  return true;
}

void model_turn(model *m, uint64_t ms, uint32_t max_clients) {
  m->now_ms += ms;
  fan_hub_turn(m->hub, m->now_ms, max_clients);
  take_notices(m);
}

void model_check(model *m) {
  uint64_t pairs = 0;
  fan_buf *others[OTHERS + 1];
  for (int i = 0; i < OTHERS; i++) others[i] = m->others[i];
  others[OTHERS] = m->heartbeat;
  check_invariants(m->hub, others, OTHERS + 1);
  if (!m->starved) check_history(m); /* else it may have had to refuse some */
  for (int i = 0; i < PEERS; i++)
    for (int room = 1; room <= ROOMS && m->peers[i].state != NONE; room++)
      pairs += m->peers[i].in[room];
  CHECK_EQ(fan_hub_stats(m->hub)->memberships, pairs);
}

/* Everybody reads whatever there is, for long enough that all drops are told, too. */
static void let_all_read(model *m) {
  for (int i = 0; i < PEERS; i++) {
    peer *p = &m->peers[i];
    if (known(p)) (void)fan_hub_ungate(m->hub, p->id);
    want_move(&p->wants, &p->held);
    p->gated = false;
  }
  for (int round = 0; round < 50; round++) {
    for (int i = 0; i < PEERS; i++) {
      peer *p = &m->peers[i];
      p->sink.dice = NULL;
      p->sink.count = p->sink.next = 0;
      sink_script_room(&p->sink);
      if (known(p)) fan_hub_writable(m->hub, p->id);
    }
    model_turn(m, 30, 1000);
  }
}

static void check_all(model *m) {
  for (int i = 0; i < PEERS; i++) {
    const peer *p = &m->peers[i];
    if (!p->attached) continue;
    CHECK(!fan_hub_find(m->hub, p->id)->replay);
    CHECK_EQ(check_stream(m, p, true) + p->shed, p->wants.count);
  }
}

/* Who asked after a frame has been told, and what was told to be written was. */
static void check_tickets(const model *m) {
  CHECK_EQ(m->tickets, 0);
  for (uint32_t i = 0; i < m->said_count; i++)
    if (m->said[i].tracked) CHECK_EQ(m->said[i].given, m->said[i].written);
}

static void end_all(model *m) {
  const fan_stats *stats = fan_hub_stats(m->hub);
  uint64_t shed = 0;
  for (int i = 0; i < PEERS; i++) {
    peer *p = &m->peers[i];
    if (!known(p)) continue;
    p->state = DYING;
    fan_hub_kill_client(m->hub, p->id, FAN_SHUTDOWN, false);
  }
  model_turn(m, 0, 1000);
  for (int i = 0; i < FAN_DROP_COUNT; i++) shed += stats->shed_events[i];
  if (m->silent) CHECK(m->shed <= shed);
  else CHECK_EQ(m->shed, shed);
}

static void tell(const model *m) {
  const fan_stats *stats = fan_hub_stats(m->hub);
  printf("  %llu operations, %llu deliveries, %u released, %u cut (%u slow, %u stalled)\n"
         "  %u replays, %u resets, %llu dropped\n",
         (unsigned long long)m->ops, (unsigned long long)m->given, m->released, m->cut,
         (unsigned)stats->ended[FAN_SLOW], (unsigned)stats->ended[FAN_STALLED], m->replays,
         m->resets, (unsigned long long)m->shed);
}

void model_free(model *m, bool verbose) {
  let_all_read(m);
  model_check(m);
  check_all(m);
  end_all(m);
  if (!check_failing()) check_tickets(m);
  if (verbose) tell(m);
  for (int i = 0; i < OTHERS; i++) fan_buf_unref(m->others[i]);
  fan_buf_unref(m->heartbeat);
  fan_hub_free(m->hub);
  for (int i = 0; i < PEERS; i++) peer_free(&m->peers[i]);
  for (uint32_t i = 0; i < m->said_count; i++) fan_free(m->said[i].target);
  for (int room = 0; room <= ROOMS; room++) free(m->filed[room].items);
  free(m->said);
  free(m->kept);
  free(m);
}
