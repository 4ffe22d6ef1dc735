/* Bodies of the public functions about messages that have come, and about answers. */
#include <retinue/module.h>

#include <errno.h>

#include "app/inbox.h"
#include "app/outbox.h"
#include "app/question.h"
#include "app/step_internal.h"

const char *rtn_message_sender(const rtn_message *message)
{
    return message->sender;
}

rtn_server *rtn_message_server(const rtn_message *message)
{
    return ((const struct rtn_site *) message->port->owner)->server;
}

rtn_number rtn_message_asked(const rtn_message *message)
{
    return message->asked;
}

void rtn_message_keep(rtn_message *message)
{
    rtn_hub_ref(message);
}

void rtn_message_release(rtn_message *message)
{
    rtn_hub_unref(message);
}

int rtn_answer(const struct rtn_message_type *type, rtn_number asked, const void *answer, size_t length)
{
    const struct rtn_hub_type *wired = rtn_outbox_type(type);
    if (wired == NULL)
        return -ENOENT;
    bool fits = type->answer_size == RTN_PAYLOAD_BYTES || type->answer_size == length;
    if (type->answer_size == 0 || !fits || (answer == NULL && length > 0))
        return -EINVAL;
    int r = rtn_question_answer(asked, wired, 0, answer, length);
    if (r == 0)
        rtn_inbox_note_answer(asked);
    return r;
}

int rtn_answer_error(rtn_number asked, int error)
{
    if (error >= 0)
        return -EINVAL;
    int r = rtn_question_answer(asked, NULL, error, NULL, 0);
    if (r == 0)
        rtn_inbox_note_answer(asked);
    return r;
}

int rtn_ask_for(const struct rtn_message_type *type, rtn_request *request, const struct rtn_question *question)
{
    struct rtn_call *state = rtn_call_of(request);
    const struct rtn_question_spec spec = { .type = type,
                                            .site = state->site,
                                            .later = request->id,
                                            .owner = rtn_step_instance(state),
                                            .question = rtn_question_known(question) };
    if (spec.question.call_for == NULL)
        return -EINVAL;
    bool armed = state->armed;
    state->armed = true;
    int r = rtn_question_ask(&spec);
    if (r < 0)
        state->armed = armed;
    return r;
}
