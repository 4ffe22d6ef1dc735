/* The text of one round of `top`. [main] */
#ifndef RTN_CTL_CTL_VIEW_H
#define RTN_CTL_CTL_VIEW_H

#include "ctl/ctl.h"
#include "ctl/ctl_rates.h"

struct rtn_ctl_view {
    const json_t *picture; /* GET /status.json */
    const json_t *status; /* GET /status */
    struct rtn_ctl_rates *rates; /* are put into order */
    enum rtn_ctl_order order;
    bool color;
    bool utf8;
    unsigned width; /* columns; 0: lines may be long */
    unsigned height; /* lines; 0: as many as there are */
    unsigned skip; /* routes that are scrolled out of sight, at the top */
    const char *note; /* in the last line of a screen; NULL: none */
};

/* Lines, each with its end; never more than there is room for. */
void rtn_ctl_view_render(const struct rtn_ctl_view *view, struct rtn_buf *out);

#endif
