/* The files of one request on their way into the folder. [worker] */
#ifndef UPLOAD_RECEIVE_H
#define UPLOAD_RECEIVE_H

#include <retinue/module.h>

#include "store.h"

struct settings {
    const char *folder;
    int64_t max_file;
    int64_t files;
    bool overwrite;
    bool fsync;
    struct rtn_strings extensions;
    const char *back;
    struct store store;
    bool open;
};

struct file {
    struct file *next;
    rtn_str field; /* absent: it came by PUT */
    char *name;
    int64_t size;
    struct store_file content;
    bool created; /* it has its name, and there was no file of it before */
};

/* One request that brings files. */
struct upload {
    rtn_request *request;
    const struct settings *settings;
    rtn_multipart *multipart; /* NULL: the body is the file */
    struct file *files;
    struct file *last;
    int64_t count;
    bool in_file; /* the part is a file, not a mere field */
    int status; /* of a refusal; set when a function here returns -ECANCELED */
    char text[128];
};

/* Sets the answer and returns -ECANCELED. */
int receive_refuse(struct upload *upload, int status, const char *format, ...) RTN_FORMAT_LIKE_PRINTF(3, 4);

/*
 * All return 0 or a negative errno: -ECANCELED after a refusal, what rtn_multipart_feed() or rtn_multipart_finish()
 * found, or what went wrong with the disk. The files of a form; or one file and its content.
 */
int receive_form(struct upload *upload);
int receive_file(struct upload *upload, rtn_str field, rtn_str name);
int receive_data(struct upload *upload, const void *data, size_t length);

/*
 * The body is complete: all files or none get their names, as far as none replaces another one. 0: all are new; 1: at
 * least one replaced another.
 */
int receive_finish(struct upload *upload);

/* Drops what did not get its name. */
void receive_drop(struct upload *upload);

#endif
