/* Questions that instances of a server ask. */
#include <errno.h>

#include "app/question.h"
#include "server/server_loop.h"

int rtn_ask(const struct rtn_message_type *type, rtn_server *server, void *instance,
            const struct rtn_question *question)
{
    RTN_CLEANUP(rtn_instances_give_back) struct rtn_instance *owner = rtn_server_instance(server, instance);
    if (owner == NULL)
        return -EINVAL;
    const struct rtn_question_spec spec = { .type = type,
                                            .site = rtn_server_site(server),
                                            .instance = owner,
                                            .owner = owner,
                                            .question = rtn_question_known(question) };
    return spec.question.call != NULL ? rtn_question_ask(&spec) : -EINVAL;
}
