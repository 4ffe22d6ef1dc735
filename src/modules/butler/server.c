/*
 * The backend. What is quick it answers at once. Of slow work it asks whoever handles that, and goes on with the next
 * request; the answer comes later, as a callback.
 */
#include "butler.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SLOW "slow "

/* A question on its way. */
struct errand {
    uint64_t terminal;
    char text[BUTLER_TEXT_SIZE];
};

RTN_FORMAT_LIKE_PRINTF(2, 3) static int respond(uint64_t terminal, const char *format, ...)
{
    struct butler_response response = { .terminal = terminal };
    va_list arguments;
    va_start(arguments, format);
    (void) vsnprintf(response.text, sizeof(response.text), format, arguments);
    va_end(arguments);
    int r = rtn_send_butler_response(&response);
    return r == -ECANCELED ? 0 : r;
}

static const char *reason(int result)
{
    switch (result) {
    case -ETIMEDOUT:
        return "it took too long";
    case -EAGAIN:
        return "too much is to be done already";
    case -ECANCELED:
        return "a server stops";
    default:
        return strerror(-result);
    }
}

static void on_result(int result, const struct butler_result *answer, void *data)
{
    struct errand *errand = data;
    int r = result == 0 ? respond(errand->terminal, "Done: \"%.900s\" (%lld ms of slow work).", errand->text,
                                  (long long) answer->milliseconds)
                        : respond(errand->terminal, "Not done: \"%.900s\": %s.", errand->text, reason(result));
    if (r < 0)
        rtn_log(RTN_LOG_WARN, "a response is lost: %s", strerror(-r));
    free(errand);
}

static int pass_on(struct butler *butler, rtn_server *server, const struct butler_request *request)
{
    struct butler_work work = { 0 };
    struct errand *errand = calloc(1, sizeof(*errand));
    if (errand == NULL)
        return -ENOMEM;
    memcpy(work.text, request->text, sizeof(work.text));
    memcpy(errand->text, request->text, sizeof(errand->text));
    errand->terminal = request->terminal;
    int r = rtn_ask_butler_work(server, butler, &work, butler->patience, on_result, errand);
    if (r == 0)
        return 0;
    free(errand);
    return respond(request->terminal, "Not done: \"%.900s\": %s.", request->text, reason(r));
}

int server_request(rtn_message *message, const struct butler_request *request, void *instance)
{
    struct butler *butler = instance;
    butler->requests++;
    if (strncmp(request->text, SLOW, strlen(SLOW)) == 0)
        return pass_on(butler, rtn_message_server(message), request);
    return respond(request->terminal, "Handled: \"%.900s\" (request %lld).", request->text,
                   (long long) butler->requests);
}
