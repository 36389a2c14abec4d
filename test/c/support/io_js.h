#ifndef IO_JS_H
#define IO_JS_H
/*
 * What surrounds a loop in io tests: the test plays JavaScript. It posts commands, ends its stretch with js_flush(), and
 * waits for the bell that rings when letters have come. Nothing sleeps: what is awaited is an event, for NET_PATIENCE_MS.
 */
#include <stdbool.h>
#include <stdint.h>

#include "check.h"
#include "frames.h"
#include "io/loop.h"
#include "io_net.h"

/* RUN for tests with threads: an allocator that any thread may use, and at the end neither a block nor a descriptor may be
 * left; a test that hangs is ended. */
#define IO_RUN(test) io_run(#test, (test))
void io_run(const char *name, void (*test)(void));
/* The n-th allocation from now on fails, and all later ones; 0: none any more. */
void io_fail_allocations(long n);

typedef struct js_side {
  fan_loop *loop;
  int bell[2];
  fan_letter *letters; /* taken from the loop, not yet asked for */
  size_t count, capacity;
} js_side;

void js_init(js_side *js);  /* a loop that does not run yet */
void js_begin(js_side *js); /* one that does */
void js_end(js_side *js);   /* stops and frees it */

fan_limits js_limits(void); /* generous, no clocks */
fan_port *js_open(js_side *js, const fan_limits *limits);
void js_free(js_side *js, fan_port *port); /* posts FAN_OP_FREE */

/* Posting. Ids are never used twice. A frame is given away. `room` 0: none. */
uint64_t js_connect(js_side *js, fan_port *port, uint64_t room);
uint64_t js_connect_with(js_side *js, fan_port *port, uint64_t room, uint32_t heartbeat_ms,
                         fan_buf *heartbeat);
void js_attach(js_side *js, fan_port *port, uint64_t client, int fd, bool raw);
void js_attach_relay(js_side *js, fan_port *port, uint64_t client);
void js_publish(js_side *js, fan_port *port, uint64_t room, fan_buf *frame);
void js_send(js_side *js, fan_port *port, uint64_t client, fan_buf *frame);
void js_credit(js_side *js, fan_port *port, uint64_t client, size_t bytes);
void js_end_client(js_side *js, fan_port *port, uint64_t client, bool kill);
void js_post(js_side *js, fan_port *port, uint8_t op, uint64_t client, uint64_t number);
void js_flush(js_side *js);

/* A client in `room`, attached to the socket, in one stretch. */
uint64_t js_client(js_side *js, fan_port *port, uint64_t room, int fd, bool raw);

/* The next letter for `client` (0: anybody's) of this kind (0: any), removed; kind 0, and a failure, when none came in time. */
fan_letter js_await(js_side *js, uint64_t client, uint8_t kind);
/* Has one come already? It stays. */
bool js_has(js_side *js, uint64_t client, uint8_t kind);
/* Ends the stretch and waits until the loop has carried out all of it. */
void js_fence(js_side *js, fan_port *port);
fan_stats js_stats(js_side *js, fan_port *port);

/* Adds what a client that is sent the frame will read. Answers the frame. */
fan_buf *expect_frame(net_bytes *bytes, fan_buf *frame, bool raw);
/* Reads as many bytes as are expected and compares. */
#define CHECK_READS(fd, expected) check_reads((fd), (expected), __FILE__, __LINE__)
void check_reads(int fd, const net_bytes *expected, const char *file, int line);

#endif
