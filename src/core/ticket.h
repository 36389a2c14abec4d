#ifndef FAN_TICKET_H
#define FAN_TICKET_H
/*
 * Somebody asked what becomes of a frame: a ticket counts the fates of its queued references, each exactly once. It is complete
 * when the fan-out is over and none is pending; then it leaves the frame and waits in a list for the one who asked.
 *
 *   fan_ticket_attach ---> fan_ticket_open ---> [ fan_ticket_owe ... fan_buf_settle ... ] fan_ticket_seal ---> complete
 *
 * A frame without a ticket pays one comparison per delivery.
 *
 * Thread: that of the frame. Owns: itself; the frame owns it until it is complete, then the list's owner does. Units: counts.
 */
#include "buf.h"
#include "list.h"

enum fan_fate {
  FAN_WRITTEN, /* the sink has taken all of it */
  FAN_DROPPED, /* a policy let go of it */
  FAN_CLOSED,  /* the client ended first */
  FAN_FATES
};

typedef struct fan_ticket {
  fan_list node; /* in *complete, then */
  fan_list *complete;
  fan_buf *frame; /* not a reference: pending ones keep it alive; NULL once complete */
  uint64_t id;
  uint32_t pending; /* references not yet settled, and one for the fan-out itself */
  uint32_t fates[FAN_FATES];
} fan_ticket;

/* Gives the frame a ticket, its first and only one. 0 or FAN_ENOMEM. */
int fan_ticket_attach(fan_buf *frame, uint64_t id);

/* Around its one fan-out; harmless for a frame without a ticket. Once it is complete the ticket is pushed to `complete`, whose
 * owner frees it with fan_free(); the list must not move meanwhile. */
void fan_ticket_open(fan_buf *frame, fan_list *complete);
void fan_ticket_seal(fan_buf *frame);

/* Slow halves of the two below. */
void fan_ticket_owe_one(fan_ticket *ticket);
void fan_ticket_settle_one(fan_ticket *ticket, enum fan_fate fate);

/* One more reference was queued. */
static inline void fan_buf_owe(fan_buf *frame) {
  if (frame->ticket) fan_ticket_owe_one(frame->ticket);
}

/* One queued reference has met its fate. Call it before giving the reference back. */
static inline void fan_buf_settle(fan_buf *frame, enum fan_fate fate) {
  if (frame->ticket) fan_ticket_settle_one(frame->ticket, fate);
}

#endif
