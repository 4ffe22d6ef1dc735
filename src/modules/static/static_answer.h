/* The answers that the module gives. All return what a handler returns. [owner's thread] */
#ifndef STATIC_ANSWER_H
#define STATIC_ANSWER_H

#include "static_site.h"

/* One of the files of an entry, whose reference is taken. */
int static_answer_entry(rtn_request *request, const struct static_site *site, struct static_entry *entry);

/* To the same path with a slash behind it. */
int static_answer_redirect(rtn_request *request);

/* HTML, which is taken and freed. */
int static_answer_page(rtn_request *request, char *page, size_t length);

/* True for a negative errno that says that there is nothing to serve: 404. */
bool static_answer_is_absence(int error);

/* What a client hears of a negative errno. One that is not about the file is returned as it is, for the daemon. */
int static_answer_error(rtn_request *request, int error);

#endif
