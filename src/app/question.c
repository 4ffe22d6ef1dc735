/*
 * A question is entered into the table of its loop before it is sent, by mail when the caller is not on that loop: the
 * answer comes by the same mailbox, and therefore later. Whatever comes first, answer, deadline or the end of the
 * server, takes it out of the table; the rest finds nothing.
 */
#include "app/question.h"

#include <errno.h>
#include <string.h>

#include "app/errand.h"
#include "app/loops.h"
#include "app/outbox.h"
#include "base/clock.h"

#define YOUNG_MS 50

struct question {
    struct rtn_pending pending;
    const struct rtn_hub_type *type;
    struct rtn_question_spec spec;
    struct rtn_errand errand;
    struct rtn_list node; /* while it is young */
    ev_tstamp deadline;
    struct ev_timer timer; /* from then on */
    struct rtn_mail enter; /* from another thread */
    struct answer *answer; /* NULL: there is none */
    int result;
};

/* On its way to the loop that keeps the question. */
struct answer {
    struct rtn_mail mail;
    uint64_t number;
    const struct rtn_hub_type *type; /* NULL: any */
    int result;
    size_t length;
    _Alignas(16) char bytes[];
};

static size_t answer_size(size_t length)
{
    return sizeof(struct answer) + length + 1;
}

static void free_answer(struct answer *answer)
{
    if (answer != NULL)
        rtn_block_give(answer, answer_size(answer->length));
}

static void free_question(struct question *question)
{
    rtn_instance_over(question->spec.owner);
    free_answer(question->answer);
    rtn_block_give(question, sizeof(*question));
}

static const void *answer_bytes(const struct question *question)
{
    return question->answer != NULL && question->result == 0 ? question->answer->bytes : NULL;
}

static size_t answer_length(const struct question *question)
{
    return question->answer != NULL && question->result == 0 ? question->answer->length : 0;
}

/* The end: somebody hears of it */

static void tell_instance(struct rtn_errand *errand)
{
    struct question *question = RTN_CONTAINER_OF(errand, struct question, errand);
    const struct rtn_question_spec *spec = &question->spec;
    spec->question.call(spec->question.then, question->result, answer_bytes(question), answer_length(question),
                        spec->question.data);
}

static void on_told(struct rtn_errand *errand)
{
    free_question(RTN_CONTAINER_OF(errand, struct question, errand));
}

static int tell_request(rtn_request *request, void *data)
{
    struct question *question = data;
    const struct rtn_question_spec *spec = &question->spec;
    int r = spec->question.call_for(spec->question.then, request, question->result, answer_bytes(question),
                                    answer_length(question), spec->question.data);
    free_question(question);
    return r;
}

static void drop_request(void *data)
{
    struct question *question = data;
    if (question->spec.question.drop != NULL)
        question->spec.question.drop(question->spec.question.data);
    free_question(question);
}

static void stop_waiting(struct question *question)
{
    rtn_list_remove(&question->node);
    if (ev_is_active(&question->timer) || ev_is_pending(&question->timer))
        ev_timer_stop(question->spec.site->http->loop->ev, &question->timer);
}

/* It is in no table any more. [loop] */
static void finish(struct question *question, int result)
{
    question->result = result;
    stop_waiting(question);
    if (question->spec.instance == NULL) {
        (void) rtn_later_post(question->spec.later, tell_request, drop_request, question);
        return;
    }
    question->errand = (struct rtn_errand){ .site = question->spec.site,
                                            .instance = question->spec.instance,
                                            .what = "answer",
                                            .run = tell_instance,
                                            .done = on_told };
    rtn_errand_go(&question->errand);
}

static void on_cancel(struct rtn_pending *pending)
{
    finish(RTN_CONTAINER_OF(pending, struct question, pending), -ECANCELED);
}

static void on_deadline(struct ev_loop *ev, struct ev_timer *timer, int events)
{
    (void) ev;
    (void) events;
    struct question *question = RTN_CONTAINER_OF(timer, struct question, timer);
    rtn_pendings_remove(&question->spec.site->pendings, &question->pending);
    finish(question, -ETIMEDOUT);
}

/* Answers */

/* NULL: it is over, or the number is that of something else. [loop] */
static struct question *find(const struct rtn_http1 *http, uint64_t number)
{
    struct rtn_pending *pending = rtn_pendings_find(&rtn_site_of(http)->pendings, number);
    if (pending == NULL || pending->cancel != on_cancel)
        return NULL;
    return RTN_CONTAINER_OF(pending, struct question, pending);
}

static void on_answer(struct rtn_mail *mail)
{
    struct answer *answer = RTN_CONTAINER_OF(mail, struct answer, mail);
    const struct rtn_http1 *here = rtn_loops_here();
    /* Else the loop has ended, and all its questions with it. */
    struct question *question = here != NULL ? find(here, answer->number) : NULL;
    if (question != NULL && answer->type != NULL && answer->type != question->type) {
        rtn_log(RTN_LOG_ERROR, "question %s: the answer is one of %s", question->type->shape.name,
                answer->type->shape.name);
        question = NULL;
    }
    if (question == NULL) {
        free_answer(answer);
        return;
    }
    rtn_pendings_remove(&question->spec.site->pendings, &question->pending);
    question->answer = answer;
    finish(question, answer->result);
}

int rtn_question_answer(uint64_t number, const struct rtn_hub_type *type, int result, const void *bytes, size_t length)
{
    struct answer *answer = length < SIZE_MAX - sizeof(*answer) ? rtn_block_take(answer_size(length)) : NULL;
    if (answer == NULL)
        return -ENOMEM;
    *answer = (struct answer){
        .mail = { .deliver = on_answer }, .number = number, .type = type, .result = result, .length = length
    };
    if (length > 0)
        memcpy(answer->bytes, bytes, length);
    answer->bytes[length] = '\0'; /* for who takes bytes for text */
    if (number != 0 && rtn_loops_post(rtn_http1_loop_of(number), &answer->mail))
        return 0;
    free_answer(answer);
    return -ENOENT;
}

/* Asking */

static ev_tstamp now(void)
{
    return (ev_tstamp) rtn_clock_us() / 1e6;
}

static void start_timer(struct question *question)
{
    struct ev_loop *ev = question->spec.site->http->loop->ev;
    ev_tstamp left = question->deadline - now();
    ev_now_update(ev); /* the iteration may have taken long already */
    ev_timer_set(&question->timer, RTN_MAX(left, 0.), 0.);
    ev_timer_start(ev, &question->timer);
}

static void on_sift(struct ev_loop *ev, struct ev_timer *timer, int events)
{
    (void) ev;
    (void) events;
    struct rtn_site *site = RTN_CONTAINER_OF(timer, struct rtn_site, sift);
    struct rtn_list *node;
    while ((node = rtn_list_pop(&site->young)) != NULL)
        start_timer(RTN_CONTAINER_OF(node, struct question, node));
}

void rtn_question_site_init(struct rtn_site *site)
{
    rtn_list_init(&site->young);
    ev_init(&site->sift, on_sift);
}

/* Nearly all are answered soon: they share one timer, and those that it finds get their own. */
static void add_young(struct rtn_site *site, struct question *question)
{
    rtn_list_append(&site->young, &question->node);
    if (ev_is_active(&site->sift) || ev_is_pending(&site->sift))
        return;
    ev_timer_set(&site->sift, YOUNG_MS / 1e3, 0.);
    ev_timer_start(site->http->loop->ev, &site->sift);
}

/* [loop] */
static int enter(struct question *question)
{
    struct rtn_site *site = question->spec.site;
    int64_t timeout = question->spec.question.timeout;
    int r = rtn_pendings_add(&site->pendings, &question->pending);
    if (r < 0)
        return r;
    question->deadline = now() + (ev_tstamp) timeout / 1e3;
    if (timeout > 2 * YOUNG_MS)
        add_young(site, question);
    else
        start_timer(question);
    return 0;
}

static void on_enter(struct rtn_mail *mail)
{
    struct question *question = RTN_CONTAINER_OF(mail, struct question, enter);
    int r = enter(question);
    if (r < 0)
        finish(question, r);
}

static struct question *make(const struct rtn_question_spec *spec, const struct rtn_hub_type *type)
{
    struct question *question = rtn_block_take(sizeof(*question));
    if (question == NULL)
        return NULL;
    *question = (struct question){ .pending = { .number = rtn_pendings_number(&spec->site->pendings),
                                                .instance = spec->owner,
                                                .cancel = on_cancel },
                                   .type = type,
                                   .spec = *spec,
                                   .enter = { .deliver = on_enter } };
    rtn_list_init(&question->node);
    ev_init(&question->timer, on_deadline);
    return question;
}

static int prepare(const struct question *question, struct rtn_message **ret)
{
    const struct rtn_question_spec *spec = &question->spec;
    const struct rtn_hub_letter letter = { .type = question->type,
                                           .payload = spec->question.payload,
                                           .length = spec->question.length,
                                           .sender = rtn_outbox_sender(),
                                           .asked = question->pending.number };
    return rtn_hub_prepare(&letter, ret);
}

/* Into the table, or on its way to it; then it may be over at any moment. */
static int put(struct question *question)
{
    struct rtn_site *site = question->spec.site;
    if (rtn_loops_here() == site->http)
        return enter(question);
    return rtn_pendings_bring(&site->pendings, site->http->loop, &question->pending, &question->enter);
}

/* The message leaves last, so that the answer finds the question. */
static int ask(struct question *question)
{
    struct rtn_message *message;
    int r = prepare(question, &message);
    if (r < 0)
        return r;
    r = put(question);
    if (r < 0)
        rtn_hub_abandon(message);
    else
        rtn_hub_commit(message);
    return r;
}

struct rtn_question rtn_question_known(const struct rtn_question *question)
{
    struct rtn_question known = { 0 };
    if (question != NULL)
        memcpy(&known, question, RTN_MIN(question->struct_size, sizeof(known)));
    return known;
}

static const char *find_problem(const struct rtn_question_spec *spec)
{
    if (spec->type->answer_size == 0)
        return "its type has no answer";
    if (spec->question.timeout <= 0)
        return "the timeout must be at least 1 ms";
    return spec->question.then == NULL ? "there is nothing to call" : NULL;
}

int rtn_question_ask(const struct rtn_question_spec *spec)
{
    const struct rtn_hub_type *type = rtn_outbox_type(spec->type);
    if (type == NULL)
        return -ENOENT;
    const char *problem = find_problem(spec);
    if (problem != NULL) {
        rtn_log(RTN_LOG_ERROR, "question %s is not asked: %s", spec->type->name, problem);
        return -EINVAL;
    }
    if (atomic_load(&spec->site->pendings.ended) || !rtn_instance_begin(spec->owner))
        return -ECANCELED;
    struct question *question = make(spec, type);
    if (question == NULL) {
        rtn_instance_over(spec->owner);
        return -ENOMEM;
    }
    int r = ask(question);
    if (r < 0)
        free_question(question);
    return r;
}
