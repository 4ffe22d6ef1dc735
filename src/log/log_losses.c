/* Two counts, since who is to mend it differs: a disk that is too slow, and a file that cannot be written. */
#include "log/log_losses.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "log/log.h"

#define TELL_MS 1000 /* between two complaints */

void rtn_log_losses_add(struct rtn_log_losses *losses, uint64_t lines, int error)
{
    if (error == -EAGAIN) {
        losses->slow += lines;
        return;
    }
    losses->failed += lines;
    losses->error = error;
}

bool rtn_log_losses_any(const struct rtn_log_losses *losses)
{
    return losses->slow > 0 || losses->failed > 0;
}

struct rtn_log_losses rtn_log_losses_take(struct rtn_log_losses *losses, int64_t now, bool last)
{
    struct rtn_log_losses taken = *losses;
    if (!rtn_log_losses_any(losses) || (now < losses->tell_at && !last))
        return (struct rtn_log_losses){ 0 };
    *losses = (struct rtn_log_losses){ .tell_at = now + TELL_MS };
    return taken;
}

void rtn_log_losses_tell(const struct rtn_log_losses *losses, const char *what, const char *path)
{
    if (losses->slow > 0)
        rtn_log(RTN_LOG_WARN, "%s %s: %" PRIu64 " line%s lost: the disk is too slow", what, path, losses->slow,
                losses->slow == 1 ? "" : "s");
    if (losses->failed > 0)
        rtn_log(RTN_LOG_ERROR, "%s %s: %" PRIu64 " line%s lost: %s", what, path, losses->failed,
                losses->failed == 1 ? "" : "s", strerror(-losses->error));
}
