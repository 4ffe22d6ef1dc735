/*
 * What the files of the test module hub_probe share: its message types, and what it has seen of all of them, in all its
 * instances together.
 */
#ifndef HUB_PROBE_H
#define HUB_PROBE_H

#include <retinue/module.h>

/* What the handler is to do with a message; names in hub_command.c. */
enum hub_deed {
    HUB_PLAIN,
    HUB_GATE, /* waits for the file of the option `gate` */
    HUB_FAIL, /* -EIO */
    HUB_KEEP, /* until the command release */
    HUB_ANSWER,
    HUB_TWICE,
    HUB_LATER, /* a thread answers when the gate is open */
    HUB_NEVER,
    HUB_DONE, /* without an answer */
    HUB_REFUSE, /* answers with an error */
    HUB_OTHER, /* answers as a question of another type */
    HUB_SHORT, /* answers with too few bytes */
    HUB_BOTH /* answers and fails */
};

struct hub_note {
    int64_t tag;
    int64_t number;
    int32_t deed;
};

struct hub_reply {
    int64_t number;
    char on[32]; /* the thread */
};

RTN_QUESTION(hub_loop, struct hub_note, struct hub_reply)
RTN_QUESTION(hub_serial, struct hub_note, struct hub_reply)
RTN_QUESTION(hub_parallel, struct hub_note, struct hub_reply)
RTN_QUESTION(hub_web, struct hub_note, struct hub_reply)
RTN_QUESTION(hub_unlisted, struct hub_note, struct hub_reply)
RTN_MESSAGE_BYTES(hub_bytes)
RTN_MESSAGE_BYTES(hub_push)
RTN_MESSAGE_BYTES(hub_do)

struct hub_probe {
    const char *gate;
    const char *start; /* commands of the hooks */
    const char *quiesce;
    const char *stop;
    bool fail; /* its start hook */
};

/* One of the types with notes. */
struct hub_kind {
    const char *name;
    struct rtn_message_type *type;
    int (*send)(const struct hub_note *note);
    int (*move)(const struct hub_note *note, void (*release)(void *data), void *data);
    int (*ask)(rtn_server *server, void *instance, const struct hub_note *note, int64_t timeout,
               void (*then)(int result, const struct hub_reply *reply, void *data), void *data);
    int (*ask_for)(rtn_request *request, const struct hub_note *note, int64_t timeout,
                   int (*then)(rtn_request *request, int result, const struct hub_reply *reply, void *data),
                   void (*drop)(void *data), void *data);
};

/* hub_seen.c: lines in the order in which things happened, and messages that were kept. Any thread. */
void hub_saw(const char *format, ...) RTN_FORMAT_LIKE_PRINTF(1, 2);
void hub_keep(rtn_message *message, const struct hub_note *note);
int hub_release_all(void);
int hub_tell(rtn_request *request, void *instance); /* an HTTP handler */
void hub_forget(void);

/* Threads that end before the module does. */
int hub_thread(void *(*run)(void *data), void *data);
void hub_threads_end(void);

/* hub_command.c: one command a line; what each says goes into `out`, a line each. Any thread. */
struct hub_text {
    char data[8192];
    size_t length;
};
void hub_command(struct hub_probe *probe, rtn_server *server, const char *lines, struct hub_text *out);
int hub_ask_for(rtn_request *request, void *instance); /* an HTTP handler */
struct hub_note hub_make_note(const char *deed, int64_t tag, int64_t number);

#endif
