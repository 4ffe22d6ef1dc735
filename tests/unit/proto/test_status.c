/* Reason phrases, and which replies have no content. */
#include <stdio.h>

#include <criterion/criterion.h>

#include "base/macros.h"
#include "proto/status.h"

Test(status, reasons)
{
    static const struct {
        int status;
        const char *reason;
    } table[] = {
        { 200, "OK" },
        { 201, "Created" },
        { 204, "No Content" },
        { 206, "Partial Content" },
        { 208, "Already Reported" },
        { 209, "Status" },
        { 299, "Status" },
        { 300, "Multiple Choices" },
        { 303, "See Other" },
        { 304, "Not Modified" },
        { 306, "Status" },
        { 307, "Temporary Redirect" },
        { 308, "Permanent Redirect" },
        { 400, "Bad Request" },
        { 404, "Not Found" },
        { 405, "Method Not Allowed" },
        { 408, "Request Timeout" },
        { 413, "Content Too Large" },
        { 414, "URI Too Long" },
        { 417, "Expectation Failed" },
        { 418, "Status" },
        { 421, "Misdirected Request" },
        { 426, "Upgrade Required" },
        { 427, "Status" },
        { 429, "Too Many Requests" },
        { 431, "Request Header Fields Too Large" },
        { 451, "Unavailable For Legal Reasons" },
        { 452, "Status" },
        { 500, "Internal Server Error" },
        { 501, "Not Implemented" },
        { 503, "Service Unavailable" },
        { 505, "HTTP Version Not Supported" },
        { 509, "Status" },
        { 511, "Network Authentication Required" },
        { 512, "Status" },
        { 599, "Status" },
        { 100, "Continue" },
        { 101, "Switching Protocols" },
        { 102, "Status" },
        { 0, "Status" },
        { -1, "Status" },
        { 600, "Status" },
        { 2147483647, "Status" },
    };
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(table); i++)
        cr_expect(rtn_str_equal(rtn_status_reason(table[i].status), rtn_str_of(table[i].reason)), "%d",
                  table[i].status);
}

Test(status, bodiless)
{
    for (int status = 100; status < 600; status++)
        cr_expect_eq(rtn_status_bodiless(status), status < 200 || status == 204 || status == 304, "%d", status);
}

Test(status, lines)
{
    for (int status = -1; status < 700; status++) {
        char expected[64];
        const struct rtn_status_line *line = rtn_status_line(status);
        struct rtn_str reason = rtn_status_reason(status);
        cr_expect_eq(line == NULL, rtn_str_equal(reason, RTN_STR("Status")), "%d", status);
        if (line == NULL)
            continue;
        (void) snprintf(expected, sizeof(expected), "HTTP/1.1 %d %.*s\r\n", status, RTN_STR_ARG(reason));
        cr_expect_eq(line->length, strlen(expected), "%d", status);
        cr_expect_str_eq(line->text, expected);
    }
}
