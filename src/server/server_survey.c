/*
 * One question goes to each loop and comes back to main by the same mail; the survey is over when the last one is back,
 * or when its time has passed. It is freed when all are back, since loops write into it. What a worker holds is not
 * looked at: what the loop itself knows has to do.
 */
#include "server/server_survey.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "proto/session.h"
#include "server/server_loop.h"

struct survey;

struct question {
    struct rtn_mail mail;
    struct survey *survey;
    struct rtn_server_loop *loop; /* NULL: it has answered */
    bool asked;
};

struct survey {
    struct ev_loop *ev;
    struct ev_timer timer;
    struct rtn_mailbox *main;
    unsigned most;
    rtn_survey_done done;
    void *data;
    bool told;
    size_t pending; /* questions on their way */
    struct question *questions;
    struct rtn_survey_answer *answers; /* one for each question */
    struct rtn_survey_answer *shown; /* the same without those that loops may still write into */
    size_t count;
};

/* On a loop */

static const char *state_of(const struct rtn_connection *connection)
{
    static const char *const names[] = {
        [RTN_CONNECTION_READING] = "reading",       [RTN_CONNECTION_HANDLED] = "handled",
        [RTN_CONNECTION_WAITING] = "waiting",       [RTN_CONNECTION_SENDING] = "sending",
        [RTN_CONNECTION_CONNECTING] = "connecting", [RTN_CONNECTION_SESSION] = "open",
        [RTN_CONNECTION_LINGER] = "closing",        [RTN_CONNECTION_CLOSED] = "closed",
    };
    const struct rtn_request *request = connection->request;
    bool begun = request != NULL && request->stage != RTN_REQUEST_EMPTY;
    if (connection->state == RTN_CONNECTION_READING && !begun)
        return "idle";
    if (connection->session != NULL && connection->session->closing)
        return "closing";
    return names[connection->state];
}

static const char *protocol_of(const struct rtn_connection *connection)
{
    bool line = connection->http->terms->lines != NULL && !connection->outgoing;
    if (connection->session != NULL)
        line = connection->session->wire->kind == RTN_SESSION_LINE;
    else if (!line && !connection->outgoing)
        return "http";
    return line ? "line" : "websocket";
}

static const struct rtn_instance *instance_of(const struct rtn_connection *connection)
{
    if (connection->session != NULL)
        return connection->session->owner;
    const struct rtn_request *request = connection->request;
    bool active = request != NULL && request->active && request->call != NULL;
    const struct rtn_route *route = active ? rtn_call_of(request)->match.route : NULL;
    return route != NULL ? route->instance : NULL;
}

static const struct rtn_terms *terms_of(const struct rtn_connection *connection)
{
    if (connection->session != NULL)
        return connection->session->terms;
    const struct rtn_request *request = connection->request;
    return request != NULL && request->active ? request->terms : NULL;
}

/* All of it. */
static void describe_held(const struct rtn_connection *connection, struct rtn_survey_row *row)
{
    const struct rtn_instance *instance = instance_of(connection);
    const struct rtn_terms *terms = terms_of(connection);
    row->protocol = protocol_of(connection);
    row->state = state_of(connection);
    row->requests = connection->session == NULL ? connection->request_count : -1;
    row->backlog = connection->entry != NULL ? rtn_entry_backlog(connection->entry) : 0;
    if (terms != NULL && terms->routing != NULL)
        row->generation = ((const struct rtn_routing *) terms->routing)->generation;
    if (instance != NULL)
        (void) snprintf(row->route, sizeof(row->route), "%s", instance->place.text);
}

/* A worker may be writing everything else. */
static void describe_lent(const struct rtn_connection *connection, struct rtn_survey_row *row)
{
    row->protocol = "http";
    row->state = "handled";
    if (connection->hold->handler != NULL)
        (void) snprintf(row->route, sizeof(row->route), "%s", connection->hold->handler);
}

static void describe(struct rtn_connection *connection, int64_t now_ms, struct rtn_survey_row *row)
{
    *row = (struct rtn_survey_row){ .id = connection->id,
                                    .outgoing = connection->outgoing,
                                    .age_ms = RTN_MAX(now_ms - connection->made_at, 0),
                                    .requests = -1,
                                    .backlog = -1,
                                    .generation = -1 };
    rtn_connection_format_peer(connection, row->peer);
    if (atomic_load_explicit(&connection->owner, memory_order_acquire) == RTN_OWNER_LOOP)
        describe_held(connection, row);
    else
        describe_lent(connection, row);
}

/* Without memory there are no rows. */
static void list(struct rtn_http1 *http, unsigned most, struct rtn_survey_answer *answer)
{
    most = RTN_MIN(most, http->connection_count);
    answer->rows = most > 0 ? calloc(most, sizeof(*answer->rows)) : NULL;
    if (answer->rows == NULL)
        return;
    RTN_LIST_FOREACH (node, &http->connections) {
        if (answer->row_count == most)
            return;
        describe(RTN_CONTAINER_OF(node, struct rtn_connection, node), http->loop->now_ms,
                 &answer->rows[answer->row_count++]);
    }
}

static void on_answer(struct rtn_mail *mail);

static void on_question(struct rtn_mail *mail)
{
    struct question *question = RTN_CONTAINER_OF(mail, struct question, mail);
    struct survey *survey = question->survey;
    struct rtn_survey_answer *answer = &survey->answers[question - survey->questions];
    struct rtn_http1 *http = &question->loop->http;
    answer->accepted = http->connection_count - http->outgoing_count;
    answer->outgoing = http->outgoing_count;
    list(http, survey->most, answer);
    mail->deliver = on_answer;
    rtn_mailbox_post(survey->main, mail);
}

/* On main */

static void survey_free(struct survey *survey)
{
    for (size_t i = 0; i < survey->count; i++)
        free(survey->answers[i].rows);
    free(survey->answers);
    free(survey->shown);
    free(survey->questions);
    free(survey);
}

static void tell(struct survey *survey)
{
    survey->told = true;
    ev_timer_stop(survey->ev, &survey->timer);
    for (size_t i = 0; i < survey->count; i++) {
        struct rtn_survey_answer *shown = &survey->shown[i];
        shown->heard = survey->questions[i].loop == NULL;
        if (!shown->heard)
            continue;
        *shown = survey->answers[i];
        shown->heard = true;
    }
    survey->done(survey->shown, survey->count, survey->data);
}

static void on_answer(struct rtn_mail *mail)
{
    struct question *question = RTN_CONTAINER_OF(mail, struct question, mail);
    struct survey *survey = question->survey;
    question->loop->owes_answer = false;
    question->loop = NULL;
    if (--survey->pending > 0)
        return;
    if (!survey->told)
        tell(survey);
    survey_free(survey);
}

static void on_late(struct ev_loop *ev, struct ev_timer *timer, int events)
{
    (void) ev;
    (void) events;
    struct survey *survey = RTN_CONTAINER_OF(timer, struct survey, timer);
    for (size_t i = 0; i < survey->count; i++) {
        const struct question *question = &survey->questions[i];
        if (question->asked && question->loop != NULL)
            question->loop->owes_answer = true;
    }
    tell(survey);
    if (survey->pending == 0)
        survey_free(survey);
}

static void ask(struct survey *survey, struct rtn_server_loop *loop, size_t index)
{
    struct question *question = &survey->questions[index];
    struct rtn_survey_answer *answer = &survey->answers[index];
    *question = (struct question){ .mail = { .deliver = on_question }, .survey = survey, .loop = loop };
    (void) snprintf(answer->server, sizeof(answer->server), "%s", loop->server->name);
    answer->of = loop->server;
    answer->loop = loop->index;
    survey->shown[index] = *answer;
    if (loop->owes_answer)
        return;
    question->asked = true;
    survey->pending++;
    rtn_loop_post(&loop->loop, &question->mail);
}

int rtn_server_survey(struct rtn_server *const *servers, size_t count, unsigned most, struct ev_loop *ev, int64_t ms,
                      rtn_survey_done done, void *data)
{
    size_t loops = 0;
    for (size_t i = 0; i < count; i++)
        loops += atomic_load(&servers[i]->loop_count);
    struct survey *survey = calloc(1, sizeof(*survey));
    if (survey == NULL)
        return -ENOMEM;
    survey->questions = calloc(loops + 1, sizeof(*survey->questions));
    survey->answers = calloc(loops + 1, sizeof(*survey->answers));
    survey->shown = calloc(loops + 1, sizeof(*survey->shown));
    if (survey->questions == NULL || survey->answers == NULL || survey->shown == NULL) {
        survey_free(survey);
        return -ENOMEM;
    }
    survey->ev = ev;
    survey->most = most;
    survey->done = done;
    survey->data = data;
    survey->main = count > 0 ? servers[0]->host->mailbox : NULL;
    for (size_t i = 0; i < count; i++) {
        for (unsigned j = 0; j < atomic_load(&servers[i]->loop_count); j++)
            ask(survey, &servers[i]->loops[j], survey->count++);
    }
    /* Nobody answers when nobody was asked: the time is up at once. */
    ev_timer_init(&survey->timer, on_late, survey->pending > 0 ? (double) ms / 1e3 : 0., 0.);
    ev_timer_start(ev, &survey->timer);
    return 0;
}
