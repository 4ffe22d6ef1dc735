"""System calls that fail for the daemon, as they do where the kernel has no room for more, or a file system cannot do it."""
import ctypes
import os
import struct

AT_LEAST = 0x35
HAS_BITS = 0x45


def refuse(number, argument, test, value, error):
    """A function for the harness's preexec: the system call, whose number `number` has by machine, fails when the low half of that
    argument is at least, or has, the value."""
    def line(code, jump_true, jump_false, operand):
        return struct.pack("=HBBI", code, jump_true, jump_false, operand)
    program = b"".join([
        line(0x20, 0, 0, 0),  # the number of the call
        line(0x15, 0, 3, number[os.uname().machine]),
        line(0x20, 0, 0, 16 + 8 * argument),
        line(test, 0, 1, value),
        line(0x06, 0, 0, 0x00050000 | error),
        line(0x06, 0, 0, 0x7FFF0000),  # allow
    ])

    def install():
        buffer = ctypes.create_string_buffer(program)
        sized = ctypes.create_string_buffer(struct.pack("@HP", len(program) // 8, ctypes.addressof(buffer)))
        libc = ctypes.CDLL(None, use_errno=True)
        assert libc.prctl(38, 1, 0, 0, 0) == 0  # PR_SET_NO_NEW_PRIVS
        assert libc.prctl(22, 2, sized, 0, 0) == 0  # PR_SET_SECCOMP, SECCOMP_MODE_FILTER
    return install
