#ifndef MODEL_H
#define MODEL_H
/*
 * Random use of a hub beside a simple model of it. The model knows who is in which room and which bytes each client
 * must get: all of them if it is released or still there at the end, and a prefix of them if it is cut.
 * The choices come from a random generator or, for a fuzzer, from bytes.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "random.h"

typedef struct model model;

/* `bytes`: the choices, until they are used up; NULL: `seed` makes them. */
model *model_new(const uint8_t *bytes, size_t size, uint64_t seed);
/* One operation and its checks; false: the choices are used up. */
bool model_step(model *m);
/* Everything that must hold in between. */
void model_check(model *m);
/* Lets all readers read, compares what they got, ends the hub. Prints what happened if `verbose`. */
void model_free(model *m, bool verbose);

#endif
