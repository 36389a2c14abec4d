#ifndef FAN_HUB_H
#define FAN_HUB_H
/*
 * The client-connection manager: clients by id, rooms, fan-out, and the turn in which queued frames leave. It
 * is the only place where a client and its memberships meet. It has no thread, clock or socket: time is
 * what fan_hub_turn() was told, bytes leave through sinks.
 *
 * Thread: the loop that owns the hub. Owns: its clients (and through them their sinks and queues) and rooms.
 * Units: bytes, ms. Ids and room numbers are chosen by the caller and never used twice, so that a late
 * command for something that has ended finds nothing and harms nobody.
 *
 * Unless said otherwise functions answer 0 or FAN_ENOTFOUND (no such client, or it has ended already).
 */
#include "client.h"
#include "history.h"
#include "target.h"

typedef struct fan_hub fan_hub;

enum fan_notice_kind {
  FAN_NOTICE_EVICTED = 1,  /* the client was cut: `reason`, and what it did not get */
  FAN_NOTICE_RELEASED = 2, /* the client's queue has drained and its sink is given back: `reason` */
  FAN_NOTICE_REPORT = 3,   /* `queued_bytes` wait; `private_bytes` had been taken in */
  /* 4 and 9: see io/outbox.h */
  FAN_NOTICE_DROP =
      5, /* the client lives, but `drop` has cost it events since the last such notice */
  FAN_NOTICE_RESET = 6,     /* what the client missed is not kept any more, and it was told so */
  FAN_NOTICE_DELIVERED = 7, /* `id` is a ticket's: every reference of its frame has met its fate */
  FAN_NOTICE_FORGOTTEN =
      8, /* `id` is a room's: nothing is known of it any more; `last` concerned it last */
};

typedef struct fan_notice {
  enum fan_notice_kind kind;
  enum fan_reason reason;
  enum fan_drop drop;
  uint64_t id; /* the client's, unless said otherwise */
  union {
    uint64_t numbers[3];
    struct {
      uint64_t queued_bytes, private_bytes;
    };
    struct {
      uint64_t dropped_bytes, dropped_events;
    };
    struct {
      uint64_t written, dropped, closed;
    };
    uint64_t last;
  };
} fan_notice;

/* NULL: out of memory. history NULL: none is kept. */
fan_hub *fan_hub_new(const fan_limits *limits, const fan_history_limits *history, uint64_t now_ms);
/* Evicts whoever is left, without notices: all sinks are closed, all counters final. */
void fan_hub_end(fan_hub *hub);
/* The same, and frees the hub. No frame that it has seen may be held by others any more. NULL is fine. */
void fan_hub_free(fan_hub *hub);

/* A new client without sink. 0, FAN_EEXISTS, FAN_ENOMEM. */
int fan_hub_connect(fan_hub *hub, uint64_t client, const fan_client_config *config);
/* Is there a client with that id, and has it not ended? */
bool fan_hub_has(fan_hub *hub, uint64_t client);
/* Takes the sink on success; on FAN_ENOTFOUND or FAN_EINVALID (it has one) the caller still has it. */
int fan_hub_attach(fan_hub *hub, uint64_t client, fan_sink *sink);

/* 0, FAN_ENOTFOUND, FAN_EEXISTS, FAN_ENOMEM. */
int fan_hub_join(fan_hub *hub, uint64_t client, uint64_t room);
int fan_hub_leave(fan_hub *hub, uint64_t client, uint64_t room);

#define FAN_NO_CURSOR UINT64_MAX

/* What becomes of a client that the history can't give what it missed. A notice follows in any case. */
enum fan_otherwise {
  FAN_TELL,          /* it is told so */
  FAN_TELL_AND_GATE, /* the same, and the gate is closed behind that */
  FAN_PAUSE, /* it goes on catching up, with what fan_hub_replayed() brings, until the next fan_hub_resume() */
};

/* The client comes back and has everything up to `cursor` (FAN_NO_CURSOR: it says something that can't be used): what it missed in
 * its present rooms reaches it from the history as its socket takes it, in order with what is new. If that is impossible, `frame`
 * (NULL: none) may tell it. A cursor beyond the latest number is one of those that are impossible now, unless the client is paused: then
 * nothing up to there is still to be published. 0, FAN_ENOTFOUND, FAN_EINVALID (it is catching up and not paused, or gated),
 * FAN_ENOMEM (it has been killed). */
int fan_hub_resume(fan_hub *hub, uint64_t client, uint64_t cursor, fan_buf *frame,
                   enum fan_otherwise otherwise);
/* Queues a kept event (frame->seq, rising) that a paused client missed. FAN_ENOTFOUND: it is not paused, or has ended. */
int fan_hub_replayed(fan_hub *hub, uint64_t client, fan_buf *frame);

/* Whatever was sent up to `seq` can't be replayed here: it never came here, or there is a gap before it. The next number is larger. */
void fan_hub_restart_history(fan_hub *hub, uint64_t seq);

/* Closes the gate: only frames of fan_hub_send() pass, everything else waits behind it; opens it. FAN_EINVALID: it is catching up. */
int fan_hub_gate(fan_hub *hub, uint64_t client);
int fan_hub_ungate(fan_hub *hub, uint64_t client);

/* Queues the frame for one client; adds a reference. */
int fan_hub_send(fan_hub *hub, uint64_t client, fan_buf *frame);
/* Queues the frame for all whom the target means; adds references. A frame with a number (frame->seq, rising) is kept in the history,
 * too, for those who come back. Answers how many clients it is for, those included who end because they can't be given it. Cost: O(members of the rooms named). */
uint32_t fan_hub_publish(fan_hub *hub, const fan_target *target, fan_buf *frame);

/* Graceful: what is queued is still written, then the sink is released. */
int fan_hub_close_client(fan_hub *hub, uint64_t client, enum fan_reason reason);
/* At once. `quiet`: no notice. */
int fan_hub_kill_client(fan_hub *hub, uint64_t client, enum fan_reason reason, bool quiet);

/* What sinks' owners report; see client.h. */
int fan_hub_progress(fan_hub *hub, uint64_t client);
int fan_hub_writable(fan_hub *hub, uint64_t client);
int fan_hub_broken(fan_hub *hub, uint64_t client, int error);

/* Lets time pass to now_ms (never backwards) without writing; call it before commands of a new turn. */
void fan_hub_set_time(fan_hub *hub, uint64_t now_ms);

/* One turn: timers, then at most max_clients dirty clients are written and judged, then the dead are swept. Answers
 * true while more could be written at once (call again; in between look at other work). */
bool fan_hub_turn(fan_hub *hub, uint64_t now_ms, uint32_t max_clients);

/* The next notice; false: none is left. An ended client is freed by the call that reports it. */
bool fan_hub_next_notice(fan_hub *hub, fan_notice *notice);

/* When the next turn has to be at the latest; FAN_NEVER: when something happens. */
uint64_t fan_hub_due_ms(const fan_hub *hub);

/* Should the caller hold back a frame of next_bytes, because readers that are alive are too far behind? See fan_clients_wait(). */
bool fan_hub_wait(fan_hub *hub, uint64_t since_ms, size_t next_bytes);

/* Memory of all frames that the hub holds, each once. */
size_t fan_hub_held_bytes(const fan_hub *hub);

/* Up to date as of the last turn. Valid while the hub lives. */
const fan_stats *fan_hub_stats(fan_hub *hub);

#endif
