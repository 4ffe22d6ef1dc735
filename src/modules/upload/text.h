/* Names of files and text for JSON. Pure functions. [any] */
#ifndef UPLOAD_TEXT_H
#define UPLOAD_TEXT_H

#include <stdbool.h>
#include <stdio.h>

#include <retinue/module.h>

/* NULL, or why a file must not have this name, in words for the client. */
const char *text_wrong_name(rtn_str name);

/* True when the name ends in a dot and one of the extensions, in any case. */
bool text_has_extension(rtn_str name, const struct rtn_strings *extensions);

/* A JSON string (RFC 8259); what is not UTF-8 becomes U+FFFD. */
void text_print_json(FILE *out, rtn_str value);

#endif
