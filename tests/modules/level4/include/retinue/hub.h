/*
 * Messages between servers, for modules: types, handlers, sending, questions and answers. Included by
 * <retinue/module.h>, which says what holds for all of this. Since level 4.
 *
 * A type has a name and a payload: a struct, or bytes of any length. It is declared in a header that its users share:
 *
 *     struct job { int64_t number; char name[32]; };
 *     struct job_done { int64_t number; int32_t status; };
 *     RTN_MESSAGE(job_done, struct job_done)
 *     RTN_QUESTION(job, struct job, struct job_done)
 *
 * which makes rtn_send_job(), rtn_ask_job(), rtn_answer_job() and so on, as listed at the macros. One server owns the
 * type: the one whose configuration runs a handler for it. Modules that send it say so in `sends`. Names are of C and
 * have 1 to 63 characters; modules that mean different things must not share them. Whatever changes in a payload
 * changes its size or is to change its version, so that modules compiled apart do not misread each other.
 *
 * Payloads are copied as they are: pointers in them must not point to what goes away. [any]
 */
#ifndef RETINUE_HUB_H
#define RETINUE_HUB_H

#ifndef RETINUE_MODULE_H
#error "include <retinue/module.h>, which includes this file"
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* A message on its way to one receiver: immutable, shared, freed by the last who has it. */
typedef struct rtn_message rtn_message;

/* Any function; called as what it is by the ones that the macros make. */
typedef void (*rtn_function)(void);

#define RTN_PAYLOAD_BYTES ((size_t) -1) /* as a size: any number of bytes */

struct rtn_message_type {
    size_t struct_size; /* as compiled into the module */
    const char *name;
    unsigned version;
    size_t size; /* of the payload: bytes, or RTN_PAYLOAD_BYTES */
    size_t answer_size; /* the same of the answer; 0: it has none */
    void *wired; /* of the daemon */
};

/* One type that a handler takes: see RTN_ON. */
struct rtn_message_row {
    struct rtn_message_type *type;
    int (*call)(rtn_function handle, rtn_message *message, const void *payload, size_t length, void *instance);
    rtn_function handle;
};

/*
 * A set of message types that one server takes together. The functions run as `threads` says (of the instance, the
 * lower of those of its handlers), one after the other in the order in which the messages came; with
 * RTN_THREADS_PARALLEL they begin in that order. They return RTN_DONE; RTN_LATER when the answer to a question comes
 * later; or a negative errno, which is logged, and is the answer to a question that has none yet.
 */
struct rtn_message_handler {
    const char *name; /* named in YAML by handler:, with handlers of other kinds of that name; ends with {0} */
    const char *summary; /* one sentence for --modinfo */
    enum rtn_threads threads; /* 0: the module's; may only be lower */
    const struct rtn_message_row *on; /* rows of RTN_ON; ends with {0} */
    struct rtn_message_type *const *sends; /* beside those of the module, what these functions send; ends with NULL */
};

#if defined(__GNUC__)
/* One object in a module, however many of its files include the declaration. */
#define RTN_MESSAGE_LINKAGE __attribute__((weak, visibility("hidden")))
#define RTN_MESSAGE_INLINE static inline __attribute__((unused))
#define RTN_MESSAGE_EXTENSION __extension__ /* _Generic in C99 */
#else
#define RTN_MESSAGE_LINKAGE static
#define RTN_MESSAGE_INLINE static inline
#define RTN_MESSAGE_EXTENSION
#endif

/* For `sends`: { RTN_TYPE(job), RTN_TYPE(job_done), NULL }. */
#define RTN_TYPE(name_) &rtn_message_type_##name_

/*
 * RTN_MESSAGE(name, struct): a message with that payload, version 1. Makes
 *
 *     int rtn_send_name(const struct *payload);
 *     int rtn_move_name(const struct *payload, void (*release)(void *data), void *data);
 *
 * as rtn_send() and rtn_move(). RTN_MESSAGE_VERSION(name, struct, version): another version.
 */
#define RTN_MESSAGE(name_, struct_) RTN_MESSAGE_VERSION(name_, struct_, 1)
#define RTN_MESSAGE_VERSION(name_, struct_, version_)         \
    RTN_MESSAGE_DECLARE_(name_, version_, sizeof(struct_), 0) \
    RTN_MESSAGE_STRUCT_(name_, struct_)

/* RTN_MESSAGE_BYTES(name): bytes of any length. Makes rtn_send_name(data, length), rtn_move_name(data, length, ...). */
#define RTN_MESSAGE_BYTES(name_)                         \
    RTN_MESSAGE_DECLARE_(name_, 1, RTN_PAYLOAD_BYTES, 0) \
    RTN_MESSAGE_BYTES_(name_)

/*
 * RTN_QUESTION(name, struct, answer): a message that is answered. Makes those of RTN_MESSAGE and
 *
 *     int rtn_ask_name(rtn_server *server, void *instance, const struct *payload, int64_t timeout,
 *                      void (*then)(int result, const answer *answer, void *data), void *data);
 *     int rtn_ask_name_for(rtn_request *request, const struct *payload, int64_t timeout,
 *                          int (*then)(rtn_request *request, int result, const answer *answer, void *data),
 *                          void (*drop)(void *data), void *data);
 *     int rtn_answer_name(rtn_number asked, const answer *answer);
 *
 * as rtn_ask(), rtn_ask_for() and rtn_answer().
 */
#define RTN_QUESTION(name_, struct_, answer_) RTN_QUESTION_VERSION(name_, struct_, answer_, 1)
#define RTN_QUESTION_VERSION(name_, struct_, answer_, version_)             \
    RTN_MESSAGE_DECLARE_(name_, version_, sizeof(struct_), sizeof(answer_)) \
    RTN_MESSAGE_STRUCT_(name_, struct_)                                     \
    RTN_QUESTION_(name_, struct_, answer_)

/*
 * RTN_QUESTION_BYTES(name): bytes of any length, answered with bytes of any length. Makes those of RTN_MESSAGE_BYTES
 * and
 *
 *     int rtn_ask_name(rtn_server *server, void *instance, const void *data, size_t length, int64_t timeout,
 *                      void (*then)(int result, const void *answer, size_t length, void *data), void *data);
 *     int rtn_ask_name_for(rtn_request *request, const void *data, size_t length, int64_t timeout,
 *                          int (*then)(rtn_request *request, int result, const void *answer, size_t length,
 *                                      void *data),
 *                          void (*drop)(void *data), void *data);
 *     int rtn_answer_name(rtn_number asked, const void *answer, size_t length);
 */
#define RTN_QUESTION_BYTES(name_)                                        \
    RTN_MESSAGE_DECLARE_(name_, 1, RTN_PAYLOAD_BYTES, RTN_PAYLOAD_BYTES) \
    RTN_MESSAGE_BYTES_(name_)                                            \
    RTN_QUESTION_BYTES_(name_)

/*
 * A row of struct rtn_message_handler: RTN_ON(name, function). The function is
 *
 *     int on_job(rtn_message *message, const struct job *payload, void *instance);
 *     int on_text(rtn_message *message, const void *data, size_t length, void *instance);   of bytes
 *
 * Another one is a compile error.
 */
#ifdef __cplusplus
#define RTN_ON(name_, function_)                                                           \
    {                                                                                      \
        &rtn_message_type_##name_, rtn_message_call_##name_,                               \
            reinterpret_cast<rtn_function>(static_cast<rtn_message_on_##name_>(function_)) \
    }
#else
#define RTN_ON(name_, function_)                                                               \
    {                                                                                          \
        &rtn_message_type_##name_, rtn_message_call_##name_,                                   \
            (rtn_function) RTN_MESSAGE_EXTENSION _Generic(&(function_), rtn_message_on_##name_ \
                                                          : &(function_)) /* NOLINT */         \
    }
#endif

#if defined(__GNUC__)
#pragma GCC visibility push(default)
#endif

/*
 * In place of the number of a timer, a watched descriptor or a question: safe to keep for ever, on any thread; when
 * what it stands for is over, it just finds nothing. 0 is never one.
 */
typedef uint64_t rtn_number;

/* In handlers of messages */

/* The name of the server that sent it; "" when it was a thread of none. Valid as long as the message. */
const char *rtn_message_sender(const rtn_message *message);

/* The server whose handler runs. */
rtn_server *rtn_message_server(const rtn_message *message);

/* The number to answer; 0: nobody waits for an answer. */
rtn_number rtn_message_asked(const rtn_message *message);

/* Keeps the message, and its payload, until it is released, which any thread may do. */
void rtn_message_keep(rtn_message *message);
void rtn_message_release(rtn_message *message);

/*
 * Sends to the server that owns the type; never waits. Any thread; messages of one thread to one server keep their
 * order. 0: it was taken, and will be handled, if the server is not stopped before that. Or it was not taken: -EAGAIN
 * (hub_capacity messages wait), -ECANCELED (the server is stopping, or has stopped), -ENOENT (the module does not list
 * the type in `sends`, or a handler of it, or nobody owns it), -EINVAL (the payload is not of its size), -ENOMEM.
 */
int rtn_send(const struct rtn_message_type *type, const void *payload, size_t length);

/*
 * The same without a copy: the payload must stay as it is until release(data) is called, once, on any thread; when this
 * fails too.
 */
int rtn_move(const struct rtn_message_type *type, const void *payload, size_t length, void (*release)(void *data),
             void *data);

typedef void (*rtn_answer_call)(rtn_function then, int result, const void *answer, size_t length, void *data);
typedef int (*rtn_answer_call_for)(rtn_function then, rtn_request *request, int result, const void *answer,
                                   size_t length, void *data);

/* What rtn_ask() and rtn_ask_for() take; filled in by the functions that the macros make. */
struct rtn_question {
    size_t struct_size; /* sizeof(struct rtn_question) */
    const void *payload;
    size_t length;
    int64_t timeout; /* milliseconds, at least 1 */
    rtn_answer_call call; /* of rtn_ask(): calls `then` as what it is */
    rtn_answer_call_for call_for; /* the same of rtn_ask_for() */
    rtn_function then;
    void (*drop)(void *data); /* of rtn_ask_for() */
    void *data;
};

/*
 * Asks the server that owns the type. then() is called once, where callbacks of `instance` run: result 0 and the
 * answer, valid during the call; or the negative errno that the handler gave; -ETIMEDOUT after `timeout` milliseconds;
 * -ENODATA (its handler was done without an answer); -ECANCELED (one of both servers stops). As rtn_send() returns;
 * then is called only after 0. `instance` is one of `server`, as callbacks get it. -EINVAL: it is not, or the type has
 * no answer, or the timeout is none.
 */
int rtn_ask(const struct rtn_message_type *type, rtn_server *server, void *instance,
            const struct rtn_question *question);

/*
 * The same for a request: then() is called as a continuation of its handler, which has to return RTN_LATER, and returns
 * what handlers return. When the request ends before, drop(data) is called instead (any thread; may be NULL). One of
 * both happens after 0, none else.
 */
int rtn_ask_for(const struct rtn_message_type *type, rtn_request *request, const struct rtn_question *question);

/*
 * Any thread: answers a question, once; the answer is copied. 0: on its way; -ENOENT (0, or the server that asked has
 * stopped), -EINVAL (not of the size of the type's answers), -ENOMEM. Later answers, and those after the deadline, come
 * to nothing.
 */
int rtn_answer(const struct rtn_message_type *type, rtn_number asked, const void *answer, size_t length);

/* The same with a negative errno. */
int rtn_answer_error(rtn_number asked, int error);

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif

/* What the macros above are made of. */

/* From a declaration on, the wrong payload or function is an error in the file, where C would only warn. */
#if defined(__GNUC__) && !defined(__cplusplus)
#define RTN_MESSAGE_STRICT_                                          \
    _Pragma("GCC diagnostic error \"-Wincompatible-pointer-types\"") \
        _Pragma("GCC diagnostic error \"-Wimplicit-function-declaration\"")
#else
#define RTN_MESSAGE_STRICT_
#endif

#define RTN_MESSAGE_DECLARE_(name_, version_, size_, answer_size_)                      \
    RTN_MESSAGE_STRICT_                                                                 \
    RTN_MESSAGE_LINKAGE struct rtn_message_type rtn_message_type_##name_ = {            \
        sizeof(struct rtn_message_type), #name_, (version_), (size_), (answer_size_), 0 \
    };

#define RTN_MESSAGE_STRUCT_(name_, struct_)                                                                            \
    typedef int (*rtn_message_on_##name_)(rtn_message *, const struct_ *, void *);                                     \
    RTN_MESSAGE_INLINE int rtn_message_call_##name_(rtn_function handle_, rtn_message *message_, const void *payload_, \
                                                    size_t length_, void *instance_)                                   \
    {                                                                                                                  \
        (void) length_;                                                                                                \
        return ((rtn_message_on_##name_) handle_)(message_, (const struct_ *) payload_, instance_);                    \
    }                                                                                                                  \
    RTN_MESSAGE_INLINE int rtn_send_##name_(const struct_ *payload_)                                                   \
    {                                                                                                                  \
        return rtn_send(RTN_TYPE(name_), payload_, sizeof(*payload_));                                                 \
    }                                                                                                                  \
    RTN_MESSAGE_INLINE int rtn_move_##name_(const struct_ *payload_, void (*release_)(void *data_), void *data_)       \
    {                                                                                                                  \
        return rtn_move(RTN_TYPE(name_), payload_, sizeof(*payload_), release_, data_);                                \
    }

#define RTN_MESSAGE_BYTES_(name_)                                                                                      \
    typedef int (*rtn_message_on_##name_)(rtn_message *, const void *, size_t, void *);                                \
    RTN_MESSAGE_INLINE int rtn_message_call_##name_(rtn_function handle_, rtn_message *message_, const void *payload_, \
                                                    size_t length_, void *instance_)                                   \
    {                                                                                                                  \
        return ((rtn_message_on_##name_) handle_)(message_, payload_, length_, instance_);                             \
    }                                                                                                                  \
    RTN_MESSAGE_INLINE int rtn_send_##name_(const void *payload_, size_t length_)                                      \
    {                                                                                                                  \
        return rtn_send(RTN_TYPE(name_), payload_, length_);                                                           \
    }                                                                                                                  \
    RTN_MESSAGE_INLINE int rtn_move_##name_(const void *payload_, size_t length_, void (*release_)(void *data_),       \
                                            void *data_)                                                               \
    {                                                                                                                  \
        return rtn_move(RTN_TYPE(name_), payload_, length_, release_, data_);                                          \
    }

#define RTN_QUESTION_(name_, struct_, answer_struct_)                                                                  \
    typedef void (*rtn_message_then_##name_)(int, const answer_struct_ *, void *);                                     \
    typedef int (*rtn_message_then_##name_##_for)(rtn_request *, int, const answer_struct_ *, void *);                 \
    RTN_MESSAGE_INLINE void rtn_message_then_call_##name_(rtn_function then_, int result_, const void *answer_,        \
                                                          size_t length_, void *data_)                                 \
    {                                                                                                                  \
        (void) length_;                                                                                                \
        ((rtn_message_then_##name_) then_)(result_, (const answer_struct_ *) answer_, data_);                          \
    }                                                                                                                  \
    RTN_MESSAGE_INLINE int rtn_message_then_call_##name_##_for(rtn_function then_, rtn_request *request_, int result_, \
                                                               const void *answer_, size_t length_, void *data_)       \
    {                                                                                                                  \
        (void) length_;                                                                                                \
        return ((rtn_message_then_##name_##_for) then_)(request_, result_, (const answer_struct_ *) answer_, data_);   \
    }                                                                                                                  \
    RTN_MESSAGE_INLINE int rtn_ask_##name_(rtn_server *server_, void *instance_, const struct_ *payload_,              \
                                           int64_t timeout_, rtn_message_then_##name_ then_, void *data_)              \
    {                                                                                                                  \
        const struct rtn_question question_ = { sizeof(struct rtn_question),                                           \
                                                payload_,                                                              \
                                                sizeof(*payload_),                                                     \
                                                timeout_,                                                              \
                                                rtn_message_then_call_##name_,                                         \
                                                0,                                                                     \
                                                (rtn_function) then_,                                                  \
                                                0,                                                                     \
                                                data_ };                                                               \
        return rtn_ask(RTN_TYPE(name_), server_, instance_, &question_);                                               \
    }                                                                                                                  \
    RTN_MESSAGE_INLINE int rtn_ask_##name_##_for(rtn_request *request_, const struct_ *payload_, int64_t timeout_,     \
                                                 rtn_message_then_##name_##_for then_, void (*drop_)(void *data_),     \
                                                 void *data_)                                                          \
    {                                                                                                                  \
        const struct rtn_question question_ = { sizeof(struct rtn_question),                                           \
                                                payload_,                                                              \
                                                sizeof(*payload_),                                                     \
                                                timeout_,                                                              \
                                                0,                                                                     \
                                                rtn_message_then_call_##name_##_for,                                   \
                                                (rtn_function) then_,                                                  \
                                                drop_,                                                                 \
                                                data_ };                                                               \
        return rtn_ask_for(RTN_TYPE(name_), request_, &question_);                                                     \
    }                                                                                                                  \
    RTN_MESSAGE_INLINE int rtn_answer_##name_(rtn_number asked_, const answer_struct_ *answer_)                        \
    {                                                                                                                  \
        return rtn_answer(RTN_TYPE(name_), asked_, answer_, sizeof(*answer_));                                         \
    }

#define RTN_QUESTION_BYTES_(name_)                                                                                     \
    typedef void (*rtn_message_then_##name_)(int, const void *, size_t, void *);                                       \
    typedef int (*rtn_message_then_##name_##_for)(rtn_request *, int, const void *, size_t, void *);                   \
    RTN_MESSAGE_INLINE void rtn_message_then_call_##name_(rtn_function then_, int result_, const void *answer_,        \
                                                          size_t length_, void *data_)                                 \
    {                                                                                                                  \
        ((rtn_message_then_##name_) then_)(result_, answer_, length_, data_);                                          \
    }                                                                                                                  \
    RTN_MESSAGE_INLINE int rtn_message_then_call_##name_##_for(rtn_function then_, rtn_request *request_, int result_, \
                                                               const void *answer_, size_t length_, void *data_)       \
    {                                                                                                                  \
        return ((rtn_message_then_##name_##_for) then_)(request_, result_, answer_, length_, data_);                   \
    }                                                                                                                  \
    RTN_MESSAGE_INLINE int rtn_ask_##name_(rtn_server *server_, void *instance_, const void *payload_, size_t length_, \
                                           int64_t timeout_, rtn_message_then_##name_ then_, void *data_)              \
    {                                                                                                                  \
        const struct rtn_question question_ = {                                                                        \
            sizeof(struct rtn_question), payload_, length_, timeout_, rtn_message_then_call_##name_, 0,                \
            (rtn_function) then_,        0,        data_                                                               \
        };                                                                                                             \
        return rtn_ask(RTN_TYPE(name_), server_, instance_, &question_);                                               \
    }                                                                                                                  \
    RTN_MESSAGE_INLINE int rtn_ask_##name_##_for(rtn_request *request_, const void *payload_, size_t length_,          \
                                                 int64_t timeout_, rtn_message_then_##name_##_for then_,               \
                                                 void (*drop_)(void *data_), void *data_)                              \
    {                                                                                                                  \
        const struct rtn_question question_ = {                                                                        \
            sizeof(struct rtn_question), payload_, length_, timeout_, 0, rtn_message_then_call_##name_##_for,          \
            (rtn_function) then_,        drop_,    data_                                                               \
        };                                                                                                             \
        return rtn_ask_for(RTN_TYPE(name_), request_, &question_);                                                     \
    }                                                                                                                  \
    RTN_MESSAGE_INLINE int rtn_answer_##name_(rtn_number asked_, const void *answer_, size_t length_)                  \
    {                                                                                                                  \
        return rtn_answer(RTN_TYPE(name_), asked_, answer_, length_);                                                  \
    }

#ifdef __cplusplus
}
#endif
#endif
