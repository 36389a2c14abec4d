/* What the hub tells, compared with what the model knows. */
#include "check.h"
#include "model_private.h"

static peer *peer_of(model *m, uint64_t id) {
  for (int i = 0; i < PEERS; i++)
    if (m->peers[i].state != NONE && m->peers[i].id == id) return &m->peers[i];
  return NULL;
}

static void take_drop(model *m, peer *p, const fan_notice *notice) {
  uint64_t *told = &p->shed_told_ms[notice->drop];
  CHECK(notice->dropped_events > 0 && notice->dropped_bytes >= notice->dropped_events);
  CHECK(notice->drop == FAN_DROP_REPLACED
            ? m->keyed
            : notice->drop == (m->limits.overflow == FAN_OVERFLOW_DROP_OLDEST ? FAN_DROP_OLDEST
                                                                              : FAN_DROP_NEWEST));
  if (*told && m->now_ms - *told < FAN_SHED_MS) p->told_early = true;
  *told = m->now_ms;
  p->shed += notice->dropped_events;
  m->shed += notice->dropped_events;
}

static void take_end(model *m, peer *p, const fan_notice *notice) {
  bool whole = notice->kind == FAN_NOTICE_RELEASED;
  CHECK(!whole || p->state == DRAINING);
  CHECK(notice->reason < FAN_REASON_COUNT);
  if (p->attached) CHECK_EQ(p->sink.how, whole ? FAN_SINK_RELEASE : FAN_SINK_EVICT);
  m->released += whole;
  m->cut += !whole;
  peer_ended(m, p, whole, notice->dropped_events);
}

/* Each reference has met its fate once. Whether it was written is compared when all streams are read. */
static void take_delivered(model *m, const fan_notice *notice) {
  if (!CHECK(notice->id < m->said_count)) return;
  said *s = &m->said[notice->id];
  CHECK(s->tracked && !s->told);
  CHECK_EQ(notice->written + notice->dropped + notice->closed, s->given);
  if (m->exact) CHECK_EQ(notice->dropped, 0);
  s->told = true;
  s->given = (uint32_t)notice->written;
  m->tickets--;
}

static void take(model *m, const fan_notice *notice) {
  if (notice->kind == FAN_NOTICE_DELIVERED) {
    take_delivered(m, notice);
    return;
  }
  if (notice->kind == FAN_NOTICE_FORGOTTEN) {
    CHECK(notice->id >= 1 && notice->id <= ROOMS && notice->last <= m->seq);
    return;
  }
  peer *p = peer_of(m, notice->id);
  if (!CHECK(p != NULL && p->state != DYING_QUIETLY)) return;
  switch (notice->kind) {
  case FAN_NOTICE_DROP:
    take_drop(m, p, notice);
    break;
  case FAN_NOTICE_RESET:
    CHECK(p->reset_due);
    p->reset_due = false;
    break;
  case FAN_NOTICE_REPORT:
    break;
  default:
    take_end(m, p, notice);
  }
}

void take_notices(model *m) {
  for (fan_notice notice; fan_hub_next_notice(m->hub, &notice);) take(m, &notice);
  for (int i = 0; i < PEERS; i++) {
    peer *p = &m->peers[i];
    if (p->state == DYING_QUIETLY) peer_ended(m, p, false, 0);
    CHECK(!p->told_early && !p->reset_due);
  }
}
