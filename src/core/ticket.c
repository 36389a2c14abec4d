#include "ticket.h"

#include <assert.h>

#include "err.h"
#include "mem.h"

int fan_ticket_attach(fan_buf *frame, uint64_t id) {
  assert(!frame->tracked);
  fan_ticket *ticket = fan_alloc(sizeof *ticket);
  if (!ticket) return FAN_ENOMEM;
  *ticket = (fan_ticket){.frame = frame, .id = id};
  fan_list_init(&ticket->node);
  frame->ticket = ticket;
  frame->tracked = true;
  return 0;
}

void fan_ticket_open(fan_buf *frame, fan_list *complete) {
  fan_ticket *ticket = frame->ticket;
  if (!ticket) return;
  assert(!ticket->complete);
  ticket->complete = complete;
  ticket->pending = 1;
}

static void lower(fan_ticket *ticket) {
  assert(ticket->pending > 0);
  if (--ticket->pending > 0) return;
  ticket->frame->ticket = NULL;
  ticket->frame = NULL;
  fan_list_push(ticket->complete, &ticket->node);
}

void fan_ticket_seal(fan_buf *frame) {
  if (frame->ticket) lower(frame->ticket);
}

void fan_ticket_owe_one(fan_ticket *ticket) {
  assert(ticket->pending > 0); /* within the fan-out */
  ticket->pending++;
}

void fan_ticket_settle_one(fan_ticket *ticket, enum fan_fate fate) {
  ticket->fates[fate]++;
  lower(ticket);
}
