/* Text in HTML. [any] */
#ifndef STATIC_HTML_H
#define STATIC_HTML_H

#include <stdio.h>

#include <retinue/types.h>

/* Writes text so that it is shown as it is; bytes that are no UTF-8 become U+FFFD. */
void static_html_text(FILE *out, rtn_str text);

#endif
