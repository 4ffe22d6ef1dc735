/* RTN_SANITIZED: 1 when a sanitizer is compiled in, which has signal handlers and stacks of its own. [any] */
#ifndef RTN_LOOP_SANITIZED_H
#define RTN_LOOP_SANITIZED_H

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define RTN_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define RTN_SANITIZED 1
#endif
#endif
#ifndef RTN_SANITIZED
#define RTN_SANITIZED 0
#endif

#endif
