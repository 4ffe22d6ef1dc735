/* Compiler attributes and scope cleanup. [any] */
#ifndef RTN_BASE_MACROS_H
#define RTN_BASE_MACROS_H

#include <stddef.h>

#define RTN_ARRAY_LENGTH(a) (sizeof(a) / sizeof((a)[0]))
#define RTN_CONTAINER_OF(pointer, type, member) ((type *) (void *) ((char *) (pointer) -offsetof(type, member)))
#define RTN_PRINTF(format_, first_) __attribute__((format(printf, format_, first_)))
#define RTN_MUST_CHECK __attribute__((warn_unused_result))
#define RTN_LIKELY(x) __builtin_expect(!!(x), 1)
#define RTN_UNLIKELY(x) __builtin_expect(!!(x), 0)
#define RTN_COLD __attribute__((cold, noinline)) /* out of the way of what calls it */
/* Of what is so small that a call costs more, where the compiler would not see it: on the way of every request. */
#define RTN_INLINE static inline __attribute__((always_inline))
/* A call that stays one; nor does the function make use of what is known of its callers' arguments. */
#ifdef __clang__
#define RTN_NOINLINE __attribute__((noinline))
#else
#define RTN_NOINLINE __attribute__((noipa))
#endif

/* Bytes. What threads write apart from each other lies so far apart; processors fetch lines in pairs. */
#define RTN_CACHE_LINE 64
#define RTN_CACHE_PAIR 128

#define RTN_MIN(a, b) ((a) < (b) ? (a) : (b))
#define RTN_MAX(a, b) ((a) > (b) ? (a) : (b))

/* RTN_CLEANUP(rtn_buf_done) struct rtn_buf b = {0}; calls rtn_buf_done(&b) at the end of the scope. */
#define RTN_CLEANUP(function) __attribute__((cleanup(function)))

#endif
