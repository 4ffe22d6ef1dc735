/*
 * Signals that would end the process only set a flag, so that the terminal is always given back; the new size of the
 * window interrupts the wait for keys. Escape sequences of the arrows come in one read.
 */
#include "ctl/ctl_screen.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

static struct termios before;
static volatile sig_atomic_t ending;
static volatile sig_atomic_t resized;

static void on_end(int number)
{
    (void) number;
    ending = 1;
}

static void on_resize(int number)
{
    (void) number;
    resized = 1;
}

static void watch(int number, void (*handler)(int number))
{
    struct sigaction action = { .sa_handler = handler }; /* without SA_RESTART: poll() is to return */
    (void) sigaction(number, &action, NULL);
}

static void write_all(const char *data, size_t length)
{
    while (length > 0) {
        ssize_t n = write(STDOUT_FILENO, data, length);
        if (n < 0 && errno != EINTR) {
            ending = 1;
            return;
        }
        if (n > 0) {
            data += n;
            length -= (size_t) n;
        }
    }
}

static void write_text(const char *text)
{
    write_all(text, strlen(text));
}

int rtn_ctl_screen_open(void)
{
    if (isatty(STDOUT_FILENO) == 0 || tcgetattr(STDIN_FILENO, &before) < 0)
        return -ENOTTY;
    struct termios keys = before;
    keys.c_lflag &= ~(tcflag_t) (ICANON | ECHO);
    keys.c_cc[VMIN] = 1;
    keys.c_cc[VTIME] = 0;
    if (tcsetattr(STDIN_FILENO, TCSANOW, &keys) < 0)
        return -errno;
    watch(SIGINT, on_end);
    watch(SIGTERM, on_end);
    watch(SIGHUP, on_end);
    watch(SIGWINCH, on_resize);
    write_text("\033[?1049h\033[?25l\033[2J");
    return 0;
}

void rtn_ctl_screen_close(void)
{
    write_text("\033[?25h\033[?1049l");
    (void) tcsetattr(STDIN_FILENO, TCSANOW, &before);
}

void rtn_ctl_screen_size(unsigned *width, unsigned *height)
{
    struct winsize size = { 0 };
    bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 0;
    *width = known ? size.ws_col : 80;
    *height = known ? size.ws_row : 24;
}

/* Behind each line what was there before is erased. No line end follows the last one: the screen would move. */
void rtn_ctl_screen_show(const struct rtn_buf *lines)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf out = { 0 };
    rtn_buf_append_text(&out, "\033[H");
    for (size_t i = 0; i < lines->length; i++) {
        if (lines->data[i] != '\n')
            rtn_buf_append_char(&out, lines->data[i]);
        else
            rtn_buf_append_text(&out, i + 1 < lines->length ? "\033[K\r\n" : "\033[K");
    }
    rtn_buf_append_text(&out, "\033[J");
    write_all(out.data, out.length);
}

static int key_of(const char *bytes, ssize_t length)
{
    static const int arrows[] = { RTN_CTL_KEY_UP, RTN_CTL_KEY_DOWN, RTN_CTL_KEY_RIGHT, RTN_CTL_KEY_LEFT };
    if (length >= 3 && bytes[0] == '\033' && (bytes[1] == '[' || bytes[1] == 'O') && bytes[2] >= 'A' && bytes[2] <= 'D')
        return arrows[bytes[2] - 'A'];
    return RTN_CTL_KEY_OTHER + (unsigned char) bytes[0];
}

int rtn_ctl_screen_key(int64_t ms)
{
    struct pollfd poller = { .fd = STDIN_FILENO, .events = POLLIN };
    char bytes[8];
    int n = ending || resized ? 0 : poll(&poller, 1, (int) ms);
    if (ending)
        return RTN_CTL_KEY_END;
    if (resized) {
        resized = 0;
        return RTN_CTL_KEY_RESIZED;
    }
    if (n <= 0)
        return RTN_CTL_KEY_NONE;
    ssize_t length = read(STDIN_FILENO, bytes, sizeof(bytes));
    return length > 0 ? key_of(bytes, length) : RTN_CTL_KEY_END;
}
