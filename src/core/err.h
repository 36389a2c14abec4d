#ifndef FAN_ERR_H
#define FAN_ERR_H
/*
 * The errors of the C side: one list makes the enumerators, the names and the texts.
 * Functions answer 0 (or a count >= 0) or one of these, all negative. On failure nothing has changed.
 *
 * Thread: any. Owns: nothing. Units: none.
 */

/*       name       value  text                                                              */
#define FAN_ERRORS(X)                                                                              \
  /* flow */                                                                                       \
  X(AGAIN, -1, "the sink takes no more bytes for now")                                             \
  /* misuse */                                                                                     \
  X(INVALID, -10, "an argument is not valid")                                                      \
  X(EXISTS, -11, "it exists already")                                                              \
  X(NOTFOUND, -12, "no such client, room or membership")                                           \
  X(TOOLARGE, -13, "the event is larger than the limit")                                           \
  X(FULL, -14, "the byte budget of the hub is used up")                                            \
  /* the peer, the operating system */                                                             \
  X(GONE, -20, "the peer has closed the connection")                                               \
  X(TIMEOUT, -21, "the peer has not acknowledged in time")                                         \
  X(IO, -22, "the operating system reported an error")                                             \
  /* fatal for the object concerned */                                                             \
  X(NOMEM, -30, "out of memory")

#define FAN_ERROR_ENUM(name, value, text) FAN_E##name = (value),
enum fan_error { FAN_ERRORS(FAN_ERROR_ENUM) };
#undef FAN_ERROR_ENUM

/* The name ("FAN_EAGAIN") and the text of an error; "FAN_OK" and "ok" for anything >= 0. Static. */
const char *fan_err_name(int error);
const char *fan_err_text(int error);

#endif
