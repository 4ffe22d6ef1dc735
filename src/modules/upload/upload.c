/*
 * upload: stores what is posted or put as files of a folder. Shows bodies in pieces (begin, body, handle), the
 * multipart reader, early answers, and data of a request whose destructor cleans up however the request ends.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <retinue/module.h>

#include "receive.h"
#include "text.h"

/* What goes wrong with the disk and is no fault of the daemon. */
static const struct {
    int error;
    int status;
    const char *text;
} failures[] = {
    { EEXIST, 409, "there is a file of this name" },
    { EISDIR, 409, "there is a folder of this name" },
    { ENOSPC, 507, "there is no room for the file" },
    { EDQUOT, 507, "there is no room for the file" },
    { EFBIG, 413, "the file is too large for the file system" },
    { ENAMETOOLONG, 400, "the name of the file is too long" },
    { EMFILE, 503, "too many files are open" },
    { ENFILE, 503, "too many files are open" },
};

/* The answer to what failed with `error`; without one, the error. */
static int answer_failure(struct upload *upload, int error)
{
    rtn_request *request = upload->request;
    if (error == -ECANCELED)
        return rtn_reply_format(request, upload->status, "%s\n", upload->text);
    const char *malformed = upload->multipart != NULL ? rtn_multipart_error(upload->multipart) : "";
    if (malformed[0] != '\0')
        return rtn_reply_format(request, error == -EMSGSIZE ? 413 : 400, "%s\n", malformed);
    for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++) {
        if (error == -failures[i].error)
            return rtn_reply_format(request, failures[i].status, "%s\n", failures[i].text);
    }
    return error;
}

/* What the route's {name} or '*' stands for. */
static rtn_str name_in_path(const rtn_request *request)
{
    rtn_str name = rtn_request_param(request, "name");
    return name.data != NULL ? name : rtn_request_param(request, "*");
}

/* The Content-Length; 0 when there is none. The daemon has checked that it is a number. */
static int64_t announced_length(const rtn_request *request)
{
    rtn_str text = rtn_request_header(request, "Content-Length");
    int64_t length = 0;
    for (size_t i = 0; i < text.length && length < INT64_MAX / 10 - 9; i++)
        length = length * 10 + (text.data[i] - '0');
    return length;
}

/* Refuses before the body is sent what can be refused then. */
static int begin_put(struct upload *upload)
{
    int64_t limit = upload->settings->max_file;
    if (rtn_request_header(upload->request, "Content-Range").data != NULL)
        return receive_refuse(upload, 400, "parts of files are not taken");
    if (limit > 0 && announced_length(upload->request) > limit)
        return receive_refuse(upload, 413, "the file is larger than %lld bytes", (long long) limit);
    return receive_file(upload, (rtn_str){ NULL, 0 }, name_in_path(upload->request));
}

static void forget(void *data)
{
    receive_drop(data);
}

static int begin(rtn_request *request, void *instance)
{
    enum rtn_method method = rtn_request_method(request);
    if (method == RTN_METHOD_GET)
        return name_in_path(request).length > 0 ? RTN_NEXT : RTN_DONE;
    struct upload *upload = rtn_request_alloc(request, sizeof(*upload));
    if (upload == NULL)
        return -ENOMEM;
    *upload = (struct upload){ .request = request, .settings = instance };
    rtn_request_set_data(request, upload, forget);
    int r = method == RTN_METHOD_PUT ? begin_put(upload) : receive_form(upload);
    return r < 0 ? answer_failure(upload, r) : RTN_DONE;
}

static int body(rtn_request *request, const void *data, size_t length, void *instance)
{
    (void) instance;
    struct upload *upload = rtn_request_data(request);
    if (upload == NULL)
        return RTN_DONE; /* of a GET: of no interest */
    int r = upload->multipart != NULL ? rtn_multipart_feed(upload->multipart, data, length)
                                      : receive_data(upload, data, length);
    return r < 0 ? answer_failure(upload, r) : RTN_DONE;
}

static int show_form(rtn_request *request)
{
    static const char form[] = "<!doctype html>\n"
                               "<html lang=\"en\">\n"
                               "<title>Upload</title>\n"
                               "<form method=\"post\" enctype=\"multipart/form-data\">\n"
                               "  <label>Files: <input type=\"file\" name=\"file\" multiple required></label>\n"
                               "  <button>Send</button>\n"
                               "</form>\n"
                               "</html>\n";
    int r = rtn_reply_header(request, "Content-Type", "text/html; charset=utf-8");
    return r < 0 ? r : rtn_reply_static(request, 200, form, sizeof(form) - 1);
}

static void print_files(FILE *out, const struct upload *upload)
{
    for (const struct file *file = upload->files; file != NULL; file = file->next) {
        (void) fputs(file == upload->files ? "[{" : ", {", out);
        if (file->field.data != NULL) {
            (void) fputs("\"field\": ", out);
            text_print_json(out, file->field);
            (void) fputs(", ", out);
        }
        (void) fputs("\"file\": ", out);
        text_print_json(out, (rtn_str){ file->name, strlen(file->name) });
        (void) fprintf(out, ", \"size\": %lld}", (long long) file->size);
    }
    (void) fputs("]\n", out);
}

static int reply_files(const struct upload *upload, int status)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    if (out == NULL)
        return -ENOMEM;
    print_files(out, upload);
    int r = fclose(out) != 0 ? -ENOMEM : rtn_reply_header(upload->request, "Content-Type", "application/json");
    if (r == 0)
        return rtn_reply_release(upload->request, status, text, length, free, text);
    free(text);
    return r;
}

/* The path as it was sent, so without its query: where the file was put. */
static int add_location(rtn_request *request)
{
    rtn_str target = rtn_request_target(request);
    const char *query = memchr(target.data, '?', target.length);
    if (query != NULL)
        target.length = (size_t) (query - target.data);
    return rtn_reply_header_str(request, "Location", target);
}

static int finish(struct upload *upload)
{
    int r = receive_finish(upload);
    if (r < 0)
        return answer_failure(upload, r);
    int status = r == 0 || upload->multipart != NULL ? 201 : 200;
    if (upload->multipart != NULL && upload->settings->back != NULL)
        return rtn_reply_redirect(upload->request, 303, upload->settings->back);
    r = upload->multipart == NULL && status == 201 ? add_location(upload->request) : 0;
    return r < 0 ? r : reply_files(upload, status);
}

static int handle(rtn_request *request, void *instance)
{
    (void) instance;
    struct upload *upload = rtn_request_data(request);
    return upload == NULL ? show_form(request) : finish(upload);
}

static int configure(void *instance, rtn_setup *setup)
{
    const struct settings *settings = instance;
    for (size_t i = 0; i < settings->extensions.count; i++) {
        const char *extension = settings->extensions.items[i];
        if (extension[0] == '\0' || extension[0] == '.' || strchr(extension, '/') != NULL)
            return rtn_setup_error(setup, "extensions", "\"%s\" is no extension; write it without the dot: png",
                                   extension);
    }
    return 0;
}

static int ready(void *instance, rtn_setup *setup)
{
    struct settings *settings = instance;
    settings->store.overwrite = settings->overwrite;
    settings->store.sync = settings->fsync;
    settings->open = true;
    int r = store_open(&settings->store, settings->folder);
    return r < 0 ? rtn_setup_error(setup, "folder", "cannot store files in %s: %s", settings->folder, strerror(-r)) : 0;
}

static void unload(void *instance)
{
    struct settings *settings = instance;
    if (settings->open)
        store_close(&settings->store);
}

static const struct rtn_option options[] = {
    RTN_OPTION(PATH, struct settings, folder, .name = "folder", .required = true,
               .help = "Folder that the files are stored in."),
    RTN_OPTION(SIZE, struct settings, max_file, .name = "max_file", .fallback = "0", .min = 0, .max = INT64_MAX,
               .help = "Most bytes of one file; 0: no limit but limits.body."),
    RTN_OPTION(INT, struct settings, files, .name = "files", .fallback = "20", .min = 1, .max = 100,
               .help = "Most files in one form; each is an open descriptor until all are there."),
    RTN_OPTION(BOOL, struct settings, overwrite, .name = "overwrite", .fallback = "false",
               .help = "Replaces files that exist; else they are answered with 409."),
    RTN_OPTION(STRINGS, struct settings, extensions, .name = "extensions",
               .help = "The only extensions of files that are taken, without the dot; default all."),
    RTN_OPTION(BOOL, struct settings, fsync, .name = "fsync", .fallback = "true",
               .help = "Answers only when the files are safe on the disk."),
    RTN_OPTION(STRING, struct settings, back, .name = "back",
               .help = "URL that a browser is sent to (303) after its form was stored; default: a list in JSON."),
    { 0 },
};

static const struct rtn_http_handler http_handlers[] = {
    { .name = "upload",
      .summary = "Stores the files of forms (POST) and bodies (PUT); shows a form (GET).",
      .handle = handle,
      .methods = RTN_METHOD_GET | RTN_METHOD_POST | RTN_METHOD_PUT,
      .begin = begin,
      .body = body },
    { 0 },
};

static const struct rtn_module module = {
    .name = "upload",
    .version = "1.0",
    .summary = "Stores uploaded files in a folder, whole or not at all.",
    .threads = RTN_THREADS_PARALLEL,
    .instance_size = sizeof(struct settings),
    .options = options,
    .http = http_handlers,
    .configure = configure,
    .ready = ready,
    .unload = unload,
};
RTN_REGISTER_MODULE(module)
