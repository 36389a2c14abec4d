/* Clients that come back: what they missed reaches them from the history, paced by their socket, and in the turn in which nothing is
 * left they are ordinary members again. */

#include "client_private.h"
#include "err.h"
#include "hub_private.h"
#include "mem.h"

/* At most this much of the history waits in a queue, so that it need not be pinned; most of what is missed ever is less than that, and
 * is queued at once. */
#define REPLAY_BYTES ((size_t)1024 * 1024)
#define REPLAY_FRAMES 1024

void fan_slot_end_replay(fan_slot *slot) {
  if (!slot->replay) return;
  fan_replay_deinit(slot->replay);
  fan_free(slot->replay);
  slot->replay = NULL;
}

int fan_slot_joined(fan_hub *hub, fan_slot *slot, uint64_t room) {
  return slot->replay ? fan_replay_join(slot->replay, room, hub->clients.latest) : 0;
}

void fan_slot_left(fan_hub *hub, fan_slot *slot, uint64_t room) {
  if (slot->replay) fan_replay_leave(slot->replay, room, hub->clients.latest);
}

static fan_replay *new_replay(fan_hub *hub, fan_slot *slot, uint64_t cursor) {
  fan_replay *replay = fan_alloc(sizeof *replay);
  if (!replay) return NULL;
  fan_replay_init(replay, slot->id, cursor, hub->clients.latest);
  int error = fan_replay_join(replay, FAN_EVERYONE, cursor);
  for (uint32_t i = 0; i < slot->member.count && !error; i++)
    error = fan_replay_join(replay, slot->member.seats[i].room->number, cursor);
  if (!error) return replay;
  fan_replay_deinit(replay);
  fan_free(replay);
  return NULL;
}

/* What it missed is not there any more: it is told so, with an event whose id is a new cursor. */
static int reset(fan_hub *hub, fan_slot *slot, fan_buf *frame, bool gate) {
  if (frame && fan_client_push_private(&slot->client, frame) != FAN_QUEUED) return FAN_ENOMEM;
  if (gate && fan_client_gate(&slot->client) != 0) {
    fan_client_kill(&slot->client, FAN_ERROR);
    return FAN_ENOMEM;
  }
  hub->clients.stats.resets++;
  slot->was_reset = true;
  fan_client_mark_notice(&slot->client);
  return 0;
}

/* Then it is an ordinary member at once, whom a history that is too small for a burst costs nothing. */
static bool has_missed_nothing(const fan_hub *hub, fan_replay *replay) {
  return fan_replay_open(replay, &hub->history) == FAN_REPLAY_READY && !fan_replay_peek(replay);
}

/* Somebody is told, and has to go on with it. */
static int pause(fan_slot *slot) {
  if (fan_client_hold(&slot->client) != 0) {
    fan_client_kill(&slot->client, FAN_ERROR);
    return FAN_ENOMEM;
  }
  slot->client.paused = true;
  slot->was_reset = true;
  fan_client_mark_notice(&slot->client);
  return 0;
}

/* It will not be given more of what it missed; what waited for that is queued. */
static int give_up(fan_slot *slot) {
  if (!slot->replay) return 0;
  fan_slot_end_replay(slot);
  slot->client.paused = false;
  if (!slot->client.held) return 0; /* it had not begun */
  return fan_client_let_through(&slot->client, FAN_NEVER) ? 0 : FAN_ENOMEM;
}

static int impossible(fan_hub *hub, fan_slot *slot, fan_buf *frame, enum fan_otherwise otherwise) {
  if (otherwise == FAN_PAUSE && slot->replay) return pause(slot);
  int error = give_up(slot);
  return error ? error : reset(hub, slot, frame, otherwise == FAN_TELL_AND_GATE);
}

/* From here on the history alone gives it what it missed. */
static int replay(fan_hub *hub, fan_slot *slot) {
  fan_client *client = &slot->client;
  if (!client->held && has_missed_nothing(hub, slot->replay)) {
    fan_slot_end_replay(slot);
    return 0;
  }
  if (fan_client_hold(client) != 0) {
    fan_client_kill(client, FAN_ERROR);
    return FAN_ENOMEM;
  }
  slot->client.paused = false;
  hub->clients.stats.replays++;
  fan_client_mark_dirty(client);
  return 0;
}

int fan_hub_resume(fan_hub *hub, uint64_t id, uint64_t cursor, fan_buf *frame,
                   enum fan_otherwise otherwise) {
  fan_slot *slot = fan_hub_find(hub, id);
  if (!slot || slot->client.state >= FAN_DRAINING) return FAN_ENOTFOUND;
  if (slot->replay ? !slot->client.paused : slot->client.held != NULL) return FAN_EINVALID;
  if (frame) fan_buf_enter(frame, &hub->clients.ledger);
  if (cursor == FAN_NO_CURSOR) return impossible(hub, slot, frame, otherwise);
  fan_history_expire(&hub->history, hub->clients.now_ms);
  if (slot->replay) fan_replay_rebase(slot->replay, cursor);
  else slot->replay = new_replay(hub, slot, cursor);
  if (!slot->replay) {
    fan_client_kill(&slot->client, FAN_ERROR);
    return FAN_ENOMEM;
  }
  if (fan_replay_possible(slot->replay, &hub->history)) return replay(hub, slot);
  return impossible(hub, slot, frame, otherwise);
}

int fan_hub_replayed(fan_hub *hub, uint64_t id, fan_buf *frame) {
  fan_slot *slot = fan_hub_find(hub, id);
  if (!slot) return FAN_ENOTFOUND;
  fan_client_count_private(&slot->client, fan_buf_cost(frame));
  if (slot->client.state >= FAN_DRAINING || !slot->client.paused) return FAN_ENOTFOUND;
  fan_buf_enter(frame, &hub->clients.ledger);
  if (!fan_client_let_through(&slot->client, frame->seq)) return FAN_ENOMEM;
  if (slot->client.held->shifted == frame->seq)
    return 0; /* somebody asks after it: it was held for it */
  hub->clients.stats.replayed += fan_client_push_kept(&slot->client, frame) == FAN_QUEUED;
  return 0;
}

void fan_hub_restart_history(fan_hub *hub, uint64_t seq) {
  fan_history_restart(&hub->history, seq);
  hub->clients.latest = seq;
}

int fan_hub_gate(fan_hub *hub, uint64_t id) {
  fan_slot *slot = fan_hub_find(hub, id);
  if (!slot || slot->client.state >= FAN_DRAINING) return FAN_ENOTFOUND;
  if (slot->replay) return FAN_EINVALID;
  int error = fan_client_gate(&slot->client);
  if (error) fan_client_kill(&slot->client, FAN_ERROR);
  return error;
}

int fan_hub_ungate(fan_hub *hub, uint64_t id) {
  fan_slot *slot = fan_hub_find(hub, id);
  if (!slot) return FAN_ENOTFOUND;
  fan_client_ungate(&slot->client);
  return 0;
}

/* A frame that somebody still asks after is copied: the ticket counts the references of those it was sent to. */
static bool push_record(fan_hub *hub, fan_slot *slot, fan_record *record) {
  fan_buf *frame = record->frame->ticket ? fan_buf_copy(record->frame) : fan_buf_ref(record->frame);
  if (!frame) {
    fan_client_kill(&slot->client, FAN_ERROR);
    return false;
  }
  fan_buf_enter(frame, &hub->clients.ledger);
  bool pushed = fan_client_push_kept(&slot->client, frame) == FAN_QUEUED;
  hub->clients.stats.replayed += pushed;
  fan_buf_unref(frame);
  return pushed;
}

static bool has_room(const fan_hub *hub, const fan_client *client, const fan_buf *frame) {
  size_t half = hub->clients.limits.queue_bytes / 2;
  size_t most = half < REPLAY_BYTES ? half : REPLAY_BYTES;
  return fan_outq_empty(&client->queue) ||
         (client->queue.bytes + fan_buf_chunked(frame).size <= most &&
          client->queue.count < REPLAY_FRAMES);
}

/* Answers whether it has caught up. */
static bool refill(fan_hub *hub, fan_slot *slot) {
  fan_replay *replay = slot->replay;
  for (fan_record *record; (record = fan_replay_peek(replay)); fan_replay_advance(replay)) {
    const fan_buf *frame = record->frame;
    if (frame->tracked && frame->seq > replay->since) continue; /* it was held for it */
    if (!has_room(hub, &slot->client, frame)) return false;
    if (!fan_client_let_through(&slot->client, frame->seq)) return false;
    if (!push_record(hub, slot, record)) return false;
  }
  return true;
}

void fan_slot_refill(fan_hub *hub, fan_slot *slot) {
  fan_client *client = &slot->client;
  if (!slot->replay || !client->sink || client->state == FAN_DEAD) return;
  if (slot->client.paused) {
    if (client->state == FAN_DRAINING) (void)give_up(slot); /* nobody brings the rest any more */
    return;
  }
  if (client->blocked && !fan_outq_empty(&client->queue)) return;
  if (client->state == FAN_DRAINING) fan_replay_limit(slot->replay, client->last);
  switch (fan_replay_open(slot->replay, &hub->history)) {
  case FAN_REPLAY_READY:
    if (!refill(hub, slot)) return;
    break;
  case FAN_REPLAY_LOST:
    fan_client_kill(client, FAN_SLOW);
    return;
  case FAN_REPLAY_NOMEM:
    fan_client_kill(client, FAN_ERROR);
    return;
  }
  if (fan_client_let_through(client, FAN_NEVER)) fan_slot_end_replay(slot);
}
