#ifndef FAN_INBOX_H
#define FAN_INBOX_H
/*
 * Commands on their way from the JavaScript thread to the loop, in order. The poster gathers them in a batch of its own,
 * without a lock; a full batch, or the end of the present synchronous stretch of JavaScript, hands it over.
 *
 *   JavaScript:  open batch --post--> | mutex | list of batches | --take--> loop
 *
 * The mutex is held for a few pointer moves only and never together with another one.
 *
 * Thread: fan_inbox_add and fan_inbox_post: the poster's. fan_inbox_take and fan_inbox_sleep: the loop's.
 * Owns: the batches, and what their commands own until they are taken. Units: bytes.
 */
#include <pthread.h>
#include <stdbool.h>

#include "../core/fan.h"

struct fan_port;

/* Client ids are unique in the whole loop, over all ports. Nothing may be posted for a port behind its FREE. */
enum fan_op {
  FAN_OP_OPEN = 1, /* port: the loop takes its hub over */
  FAN_OP_SHUT,     /* port: its hub is freed; who is left is evicted without notice */
  FAN_OP_FREE,     /* port: the same, and the port itself is freed */
  FAN_OP_CONNECT, /* port, client, number (heartbeat ms), frame (its own heartbeat, or NULL: the port's), lifetime_ms */
  FAN_OP_JOIN,    /* port, client, number (room) */
  FAN_OP_LEAVE,   /* port, client, number (room) */
  FAN_OP_ATTACH,  /* port, client, sink */
  FAN_OP_DETACH,  /* port, client: its socket becomes the loop's alone; a notice follows */
  FAN_OP_RESUME, /* port, client, number (cursor), frame (told when that is impossible), otherwise (what is done then) */
  FAN_OP_REPLAYED, /* port, client, frame */
  FAN_OP_RESTART,  /* port, number (what was sent up to there can't be replayed) */
  FAN_OP_GATE,     /* port, client */
  FAN_OP_UNGATE,   /* port, client */
  FAN_OP_SEND,     /* port, client, frame */
  FAN_OP_PUBLISH,  /* port, frame, target (NULL: the one room `number`) */
  FAN_OP_CREDIT,   /* port, client, number (bytes that JavaScript has written on) */
  FAN_OP_CLOSE,    /* port, client, reason */
  FAN_OP_KILL,     /* port, client, reason: no notice follows */
  FAN_OP_EVICT,    /* the same, and a notice follows */
};

typedef struct fan_command {
  uint8_t op;        /* enum fan_op */
  uint8_t reason;    /* enum fan_reason */
  bool bulk;         /* part of a large stretch: may be paced, see fan_hub_wait() */
  uint8_t otherwise; /* enum fan_otherwise */
  struct fan_port *port;
  uint64_t client;
  uint64_t number;
  fan_buf *frame; /* owned by the command */
  union {
    fan_target *target; /* owned by the command */
    fan_sink *sink;     /* owned by the command */
    uint64_t lifetime_ms;
  };
} fan_command;

#define FAN_BATCH_COMMANDS 256
#define FAN_BATCH_BYTES (256 * 1024)

typedef struct fan_batch {
  struct fan_batch *next;
  uint32_t count;
  size_t bytes; /* cost of the frames in it */
  fan_command commands[FAN_BATCH_COMMANDS];
} fan_batch;

/* A batch that is through goes back the way it came: spent (the loop) -> spare -> fresh (the poster). So stretch after stretch
 * allocates nothing. */
typedef struct fan_inbox {
  fan_batch *open, *fresh; /* the poster's alone */
  fan_batch *spent;        /* the loop's alone */
  pthread_mutex_t mutex;
  /* under the mutex */
  fan_batch *spare;
  fan_batch *first, *last;
  bool sleeping;     /* the loop waits: the next post has to wake it */
  bool stretch_open; /* what was posted last came before the end of its stretch */
} fan_inbox;

int fan_inbox_init(fan_inbox *inbox); /* 0 or FAN_EIO */
/* The lists must be empty: take and free what is left first. */
void fan_inbox_deinit(fan_inbox *inbox);

/* Takes the command. Answers 1 when the batch is full and should be posted, 0, or FAN_ENOMEM (nothing taken). */
int fan_inbox_add(fan_inbox *inbox, const fan_command *command);

/* Hands the open batch over, if there is one. Answers true when the loop has to be woken. */
bool fan_inbox_post(fan_inbox *inbox, bool end_of_stretch);

/* All that was posted, in order, or NULL. The caller gives each batch back, or frees it. */
fan_batch *fan_inbox_take(fan_inbox *inbox, bool *stretch_open);

/* Takes the batch, which the loop is through with, for the poster to use again; frees it if there is one already. Loop only. */
void fan_inbox_give_back(fan_inbox *inbox, fan_batch *batch);

/* About to wait: answers false when something has been posted meanwhile. */
bool fan_inbox_sleep(fan_inbox *inbox);

#endif
