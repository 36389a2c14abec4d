#ifndef MODEL_PRIVATE_H
#define MODEL_PRIVATE_H
/*
 * The inside of the model, for model.c (a run), model_ops.c (what is done to the hub), model_said.c (frames, and who is meant by
 * them), model_stream.c (what a client must have got) and model_notices.c (what the hub tells).
 */
#include "core/hub_private.h"
#include "model.h"
#include "sink_script.h"

#define PEERS 20
#define ROOMS 24 /* numbers 1 .. ROOMS */
#define KEYS 5
#define OTHERS 16 /* frames to which somebody else holds a reference, too */

enum peer_state { NONE, OPENING, OPEN, DRAINING, DYING, DYING_QUIETLY };

typedef struct wanted {
  uint32_t number; /* of the frame */
  bool live;       /* given when it was sent; not: from the history */
} wanted;

typedef struct wants {
  wanted *items;
  uint32_t count, capacity;
} wants;

typedef struct peer {
  enum peer_state state;
  bool attached, gated;
  bool replayed; /* what was kept may be missing in its queue when it is cut */
  uint64_t id;
  bool in[ROOMS + 1];
  sink_script sink;
  wants wants;      /* what it must get, in this order */
  wants held;       /* what waits behind the gate */
  uint64_t forgone; /* what waited there when it was closed */
  uint64_t shed, shed_told_ms[FAN_DROP_COUNT];
  bool told_early; /* too early, unless it ended */
  bool reset_due;
} peer;

/* A frame that was made. Its text tells its number. */
typedef struct said {
  uint32_t size; /* of the body */
  uint8_t key;   /* 0: none */
  uint64_t seq;
  fan_target *target; /* if it is kept */
  bool tracked, told;
  uint32_t given,
      written; /* clients that were given it live, and those of them that have got all of it */
  uint32_t at; /* its place in the list of the peer that is looked at */
} said;

struct model {
  const uint8_t *bytes;
  size_t left;
  bool random;
  rng dice;
  fan_hub *hub;
  fan_limits limits;
  fan_history_limits history;
  bool keyed, exact; /* exact: nothing is ever dropped or replaced */
  bool starved;      /* at times there is no memory */
  bool silent;       /* somebody was killed quietly: what it lost is not told */
  uint64_t now_ms, last_id, ops, given, shed;
  unsigned released, cut, resets, replays;
  fan_buf *heartbeat, *others[OTHERS];
  peer peers[PEERS];
  said *said;
  uint32_t said_count, said_capacity;
  uint32_t *kept;         /* by seq - 1: the number of the frame */
  wants filed[ROOMS + 1]; /* by room: what was kept for it, ever */
  uint64_t seq, kept_capacity, tickets;
};

/* A choice. */
uint32_t draw(model *m, uint32_t below);

/* Around a call of the hub: between them an allocation may fail. Whoever was lost for that is swept with the second. */
void model_starve(model *m);
void model_feed(model *m);

static inline bool known(const peer *p) { return p->state >= OPENING && p->state <= DRAINING; }
static inline bool hears(const peer *p) { return p->state == OPENING || p->state == OPEN; }

/* One operation. */
void model_operate(model *m);
/* Time passes, clients are written to, notices are taken. */
void model_turn(model *m, uint64_t ms, uint32_t max_clients);

/* Makes a frame, and notes it; the caller gives the reference back. `target`: it is kept, for these. */
fan_buf *say(model *m, const fan_target *target, uint8_t key, bool tracked);
/* The body of a frame (as many bytes as it says) at `to`. */
void body_of(const model *m, uint32_t number, char *to);
/* Is it for this peer? By its rooms alone if `by_rooms`, as the history files it. */
bool meant(const peer *p, const fan_target *target, bool by_rooms);
/* The history's books agree with what was kept. */
void check_history(model *m);

void want_add(wants *list, uint32_t number, bool live);
void want_move(wants *to, wants *from);

/* Compares what the peer got with what it must get; `whole`: with all of it. Answers how many frames it has got. */
uint32_t check_stream(model *m, const peer *p, bool whole);
/* The same for the last time: the peer has ended, `dropped` of its events were told to be lost with it. */
void peer_ended(model *m, peer *p, bool whole, uint64_t dropped);
/* Frees what it has, without a look. */
void peer_free(peer *p);

void take_notices(model *m);

#endif
