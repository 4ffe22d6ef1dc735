/*
 * Receiving: files are begun as their parts come and are kept in a list on the request, without names in the folder
 * until receive_finish().
 */
#include "receive.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "text.h"

int receive_refuse(struct upload *upload, int status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void) vsnprintf(upload->text, sizeof(upload->text), format, arguments);
    va_end(arguments);
    upload->status = status;
    return -ECANCELED;
}

static int check_name(struct upload *upload, rtn_str name)
{
    const struct rtn_strings *extensions = &upload->settings->extensions;
    const char *wrong = text_wrong_name(name);
    if (wrong != NULL)
        return receive_refuse(upload, 400, "%s", wrong);
    if (extensions->count > 0 && !text_has_extension(name, extensions))
        return receive_refuse(upload, 415, "files with this extension are not taken");
    return 0;
}

int receive_file(struct upload *upload, rtn_str field, rtn_str name)
{
    const struct settings *settings = upload->settings;
    int r = check_name(upload, name);
    if (r < 0)
        return r;
    if (upload->count == settings->files)
        return receive_refuse(upload, 413, "there are more than %lld files", (long long) settings->files);
    struct file *file = rtn_request_alloc(upload->request, sizeof(*file) + field.length + name.length + 1);
    if (file == NULL)
        return -ENOMEM;
    char *texts = (char *) (file + 1);
    *file = (struct file){ .name = texts + field.length, .content.fd = -1 };
    if (field.length > 0)
        memcpy(texts, field.data, field.length);
    memcpy(file->name, name.data, name.length);
    file->name[name.length] = '\0';
    if (field.data != NULL)
        file->field = (rtn_str){ texts, field.length };
    if (!settings->overwrite && store_has(&settings->store, file->name))
        return -EEXIST;
    r = store_begin(&settings->store, &file->content);
    if (r < 0)
        return r;
    if (upload->last != NULL)
        upload->last->next = file;
    else
        upload->files = file;
    upload->last = file;
    upload->count++;
    return 0;
}

int receive_data(struct upload *upload, const void *data, size_t length)
{
    int64_t limit = upload->settings->max_file;
    struct file *file = upload->last;
    if (limit > 0 && (int64_t) length > limit - file->size)
        return receive_refuse(upload, 413, "the file is larger than %lld bytes", (long long) limit);
    file->size += (int64_t) length;
    return store_write(&file->content, data, length);
}

/* Parts without a file name are fields of the form, and of no interest. */
static int on_part(void *data, const struct rtn_part *part)
{
    struct upload *upload = data;
    upload->in_file = part->filename.data != NULL;
    return upload->in_file ? receive_file(upload, part->name, part->filename) : 0;
}

static int on_part_data(void *data, const void *bytes, size_t length)
{
    struct upload *upload = data;
    return upload->in_file ? receive_data(upload, bytes, length) : 0;
}

int receive_form(struct upload *upload)
{
    const struct rtn_multipart_options options = {
        .struct_size = sizeof(options),
        .data = upload,
        .part_begin = on_part,
        .part_data = on_part_data,
    };
    int r = rtn_multipart_new(upload->request, &options, &upload->multipart);
    return r == -EINVAL
               ? receive_refuse(upload, 415, "post multipart/form-data with a boundary, or put the file itself")
               : r;
}

static int commit_all(struct upload *upload)
{
    const struct store *store = &upload->settings->store;
    int outcome = 0;
    for (struct file *file = upload->files; file != NULL; file = file->next) {
        int r = store_commit(store, &file->content, file->name);
        if (r < 0) {
            for (file = upload->files; file != NULL; file = file->next) {
                if (file->created)
                    store_remove(store, file->name);
            }
            return r;
        }
        file->created = r == 0;
        outcome |= r;
    }
    return outcome;
}

int receive_finish(struct upload *upload)
{
    int r = upload->multipart != NULL ? rtn_multipart_finish(upload->multipart) : 0;
    if (r < 0)
        return r;
    return upload->files != NULL ? commit_all(upload) : receive_refuse(upload, 400, "the form has no file");
}

void receive_drop(struct upload *upload)
{
    for (struct file *file = upload->files; file != NULL; file = file->next)
        store_drop(&upload->settings->store, &file->content);
}
