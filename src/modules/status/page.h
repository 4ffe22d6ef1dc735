/* The dashboard: one page, with its style and script in it. Frozen once made. [any] */
#ifndef STATUS_PAGE_H
#define STATUS_PAGE_H

#include <retinue/module.h>

struct page;

/* The page with its title, which may be any text, and the milliseconds between two looks. 0 or -ENOMEM. */
int page_new(const char *title, int64_t refresh, struct page **ret);
void page_free(struct page *page);

/* Answers a GET. As handlers return. */
int page_answer(rtn_request *request, const struct page *page);

#endif
