#ifndef FAN_FRAME_H
#define FAN_FRAME_H
/*
 * Encodes an event into a frame: a buffer that holds the event's lines and, around them, the head
 * and tail of one HTTP/1.1 chunk. The fields are written as WHATWG HTML section 9.2.6 ("Interpreting
 * an event stream") reads them, in the order id, event, retry, data; RFC 9112 section 7.1 for the chunk.
 *
 * The caller copies the data straight into the frame (the only copy of a broadcast):
 *
 *     fan_buf *frame = fan_frame_begin(&fields, cap);
 *     size = write_utf8(fan_frame_data(frame), cap);
 *     frame = fan_frame_seal(frame, size);
 *
 * It does not judge names: the caller has refused CR, LF and NUL in `id` and `event` (asserted).
 *
 * Thread: any. Owns: nothing (the caller owns the frame). Units: bytes, ms.
 */
#include "buf.h"

#define FAN_NO_RETRY (-1)
#define FAN_KEY_MAX UINT16_MAX

typedef struct fan_fields {
  fan_slice id, event; /* data NULL: the field is not written */
  int64_t retry_ms;    /* FAN_NO_RETRY: not written */
  fan_slice key;       /* data NULL: none; at most FAN_KEY_MAX bytes, any. Kept, not written */
  uint64_t
      key_seed; /* of its hash: the same for all keys that may meet in a queue, and nobody's to guess */
} fan_fields;

/* A frame with `id`, `event` and `retry` written, the key kept and room for data_cap bytes of data, or NULL
 * (out of memory, or larger than 4 GiB). The caller owns it, and may only fill in the data and seal it. */
fan_buf *fan_frame_begin(const fan_fields *fields, size_t data_cap);

/* Where the data goes; one byte behind data_cap may be written too (a terminating NUL). */
char *fan_frame_data(fan_buf *frame);

/* Splits the data (size <= data_cap) at CR, LF and CRLF into `data:` lines, and closes the frame. Answers
 * the frame, which may have moved, or NULL (out of memory; the frame is then freed). */
fan_buf *fan_frame_seal(fan_buf *frame, size_t data_size);

/* A frame around `text` as it is: lines of an event stream written by the application; not empty (an
 * empty chunk would end the response). NULL: no memory. */
fan_buf *fan_frame_text(fan_slice text, enum fan_buf_kind kind);

/* `:text` and one LF for each line of the text. NULL: no memory. */
fan_buf *fan_frame_comment(fan_slice text, enum fan_buf_kind kind);

/* `retry: n` and one LF. NULL: no memory. */
fan_buf *fan_frame_retry(int64_t retry_ms);

/* `id: ` and the id and one LF: the id of the block that comes next, or alone the client's cursor. NULL: no memory. */
fan_buf *fan_frame_id(fan_slice id);

/* Bytes that carry their own transfer coding (Node wrote them): sent unchanged on every path. Not empty. NULL: no memory. */
fan_buf *fan_frame_verbatim(fan_slice bytes);

#endif
