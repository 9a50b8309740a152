"""Every public definition says what it does, what it raises and how its arrays are shaped; and the check can fail."""

from __future__ import annotations

import textwrap

import pytest
from code_figures import ROOT, SOURCE, figures_of, long_functions, table
from source.docstrings import gives_shape, offenders
from source.reading import Module, read_modules


def _lacks(source: str, *more: str) -> list[str]:
    texts = ['"""A module."""\n' + textwrap.dedent(text) for text in (source, *more)]
    modules = [Module(f"made/up_{at}.py", text) for at, text in enumerate(texts)]
    return [f"{found.name}: {found.lacks}" for found in offenders(modules)]


def test_every_public_definition_has_a_full_docstring():
    modules = read_modules(ROOT, SOURCE)
    assert len(modules) > 300
    assert [str(found) for found in offenders(modules)] == []


def test_a_module_class_method_or_function_without_a_docstring_is_found():
    found = offenders([Module("made/up.py", "class Bare:\n    def do(self): ...\ndef go(): ...\n")])
    names = {each.name for each in found}
    assert names == {"module", "class Bare", "Bare.do", "go"}
    assert {each.lacks for each in found} == {"docstring"}


def test_what_nobody_outside_can_reach_needs_no_docstring():
    source = """
    class _Inner:
        def do(self): ...
    class Outer:
        '''A class.'''
        def __init__(self): ...
        def _part(self): ...
        def act(self):
            '''Act.'''
            def within(): raise ValueError
        @property
        def size(self):
            '''A number.'''
        @size.setter
        def size(self, value): ...
    def _go(): ...
    """
    assert _lacks(source) == []


def test_an_error_that_a_function_raises_must_stand_under_raises():
    source = '''
    def told(path):
        """Read.

        Raises
        ------
        OSError
            It cannot be.
        """
        raise OSError
    def half(path):
        """Read; KeyError where it has no name.

        Raises
        ------
        OSError
            It cannot be.

        Notes
        -----
        KeyError is told in the wrong place.
        """
        if path:
            raise KeyError(path)
        raise errors.OSError from None
    '''
    assert _lacks(source) == ["half: Raises: KeyError"]


def test_the_base_of_all_errors_stands_for_each_of_them():
    source = '''
    def act():
        """Act.

        Raises
        ------
        SemiMedRefError
            For whatever a reader can mend.
        """
        raise PoolError("Mend it.")
    '''
    assert _lacks(source) == []


def test_an_error_that_stays_inside_need_not_be_told():
    source = '''
    def quiet():
        """Act."""
        try:
            raise ValueError("no header")
        except (ValueError, errors.Other):
            return None
    def loud():
        """Act."""
        try:
            pass
        except ValueError as error:
            raise PoolError("Mend it.") from error
    def handed_on():
        """Act."""
        try:
            quiet()
        except ValueError:
            raise
    def unfinished():
        """Act."""
        raise NotImplementedError
    '''
    assert _lacks(source) == ["loud: Raises: PoolError"]


@pytest.mark.parametrize("kind", ["NDArray[np.uint8]", "np.ndarray | None", "Tensor", "Film"])
def test_arrays_that_come_in_or_go_out_need_a_shape(kind):
    named = "Film = NDArray[np.float32]\n"
    assert _lacks(f"def act(film: {kind}):\n    '''Act.'''\n", named) == ["act: shape"]
    assert _lacks(f"def act() -> list[{kind}]:\n    '''Act.'''\n", named) == ["act: shape"]
    assert _lacks(f"def act(film: {kind}):\n    '''Act on (H, W).'''\n", named) == []


@pytest.mark.parametrize(
    "text",
    [
        "(H, W) uint8",
        "``(B, 1, H / 2, W)``",
        "(63,)",
        "(len(cases),)",
        "(..., 2)",
        "of its shape",
        "(height, width)",
        "a scalar",
        "(B, 1 or 3, S, S)",
        "(B, widths[0], H)",
        "(n_cases, 4)",
    ],
)
def test_a_shape_is_known_when_it_is_seen(text):
    assert gives_shape(f"What it is: {text}, and so on.")


@pytest.mark.parametrize(
    "text",
    [
        "The words.",
        "(LViT, LV loss)",
        "(Selvaraju et al., 2017)",
        "(top, bottom)",
        "(see below)",
        "in [0, 1]",
        "float32",
        "(nearly) empty, (all but) full",
    ],
)
def test_what_only_looks_like_a_shape_is_none(text):
    assert not gives_shape(f"What it is: {text}, and so on.")


def test_a_command_is_exempt_because_its_docstring_is_help_for_a_user():
    source = """
    @app.command("go")
    def go(folder): raise ConfigError
    def stop(folder):
        '''Stop.'''
        raise ConfigError
    def helper(folder):
        '''Help.'''
        raise ConfigError
    """
    assert _lacks(source, "app.command('halt')(stop)\n") == ["helper: Raises: ConfigError"]


def test_the_figures_count_what_is_there():
    text = (
        '"""A module."""\ndef act(one: int, two):\n    return one\n'
        + "def _long():\n"
        + 40 * "    1\n"
    )
    modules = [Module("made/up.py", text), Module("made/empty.py", '"""Nothing."""\n')]
    tests = [Module("tests/test_up.py", "def test_it(): ...\ndef helper(): ...\n")]
    figures = figures_of(modules, tests, offenders(modules), 2)
    assert (figures.files, figures.lines, figures.biggest_file) == (2, 45, "made/up.py")
    assert (figures.functions, figures.function_lines_median, figures.long_functions) == (2, 2, 1)
    assert (figures.annotated_arguments, figures.tests) == (0.5, 1)
    assert figures.without_full_docstring == 1
    assert long_functions(modules) == ["made/up.py:4 _long: 41 lines"]
    assert "| contracts that imports break | 2 |" in table(figures)
