/* retinuectl: reads the command line, looks at the terminal, and does what is asked for. */
#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "ctl/ctl_options.h"

/* NO_COLOR counts unless it is empty. */
static bool wants_color(void)
{
    const char *no_color = getenv("NO_COLOR");
    const char *terminal = getenv("TERM");
    return (no_color == NULL || no_color[0] == '\0') && terminal != NULL && strcmp(terminal, "dumb") != 0;
}

static void look_at_terminal(struct rtn_ctl *ctl)
{
    struct winsize size = { 0 };
    (void) setlocale(LC_CTYPE, "");
    ctl->utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
    if (isatty(STDOUT_FILENO) == 0)
        return;
    ctl->color = wants_color();
    ctl->width = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

int main(int argc, char **argv)
{
    struct rtn_ctl ctl;
    int (*run)(const struct rtn_ctl *ctl);
    int r = rtn_ctl_options(argc, argv, &ctl, &run);
    if (r != 0)
        return r > 0 ? RTN_CTL_OK : RTN_CTL_USAGE;
    look_at_terminal(&ctl);
    return run(&ctl);
}
