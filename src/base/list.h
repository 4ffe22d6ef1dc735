/* Intrusive doubly linked list with a head node. [owner's thread] */
#ifndef RTN_BASE_LIST_H
#define RTN_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/macros.h"

struct rtn_list {
    struct rtn_list *next;
    struct rtn_list *prev;
};

/* Both heads and nodes are initialised; an initialised node that is in no list points to itself. */
static inline void rtn_list_init(struct rtn_list *node)
{
    node->next = node;
    node->prev = node;
}

static inline bool rtn_list_empty(const struct rtn_list *node)
{
    return node->next == node;
}

static inline void rtn_list_append(struct rtn_list *head, struct rtn_list *node)
{
    node->prev = head->prev;
    node->next = head;
    head->prev->next = node;
    head->prev = node;
}

/* Safe on a node that is in no list. */
static inline void rtn_list_remove(struct rtn_list *node)
{
    node->prev->next = node->next;
    node->next->prev = node->prev;
    rtn_list_init(node);
}

/* The first node, taken out; NULL when empty. */
static inline struct rtn_list *rtn_list_pop(struct rtn_list *head)
{
    struct rtn_list *node = head->next;
    if (node == head)
        return NULL;
    /* The analyzer takes the head of an emptied list for the node that was freed last. */
    rtn_list_remove(node); /* NOLINT(clang-analyzer-unix.Malloc) */
    return node;
}

/* Moves all nodes of `from` to the end of `head`; `from` is empty afterwards. */
static inline void rtn_list_splice(struct rtn_list *head, struct rtn_list *from)
{
    if (rtn_list_empty(from))
        return;
    from->next->prev = head->prev;
    head->prev->next = from->next;
    from->prev->next = head;
    head->prev = from->prev;
    rtn_list_init(from);
}

/* Declares `node` and visits each one. The body may remove the current node, but not the one after it. */
/* NOLINTBEGIN(bugprone-macro-parentheses): a name that is declared takes no parentheses */
#define RTN_LIST_FOREACH(node, head)                                                      \
    for (struct rtn_list *node = (head)->next, *node##_next = node->next; node != (head); \
         node = node##_next, node##_next = node->next)
/* NOLINTEND(bugprone-macro-parentheses) */

#endif
