"""State that belongs to no name: settings of libraries, warning filters, the environment, the working directory.

Comes in: dotted paths of calls and of assigned targets. Goes out: whether they change such state, and whether the
runtime hands the change from step to step, as it does with most of it (`nbmlops.runtime.ambient.session`).
"""

from __future__ import annotations

# Calls whose effect the runtime hands over.
_HANDED_OVER = """
    pandas.set_option pandas.reset_option pandas.set_eng_float_format numpy.set_printoptions numpy.seterr
    numpy.seterrcall numpy.setbufsize matplotlib.rc matplotlib.rcdefaults matplotlib.rc_file
    matplotlib.rc_file_defaults matplotlib.style.use matplotlib.pyplot.rc matplotlib.pyplot.rcdefaults
    matplotlib.pyplot.style.use matplotlib.pyplot.ion matplotlib.pyplot.set_cmap
    matplotlib_inline.backend_inline.set_matplotlib_formats IPython.display.set_matplotlib_formats
    seaborn.set seaborn.set_theme
    seaborn.set_style seaborn.set_context seaborn.set_palette seaborn.set_color_codes seaborn.reset_defaults
    seaborn.reset_orig sklearn.set_config warnings.filterwarnings warnings.simplefilter warnings.resetwarnings
    logging.basicConfig logging.disable logging.config.dictConfig logging.config.fileConfig locale.setlocale os.chdir
    sys.setrecursionlimit sys.set_int_max_str_digits socket.setdefaulttimeout csv.field_size_limit time.tzset
    decimal.setcontext torch.set_default_dtype torch.set_default_device torch.use_deterministic_algorithms
    dotenv.load_dotenv
"""
# Those of them that give something back, which Jupyter shows below a cell that ends in one.
_TELLING = frozenset({
    "numpy.seterr", "numpy.seterrcall", "numpy.setbufsize", "locale.setlocale", "csv.field_size_limit",
    "dotenv.load_dotenv",
})  # fmt: skip
# Calls whose effect belongs to one process.
_REFUSED = """
    pandas.plotting.register_matplotlib_converters numpy.set_string_function matplotlib.use matplotlib.interactive
    matplotlib.pyplot.ioff matplotlib.pyplot.switch_backend
    warnings.showwarning logging.captureWarnings os.putenv os.unsetenv os.umask plotly.io.templates.default
    plotly.offline.init_notebook_mode altair.data_transformers.enable altair.data_transformers.disable_max_rows
    altair.renderers.enable altair.themes.enable torch.set_num_threads torch.set_printoptions
    tensorflow.config.set_visible_devices tensorflow.config.threading.set_intra_op_parallelism_threads
    tensorflow.keras.backend.set_floatx tqdm.tqdm.pandas tqdm.auto.tqdm.pandas tqdm.notebook.tqdm.pandas
    mlflow.set_tracking_uri mlflow.set_experiment mlflow.autolog mlflow.sklearn.autolog shap.initjs
    IPython.display.set_matplotlib_close skimage.io.use_plugin pandas.api.extensions.register_dataframe_accessor
    pandas.api.extensions.register_series_accessor pandas.api.extensions.register_index_accessor
    polars.Config.set_tbl_rows polars.Config.set_tbl_cols polars.Config.set_fmt_str_lengths
"""
_METHODS = """
    append extend insert remove pop clear update setdefault sort reverse __setitem__ setLevel addHandler addFilter
    removeHandler popitem
"""
_CARRIED = frozenset(_HANDED_OVER.split())
_CALLS = _CARRIED | frozenset(_REFUSED.split())
_CHANGING_METHODS = frozenset(_METHODS.split())

# Calls of any other method on these leave them alone ("os.environ.get").
_OBJECTS = (
    "os.environ",
    "sys.path",
    "sys.modules",
    "matplotlib.rcParams",
    "matplotlib.pyplot.rcParams",
    "warnings.filters",
)

# Calls that give such an object, the same one each time.
_GETTERS = frozenset({"decimal.getcontext()", "logging.getLogger()"})

# The runtime hands over every change of what is below these paths, but for filters of loggers.
_CARRIED_OBJECTS = (
    "os.environ[", "os.environ.", "sys.path", "matplotlib.rcParams[", "matplotlib.rcParams.",
    "matplotlib.pyplot.rcParams[", "matplotlib.pyplot.rcParams.", "warnings.filters", "pandas.options.",
    "decimal.getcontext()", "logging.getLogger()", "logging.root.", "logging.config.",
)  # fmt: skip

# While these context managers are open, a change of a setting is undone at their end.
RESTORING = frozenset(
    {
        "warnings.catch_warnings",
        "pandas.option_context",
        "matplotlib.rc_context",
        "matplotlib.pyplot.rc_context",
        "matplotlib.style.context",
        "matplotlib.pyplot.style.context",
        "numpy.printoptions",
        "numpy.errstate",
        "sklearn.config_context",
        "seaborn.axes_style",
        "seaborn.plotting_context",
        "decimal.localcontext",
        "contextlib.chdir",
    }
)


def gives_back(path: str | None) -> bool:
    """Returns whether a call of this function changes a setting and gives the former or the new one back."""
    return path in _TELLING


def changes_setting(path: str) -> bool:
    """Returns whether calling what is at this dotted path changes state that belongs to no name."""
    if path in _CALLS:
        return True
    owner, _, method = path.rpartition(".")
    return method in _CHANGING_METHODS and (owner in _OBJECTS or owner.startswith("logging."))


def changes_object(path: str, name: str) -> bool:
    """Returns whether calling the method, or assigning an attribute or item (""), changes the object at this path."""
    if not name:
        return is_object(path) or path in _GETTERS
    return path in {*_OBJECTS, *_GETTERS} and (name in _CHANGING_METHODS or name.startswith("clear_"))


def is_handed_over(path: str) -> bool:
    """Returns whether the runtime hands the change of a setting, known by its path, to the next step."""
    if path in _CALLS:
        return path in _CARRIED
    return path.startswith(_CARRIED_OBJECTS) and not path.endswith(".addFilter")


def is_object(path: str) -> bool:
    """Returns whether the path leads to a module or to an object with state that belongs to no name."""
    return bool(path) and ("." not in path or path in _OBJECTS or path.startswith("pandas.options"))
