/*
 * Runs while building, never installed: fills the place-holders of a manual page. Standard input becomes standard
 * output;
 * @KEYS@ is replaced by the key chapter that the tables make, @VERSION@ by the first argument.
 */
#include <errno.h>
#include <stdio.h>

#include "config/config.h"

static int write_all(struct rtn_str s)
{
    return fwrite(s.data, 1, s.length, stdout) == s.length ? 0 : -EIO;
}

static int write_keys(void)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf keys = { 0 };
    rtn_config_manual(&keys);
    return write_all(rtn_buf_str(&keys));
}

static int fill_line(struct rtn_str line, const char *version)
{
    static const char mark[] = "@VERSION@";
    if (rtn_str_equal(line, RTN_STR("@KEYS@\n")))
        return write_keys();
    const char *at = memmem(line.data, line.length, mark, strlen(mark));
    if (at == NULL)
        return write_all(line);
    const char *rest = at + strlen(mark);
    int r = write_all((struct rtn_str){ line.data, (size_t) (at - line.data) });
    if (r == 0)
        r = write_all(rtn_str_of(version));
    return r < 0 ? r : write_all((struct rtn_str){ rest, (size_t) (line.data + line.length - rest) });
}

int main(int argc, char **argv)
{
    char line[1024];
    if (argc != 2) {
        fputs("usage: config-manual VERSION <PAGE.in >PAGE\n", stderr);
        return 2;
    }
    while (fgets(line, sizeof(line), stdin) != NULL) {
        if (fill_line(rtn_str_of(line), argv[1]) < 0)
            return 1;
    }
    return ferror(stdin) || fflush(stdout) != 0 ? 1 : 0;
}
