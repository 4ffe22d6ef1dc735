"""Who sends what to whom is checked before anything runs: what does not fit is refused with both places."""
import pytest

from common import with_test_modules


def worker(name, *modules):
    listed = "".join(f"      - module: {module}\n" for module in modules)
    return f"  {name}:\n    protocol: worker\n    modules:\n{listed}"


def place(text, line):
    """The lines that show a place, and where it is."""
    column = text.splitlines()[line - 1].index("module: ") + len("module: ")
    word = text.splitlines()[line - 1][column:]
    return f"{line}:{column + 1}", f"{line:5} | {text.splitlines()[line - 1]}\n      | {' ' * column}{'^' + '~' * (len(word) - 1)}\n"


def checked(retinued, tmp_path, text, *reports):
    """`reports` are (line, kind, message)."""
    config = tmp_path / "retinued.yaml"
    expected = ""
    for line, kind, message in reports:
        where, shown = place(text, line)
        expected += f"{config}:{where}: {kind}: {message}\n{shown}"
    result = retinued("-n", text=text)
    assert result.stderr == expected
    assert (result.returncode, result.stdout) == (1, "")
    started = retinued(text=text)
    assert (started.returncode, started.stderr) == (1, expected)


def good(retinued, text):
    result = retinued("-n", text=text)
    assert (result.returncode, result.stderr) == (0, "")


def test_an_owner_and_senders(retinued):
    good(retinued, with_test_modules(worker("a", "wire_sender") + worker("b", "wire_owner") + worker("c", "wire_sender")))
    good(retinued, with_test_modules(worker("a", "wire_both")))
    good(retinued, with_test_modules(worker("a", "wire_owner")))


def test_two_owners(retinued, tmp_path):
    text = with_test_modules(worker("a", "wire_owner") + worker("b", "wire_sender", "wire_owner"))
    checked(retinued, tmp_path, text,
            (11, "error", 'server "b": module "wire_owner": message "wire_job" is handled here and by server "a": module '
             '"wire_owner"; one of them may'),
            (6, "note", 'server "a": module "wire_owner" handles it too'))


def test_the_same_server_twice(retinued, tmp_path):
    text = with_test_modules(worker("a", "wire_owner", "wire_both"))
    checked(retinued, tmp_path, text,
            (7, "error", 'server "a": module "wire_both": message "wire_job" is handled here and by server "a": module '
             '"wire_owner"; one of them may'),
            (6, "note", 'server "a": module "wire_owner" handles it too'))


def test_nobody(retinued, tmp_path):
    text = with_test_modules(worker("a", "wire_sender") + worker("b", "wire_sender"))
    message = 'server "{}": module "wire_sender": message "wire_job" is sent here, but no server handles it; add the module that ' \
        "does to `modules` of one"
    checked(retinued, tmp_path, text, (6, "error", message.format("a")), (10, "error", message.format("b")))


@pytest.mark.parametrize("module,shape", [
    ("wire_size", "16 bytes, answer 4 bytes"), ("wire_version", "8 bytes, version 2, answer 4 bytes"),
    ("wire_answer", "8 bytes, answer 16 bytes"), ("wire_plain", "8 bytes"), ("wire_bytes", "any bytes"),
])
@pytest.mark.parametrize("owner_first", [True, False])
def test_another_declaration(retinued, tmp_path, module, shape, owner_first):
    first, second = ("wire_owner", module) if owner_first else (module, "wire_owner")
    usual = "8 bytes, version 1, answer 4 bytes" if "version" in shape else "8 bytes, answer 4 bytes"
    here, there = (shape, usual) if owner_first else (usual, shape)
    text = with_test_modules(worker("a", first) + worker("b", second))
    checked(retinued, tmp_path, text,
            (10, "error", f'server "b": module "{second}": message "wire_job" has {here} in module "{second}", but {there} in module '
             f'"{first}"; they were not compiled with the same declaration'),
            (6, "note", f'server "a": module "{first}" has it too'))


def test_all_that_is_wrong_is_told_at_once(retinued):
    text = with_test_modules(worker("a", "wire_owner") + worker("b", "wire_owner") + worker("c", "wire_size"))
    result = retinued("-n", text=text)
    assert result.returncode == 1
    for part in ('server "b": module "wire_owner": message "wire_job" is handled here',
                 'server "c": module "wire_size": message "wire_job" has 16 bytes'):
        assert part in result.stderr
