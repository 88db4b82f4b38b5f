import pytest

from nbmlops.core.errors import UsageError
from nbmlops.core.plugins import load_plugin, plugin_names


def test_an_entry_point_is_found_by_name() -> None:
    assert "hypothesispytest" in plugin_names("pytest11")
    plugin = load_plugin("pytest11", "hypothesispytest")
    assert getattr(plugin, "__name__", "") == "_hypothesis_pytestplugin"


def test_an_unknown_name_lists_the_known_and_the_nearest() -> None:
    with pytest.raises(UsageError, match="did you mean 'pytest'") as caught:
        load_plugin("console_scripts", "pytset")
    assert "'pytset' is not known to console_scripts" in caught.value.message
