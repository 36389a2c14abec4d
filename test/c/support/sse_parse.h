#ifndef SSE_PARSE_H
#define SSE_PARSE_H
/*
 * Reads an event stream as a browser does (WHATWG HTML section 9.2.6), written from the standard and not from
 * frame.c. For tests: small sizes, everything copied, abort() when there is no memory.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct sse_text {
  char *bytes;
  size_t size;
} sse_text;

typedef struct sse_event {
  sse_text type, data, last_id;
} sse_event;

typedef struct sse_stream {
  sse_event *events;
  size_t count;
  int64_t retry_ms; /* the last one seen; -1: none */
  size_t comments;
  bool in_order; /* the bytes ended behind a complete line */
} sse_stream;

/* The events of the whole stream. */
void sse_parse(sse_stream *stream, const void *bytes, size_t size);
void sse_free(sse_stream *stream);

/* Takes the chunked coding (RFC 9112 section 7.1) off, in place. Answers the bytes left; SIZE_MAX when it is
 * broken; `complete`: the bytes ended at the end of a chunk. */
size_t sse_dechunk(unsigned char *bytes, size_t size, bool *complete);

#endif
