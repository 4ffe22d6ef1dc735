/*
 * Request objects of one loop: a free list, and a lock-free stack on which workers give them back without
 * waking anybody. The loop takes that stack as a whole when its own list is empty, so there is no ABA problem.
 */
#include "proto/http1.h"

#define KEEP_FREE 256 /* objects kept after a burst; about 14 KiB each */

static struct rtn_request *pop(struct rtn_http1 *http)
{
    struct rtn_request *request = http->free_requests;
    if (request == NULL)
        return NULL;
    http->free_requests = request->next;
    http->free_count--;
    return request;
}

static void push(struct rtn_http1 *http, struct rtn_request *request)
{
    if (http->free_count >= KEEP_FREE) {
        rtn_request_free(request);
        return;
    }
    request->next = http->free_requests;
    http->free_requests = request;
    http->free_count++;
}

static void collect_returned(struct rtn_http1 *http)
{
    struct rtn_request *request = atomic_exchange_explicit(&http->returned_requests, NULL, memory_order_acquire);
    while (request != NULL) {
        struct rtn_request *next = request->next;
        push(http, request);
        request = next;
    }
}

struct rtn_request *rtn_http1_take_request(struct rtn_http1 *http)
{
    if (http->free_requests == NULL)
        collect_returned(http);
    struct rtn_request *request = pop(http);
    return request != NULL ? request : rtn_request_new(http, (unsigned) http->config->limits.header_count);
}

void rtn_http1_give_request(struct rtn_http1 *http, struct rtn_request *request)
{
    rtn_request_clear(request);
    push(http, request);
}

void rtn_http1_give_request_from_worker(struct rtn_http1 *http, struct rtn_request *request)
{
    rtn_request_clear(request);
    struct rtn_request *top = atomic_load_explicit(&http->returned_requests, memory_order_relaxed);
    do {
        request->next = top;
    } while (!atomic_compare_exchange_weak_explicit(&http->returned_requests, &top, request, memory_order_release,
                                                    memory_order_relaxed));
}

void rtn_http1_free_requests(struct rtn_http1 *http)
{
    collect_returned(http);
    struct rtn_request *request;
    while ((request = pop(http)) != NULL)
        rtn_request_free(request);
}
