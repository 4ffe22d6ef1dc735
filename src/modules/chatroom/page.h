/* The page, its style and its script, which are in the module. Frozen once made. [any] */
#ifndef CHATROOM_PAGE_H
#define CHATROOM_PAGE_H

#include <retinue/module.h>

struct page;

/* The page with its title, which may be any text. 0 or -ENOMEM. */
int page_new(const char *title, struct page **ret);
void page_free(struct page *page);

/* Answers a GET: the page, or with "?style.css" or "?script.js" one of its parts. As handlers return. */
int page_answer(rtn_request *request, const struct page *page);

#endif
