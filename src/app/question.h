/*
 * Questions that were sent and wait for their answers, each on a loop of the server that asks: the answer, the deadline
 * and the end of the server come to it there. [any] unless a function says otherwise
 */
#ifndef RTN_APP_QUESTION_H
#define RTN_APP_QUESTION_H

#include "app/dispatch.h"
#include "app/later.h"
#include "hub/message.h"

/* Who is to hear the answer: an instance, or a request. */
struct rtn_question_spec {
    const struct rtn_message_type *type;
    struct rtn_site *site; /* of the loop that keeps the question */
    struct rtn_instance *instance; /* NULL: a request */
    uint64_t later; /* id of the request */
    struct rtn_instance *owner; /* whose callbacks are called: the instance, or that of the request */
    struct rtn_question question;
};

/* Part of rtn_site_init(). */
void rtn_question_site_init(struct rtn_site *site);

/* The members that the caller of a public function has; the others are zero. */
struct rtn_question rtn_question_known(const struct rtn_question *question);

/* As rtn_ask() in <retinue/hub.h>. */
int rtn_question_ask(const struct rtn_question_spec *spec);

/*
 * The answer to the question of that number, copied: `result` and bytes. `type`: it must be a question of that type;
 * NULL: of any. 0: on its way; -ENOENT, -ENOMEM.
 */
int rtn_question_answer(uint64_t number, const struct rtn_hub_type *type, int result, const void *bytes, size_t length);

#endif
