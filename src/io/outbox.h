#ifndef FAN_OUTBOX_H
#define FAN_OUTBOX_H
/*
 * Notices on their way from the loop to the JavaScript thread, in order: two arrays that change places. The first notice
 * after a take wakes JavaScript, once per batch.
 *
 * Thread: fan_outbox_push, _reserve and _post: the loop's; fan_outbox_take: the JavaScript thread's.
 * Owns: the notices and, until they are taken, the bytes of relay notices. Units: bytes.
 */
#include <pthread.h>
#include <stdbool.h>

#include "../core/fan.h"

/* Beyond the notices of core (enum fan_notice_kind). */
#define FAN_NOTICE_RELAY                                                                           \
  4 /* `data` (freed by the taker with fan_free) is to be written by JavaScript */

#define FAN_NOTICE_DETACHED 9 /* the connection is the loop's alone: Node is to let go of it */

typedef struct fan_letter {
  uint8_t kind;
  uint8_t reason; /* enum fan_reason; FAN_NOTICE_DROP: enum fan_drop */
  uint64_t
      id; /* the client; FAN_NOTICE_DELIVERED: the ticket; FAN_NOTICE_FORGOTTEN: the port's id */
  uint64_t numbers
      [3]; /* those of the notice, in the order in which fan_notice has them; FAN_NOTICE_FORGOTTEN: room, last */
  void *data;
  size_t size;
} fan_letter;

typedef struct fan_letters {
  fan_letter *items;
  size_t count, capacity;
} fan_letters;

typedef struct fan_outbox {
  fan_letters writing; /* the loop's alone, like the next */
  size_t promised;     /* pushes that are still to come and must find room */
  pthread_mutex_t mutex;
  fan_letters posted;  /* under the mutex */
  fan_letters reading; /* the taker's alone */
} fan_outbox;

int fan_outbox_init(fan_outbox *outbox); /* 0 or FAN_EIO */
void fan_outbox_deinit(fan_outbox *outbox);

/* Makes sure that the next push cannot fail. False: no memory now. */
bool fan_outbox_reserve(fan_outbox *outbox);
void fan_outbox_push(fan_outbox *outbox, const fan_letter *letter);

/* The same for a push later in this turn, whatever is pushed before it. False: no memory now. */
bool fan_outbox_promise(fan_outbox *outbox);
/* Takes a promise back: its push is next, or will not come. */
void fan_outbox_redeem(fan_outbox *outbox);

/* Makes what was pushed visible; no promise may be open. Answers true when JavaScript has to be woken. */
bool fan_outbox_post(fan_outbox *outbox);

/* What was posted since the last take. The array is valid until the next one. */
const fan_letters *fan_outbox_take(fan_outbox *outbox);

#endif
