/*
 * Request objects of one loop: a free list, and a lock-free stack on which workers give them back without
 * waking anybody. The loop takes that stack as a whole when its own list is empty, so there is no ABA problem.
 *
 * A request counts as a user of its terms from when it is taken to when it is back in the list.
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

static unsigned capacity_of(const struct rtn_http1 *http)
{
    return (unsigned) http->terms->config->limits.header_count;
}

/* Those that were made for another number of fields are of no use any more. */
static void push(struct rtn_http1 *http, struct rtn_request *request)
{
    rtn_terms_release(http, request->terms);
    if (http->free_count >= KEEP_FREE || request->header_capacity != capacity_of(http)) {
        rtn_request_free(request);
        return;
    }
    request->next = http->free_requests;
    http->free_requests = request;
    http->free_count++;
}

void rtn_http1_collect_requests(struct rtn_http1 *http)
{
    struct rtn_request *request = atomic_exchange(&http->returned_requests, NULL);
    while (request != NULL) {
        struct rtn_request *next = request->next;
        push(http, request);
        request = next;
    }
}

void rtn_http1_fit_requests(struct rtn_http1 *http)
{
    while (http->free_requests != NULL && http->free_requests->header_capacity != capacity_of(http))
        rtn_request_free(pop(http));
}

/* The list is empty. */
RTN_NOINLINE static struct rtn_request *find_request(struct rtn_http1 *http)
{
    rtn_http1_collect_requests(http);
    struct rtn_request *request = pop(http);
    return request != NULL ? request : rtn_request_new(http, capacity_of(http));
}

struct rtn_request *rtn_http1_take_request(struct rtn_http1 *http)
{
    struct rtn_request *request = RTN_LIKELY(http->free_requests != NULL) ? pop(http) : find_request(http);
    if (request == NULL)
        return NULL;
    request->terms = http->terms;
    request->policy = &http->terms->policy;
    rtn_terms_hold(http->terms);
    return request;
}

void rtn_http1_take_terms(struct rtn_request *request)
{
    struct rtn_terms *before = request->terms;
    request->terms = request->http->terms;
    request->policy = &request->terms->policy;
    rtn_terms_hold(request->terms);
    rtn_terms_release(request->http, before);
}

void rtn_http1_give_request(struct rtn_http1 *http, struct rtn_request *request)
{
    rtn_request_clear(request);
    push(http, request);
}

void rtn_http1_give_unused_request(struct rtn_http1 *http, struct rtn_request *request)
{
    rtn_request_empty(request);
    push(http, request);
}

/*
 * The loop may have the connection already, so that it has nobody to ask for a word when its terms change: it counts
 * the old ones and then looks here, and a worker gives back and then looks for old ones. One of them sees the other.
 */
void rtn_http1_give_request_from_worker(struct rtn_http1 *http, struct rtn_request *request)
{
    rtn_request_clear(request);
    struct rtn_request *top = atomic_load_explicit(&http->returned_requests, memory_order_relaxed);
    do {
        request->next = top;
    } while (!atomic_compare_exchange_weak(&http->returned_requests, &top, request));
    if (rtn_http1_has_old_terms(http))
        rtn_loop_wake(http->loop);
}

void rtn_http1_free_requests(struct rtn_http1 *http)
{
    rtn_http1_collect_requests(http);
    struct rtn_request *request;
    while ((request = pop(http)) != NULL)
        rtn_request_free(request);
}
