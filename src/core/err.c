#include "err.h"

const char *fan_err_name(int error) {
  switch (error) {
#define NAME(name, value, text)                                                                    \
  case (value):                                                                                    \
    return "FAN_E" #name;
    FAN_ERRORS(NAME)
#undef NAME
  default:
    return error >= 0 ? "FAN_OK" : "FAN_E?";
  }
}

const char *fan_err_text(int error) {
  switch (error) {
#define TEXT(name, value, text)                                                                    \
  case (value):                                                                                    \
    return text;
    FAN_ERRORS(TEXT)
#undef TEXT
  default:
    return error >= 0 ? "ok" : "unknown error";
  }
}
