#ifndef FAN_LIST_H
#define FAN_LIST_H
/*
 * An intrusive, circular, doubly linked list. A node that is in no list points at itself, so
 * removing twice is harmless and "is it in a list?" costs one comparison. Allocates nothing.
 *
 * Thread: that of the object which holds the nodes. Owns: nothing. Units: none.
 */
#include <stdbool.h>
#include <stddef.h>

typedef struct fan_list {
  struct fan_list *next, *prev;
} fan_list;

/* The object of type `type` whose member `member` is `node`. */
#define fan_list_entry(node, type, member) ((type *)((char *)(node)-offsetof(type, member)))

static inline void fan_list_init(fan_list *node) { node->next = node->prev = node; }

static inline bool fan_list_empty(const fan_list *list) { return list->next == list; }

static inline bool fan_list_linked(const fan_list *node) { return node->next != node; }

static inline void fan_list_remove(fan_list *node) {
  node->prev->next = node->next;
  node->next->prev = node->prev;
  fan_list_init(node);
}

/* Appends; the node must be in no list. */
static inline void fan_list_push(fan_list *list, fan_list *node) {
  node->prev = list->prev;
  node->next = list;
  list->prev->next = node;
  list->prev = node;
}

/* Moves all nodes of `from` to the end of `to`; `from` is empty afterwards. */
static inline void fan_list_splice(fan_list *to, fan_list *from) {
  if (fan_list_empty(from)) return;
  from->next->prev = to->prev;
  to->prev->next = from->next;
  from->prev->next = to;
  to->prev = from->prev;
  fan_list_init(from);
}

/* Removes and answers the first node, or NULL. */
static inline fan_list *fan_list_shift(fan_list *list) {
  fan_list *node = list->next;
  if (node == list) return NULL;
  fan_list_remove(node);
  return node;
}

#endif
