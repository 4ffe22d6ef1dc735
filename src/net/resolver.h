/*
 * Looking up the addresses of hosts by name, on threads of its own: getaddrinfo() waits for name servers. [loop] unless
 * a function says otherwise
 */
#ifndef RTN_NET_RESOLVER_H
#define RTN_NET_RESOLVER_H

#include <netdb.h>

#include "base/str.h"
#include "log/log.h"
#include "loop/loop.h"

/* Threads that look up names, at most 4, started when needed. One for the process. [main] */
struct rtn_resolver;
int rtn_resolver_new(struct rtn_log *log, const _Atomic int *log_level, struct rtn_resolver **ret);

/*
 * Waits up to `ms` for lookups that run; when some take longer, the resolver stays for them until the process ends, or
 * until it is freed again. All must have ended or been cancelled; their loops may be gone. Accepts NULL. [main]
 */
void rtn_resolver_free(struct rtn_resolver *resolver, int64_t ms);

struct rtn_lookup;

/*
 * Begins. The strings are copied. done(data, addresses, NULL), the addresses being the receiver's from then on (for
 * freeaddrinfo()), or done(data, NULL, reason) with words for the log; once, on the loop, never before this function
 * has returned. 0, -ENOMEM, or -ECANCELED when the resolver has been stopped.
 */
int rtn_lookup_begin(struct rtn_resolver *resolver, struct rtn_loop *loop, const char *host, const char *port,
                     void (*done)(void *data, struct addrinfo *addresses, const char *reason), void *data,
                     struct rtn_lookup **ret);

/* `done` will not be called. Not from within it. */
void rtn_lookup_cancel(struct rtn_lookup *lookup);

/* What getaddrinfo() said, in words; `error` is errno, which counts with EAI_SYSTEM. [any] */
const char *rtn_resolver_reason(int result, int error);

#endif
