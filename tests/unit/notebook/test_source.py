import ast
import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbmlops.notebook.model import Magic, MagicAction
from nbmlops.notebook.shell_lines import ShellNames, shell_names
from nbmlops.notebook.source import translate


@pytest.mark.parametrize(
    ("source", "python"),
    [
        ("x = 1\n# comment\n", "x = 1\n# comment\n"),
        ("", ""),
        ("%matplotlib inline\nx = 1", "\nx = 1"),
        ("if x:\n    %matplotlib inline\ny = 1", "if x:\n    pass\ny = 1"),
        ("%load_ext nbmlops\n%load_ext autoreload\n%autoreload 2\n%config IPCompleter.greedy = True", "\n\n\n"),
        (
            "%config InlineBackend.figure_format='retina'\n%config InlineBackend.figure_formats = {'svg', 'pdf'}",
            """\
matplotlib_inline.backend_inline.set_matplotlib_formats("retina")
matplotlib_inline.backend_inline.set_matplotlib_formats("pdf", "svg")""",
        ),
        ("y = %time f(x)", "y = f(x)"),
        ("for i in a:\n    %time f(i)", "for i in a:\n    f(i)"),
        ("%%time\nx = 1", "\nx = 1"),
        ("\n%%time\n\nx = 1\n", "\n\n\nx = 1\n"),
        ("%%capture\n%%time\nf()", "\n\nf()"),
        ("%pip install a\n!pip install -q b | tail -n 1\n!{sys.executable} -m pip install c\nx = 1", "\n\n\nx = 1"),
        ("!pip install a \\\n  b \\\n  c\nx = 1", "\n\n\nx = 1"),
        ("x?\n?x\nx.y??\nz = 1", "\n\n\nz = 1"),
        ("  x = 1\n  y = 2", "x = 1\ny = 2"),
        (">>> x = 1\n... y\n", "x = 1\ny\n"),
        ("In [3]: x = 1\n   ...: y = 2", "x = 1\ny = 2"),
        ("/f x y", "f(x, y)"),
        (
            "s = '''\n%matplotlib\n!ls\n'''\n%mlops data s",
            "s = '''\n%matplotlib\n!ls\n'''\nnbmlops.data(s, name=\"s\")",
        ),
        ("%mlops data \\\n  df --name x\nz", 'nbmlops.data(df, name="x")\n\nz'),
        ("for e in r:\n    %mlops metric loss --step e", 'for e in r:\n    nbmlops.metric("loss", loss, step=e)'),
        ("r = %mlops data df", 'r = nbmlops.data(df, name="df")'),
        ("%mlops track\n%mlops gate\n%mlops register m --data X\n%mlops status\n%mlops", "\n\n\n\n"),
        ("%%mlops step train\nx = 1", "\nx = 1"),
        ("out = !ls\nx = 1", 'out = nbmlops.shell.getoutput("ls")\nx = 1'),
        ("for f in x:\n    !wc {f} \\\n  -l\nx", 'for f in x:\n    nbmlops.shell.system(f"wc {f}    -l")\n\nx'),
        (
            "!!ls\n%sx pwd\n%ls -a",
            "\n".join(
                f"nbmlops.shell.{c}" for c in ('getoutput("ls")', 'getoutput("pwd")', 'system("ls -F --color -a")')
            ),
        ),
        ("%%bash\nls\n", 'nbmlops.shell.script(["bash"], """\\\nls\\n""")\n'),
        (
            "%%bash --out text --no-raise-error\nls",
            'text = nbmlops.shell.script_output(["bash"], """\\\nls\\n""", check=False)',
        ),
        ("\n%%script python -i\n'\\n'\n\n\"", '\nnbmlops.shell.script(["python", "-i"], """\\\n\'\\\\n\'\n\n"\\n""")'),
        (
            '%%writefile -a \'a b.txt\'\nx\n"""',
            'nbmlops.shell.writefile("a b.txt", """\\\nx\n\\"\\"\\"\\n""", append=True)',
        ),
        ("%%writefile a.txt", 'nbmlops.shell.writefile("a.txt", "")'),
        ("%%sx\nls\npwd", 'nbmlops.shell.getoutput("""\\\nls\npwd\\n""")'),
        ("here = %pwd", "here = nbmlops.shell.pwd()"),
        ("x = (1,\n2", "\n"),
        ("def f():\n    return await g()", "\n"),
        ("async def f():\n    return await g()", "async def f():\n    return await g()"),
        ("x %y", "x %y"),
        ('print("\\d")', 'print("\\d")'),
    ],
)
def test_the_python_stands_line_for_line(source, python):
    assert translate(source, ShellNames(frozenset({"f"}))).python == python


def test_magics_tell_what_became_of_them():
    found = translate("%matplotlib inline\n%pip install a\n%time f()\n%mlops gate\n%mlops metric a\n/g x").magics
    assert [(magic.line, magic.text, magic.action, magic.python) for magic in found] == [
        (1, "%matplotlib inline", MagicAction.DROP, ""),
        (2, "%pip install a", MagicAction.REQUIREMENT, ""),
        (3, "%time f()", MagicAction.UNWRAP, "f()"),
        (4, "%mlops gate", MagicAction.GATE, "nbmlops.gate()"),
        (5, "%mlops metric a", MagicAction.CALL, 'nbmlops.metric("a", a)'),
        (6, "/g x", MagicAction.UNWRAP, "g(x)"),
    ]
    assert all(magic.reason for magic in found)


def test_a_continued_magic_keeps_its_text():
    assert translate("!pip install a \\\n  b").magics == (
        Magic(
            1,
            "!pip install a \\\n  b",
            MagicAction.REQUIREMENT,
            "installs packages; the pipeline gets its own from requirements.lock",
        ),
    )


@pytest.mark.parametrize("source", ["%%mlops step train\nx", "\n%%mlops step 'train'  # here\nx"])
def test_the_cell_magic_names_the_step(source):
    assert translate(source).step == "train"


@pytest.mark.parametrize(
    ("source", "codes"),
    [
        ("%cd -\n!ls\n%nonsense\n%%time\nx = %env", ["NB112", "NB126", "NB117", "NB115", "NB112"]),
        ("!ls &\n!pip install x; ls\n!echo {(y := 1)}\n!echo {Out[1]}", ["NB113"] * 4),
        ("%%bash\n%cd", ["NB126"]),
        ("%%writefile a.txt\n%cd\n", []),
        ("%pwd", []),
        ("%%bash --bg\nls", ["NB111"]),
        ("%%bash -s $f\nls", ["NB111"]),
        ("%%script\nls", ["NB111"]),
        ("%%bash -s 'open\nls", ["NB111"]),
        ("%%writefile a b\nls", ["NB111"]),
        ("%%sx -o x\nls", ["NB111"]),
        ("%%sx\necho $f", ["NB111"]),
        ("%%mlops data x\n1", ["NB120"]),
        ("%mlops nonsense\nx = (", ["NB120", "NB110"]),
        ("async for x in y:\n    pass", []),
        ("[x async for x in y]", []),
    ],
)
def test_every_fault_of_a_cell_is_found_in_one_pass(source, codes):
    assert [fault.code for fault in translate(source, ShellNames(frozenset({"f"}))).faults] == codes


def test_warnings_of_the_python_compiler_are_not_shown():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert translate('x = "\\d"\ny = x is 1').faults == ()


PIECES = st.sampled_from(
    [
        "%",
        "%%",
        "!",
        "?",
        "x",
        "=",
        " ",
        "\n",
        "    ",
        "time",
        "mlops data x",
        "ls",
        "(",
        ")",
        "'",
        '"""',
        "\\\n",
        "#",
        "\t",
        ">>> ",
        "In [1]: ",
        "if x:",
        ":",
        "/",
        ",",
        ";",
        "await ",
        "\x0c",
        "é",
        "\x00",
        "%%capture\n",
        "1",
    ]
)


@given(st.lists(PIECES, max_size=14).map("".join))
def test_any_cell_becomes_python_with_as_many_lines(source):
    translation = translate(source)
    assert translation.python.count("\n") == source.count("\n")
    ast.parse(translation.python)
    assert all(0 <= fault.line <= source.count("\n") + 1 for fault in translation.faults)


def test_exit_codes_are_kept_where_they_are_read():
    names = shell_names(["x = 1\nprint(_exit_code)"])
    assert translate("!echo {x}\nif x:\n    !ls", names).python == (
        '_exit_code = nbmlops.shell.exit_code(f"echo {x}")\nif x:\n    _exit_code = nbmlops.shell.exit_code("ls")'
    )
    found = translate("def f():\n    !ls\n", names)
    assert [(fault.code, fault.line) for fault in found.faults] == [("NB126", 2), ("NB113", 2)]
