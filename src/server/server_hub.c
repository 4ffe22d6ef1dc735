/* Questions that instances of a server ask. */
#include <errno.h>

#include "app/question.h"
#include "server/server_loop.h"

int rtn_ask(const struct rtn_message_type *type, rtn_server *server, void *instance, const void *payload, size_t length,
            int64_t timeout, rtn_answer_call call, rtn_function then, void *data)
{
    const struct rtn_question_spec spec = { .type = type,
                                            .site = rtn_server_site(server),
                                            .instance = rtn_server_instance(server, instance),
                                            .payload = payload,
                                            .length = length,
                                            .timeout = timeout,
                                            .call = call,
                                            .then = then,
                                            .data = data };
    return spec.instance != NULL ? rtn_question_ask(&spec) : -EINVAL;
}
