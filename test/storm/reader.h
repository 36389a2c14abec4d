#ifndef STORM_READER_H
#define STORM_READER_H
/*
 * Judges what one client of the storm gets, byte by byte: the response's head, the transfer coding, the lines of the event
 * stream, and whether each event is meant for it and comes in order. The server writes these events (N: numbers):
 *
 *     R room N length filler     one event of a room, numbered there from 1 on
 *     P token N length filler    one event for this client alone, numbered there from 1 on
 *     M token N rooms A B        (also private) from here on it is in these rooms (bits), whose next numbers are A and B
 *     B token N A B              (also private) the last event
 *
 * Where the server has a history, ids rise over the whole stream, whatever room or user an event was for.
 *
 * Owns: nothing. Units: bytes.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ROOMS 2
#define LINE_SIZE 32768
#define HEAD_SIZE 4096
#define EPOCH_LENGTH 8

enum place { IN_HEAD, IN_SIZE, IN_DATA, IN_DATA_END, IN_TRAILER, IN_BODY, AT_END };

typedef struct reader {
  uint32_t token;
  bool raw; /* HTTP/1.0 */
  enum place place;
  uint64_t left;    /* of the chunk */
  uint32_t matched; /* characters of the CR LF that is awaited; digits of the chunk's size */
  uint32_t kept;    /* in line[], or in the head */
  char line[LINE_SIZE + 1];
  char *data; /* of the present event, inside an allocation of LINE_SIZE; "" until there is some */
  uint32_t data_size;
  bool has_data, has_event, has_fence;
  char epoch[EPOCH_LENGTH + 1]; /* "" until there was an id */
  uint64_t last_id;
  uint32_t rooms; /* bits */
  uint64_t next[ROOMS];
  uint64_t privates;
  bool said_bye;
  uint64_t events, ids;
} reader;

/* How many rules were broken, by anybody; the first ones are written to stderr. */
extern unsigned violations;
void violation(const reader *r, const char *format, ...) __attribute__((format(printf, 2, 3)));

void reader_start(reader *r, uint32_t token, bool raw);
void reader_feed(reader *r, const char *bytes, size_t size);
/* The connection has ended in order. Answers whether the response was complete. */
bool reader_end(reader *r);
void reader_free(reader *r);

#endif
