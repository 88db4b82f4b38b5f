"""State that belongs to no name: settings of libraries, warning filters, the environment, the working directory.

Comes in: dotted paths of calls and of assigned targets. Goes out: whether they change such state. Random generators are
not counted: the runtime hands their state from step to step.
"""

from __future__ import annotations

_SETTERS = """
    pandas.set_option pandas.reset_option pandas.set_eng_float_format pandas.plotting.register_matplotlib_converters
    numpy.set_printoptions numpy.seterr numpy.seterrcall numpy.set_string_function matplotlib.use matplotlib.rc
    matplotlib.rcdefaults matplotlib.style.use matplotlib.interactive matplotlib.pyplot.rc
    matplotlib.pyplot.rcdefaults matplotlib.pyplot.style.use matplotlib.pyplot.ion matplotlib.pyplot.ioff
    matplotlib.pyplot.switch_backend matplotlib.pyplot.set_cmap
    matplotlib_inline.backend_inline.set_matplotlib_formats IPython.display.set_matplotlib_formats seaborn.set
    seaborn.set_theme seaborn.set_style seaborn.set_context seaborn.set_palette seaborn.set_color_codes
    seaborn.reset_defaults seaborn.reset_orig sklearn.set_config warnings.filterwarnings warnings.simplefilter
    warnings.resetwarnings warnings.showwarning logging.basicConfig logging.disable logging.captureWarnings
    logging.config.dictConfig logging.config.fileConfig locale.setlocale os.chdir os.putenv os.unsetenv os.umask
    sys.setrecursionlimit decimal.setcontext plotly.io.templates.default plotly.offline.init_notebook_mode
    altair.data_transformers.enable altair.data_transformers.disable_max_rows altair.renderers.enable
    altair.themes.enable torch.set_default_dtype torch.set_num_threads torch.set_printoptions
    torch.use_deterministic_algorithms torch.set_default_device tensorflow.config.set_visible_devices
    tensorflow.config.threading.set_intra_op_parallelism_threads tensorflow.keras.backend.set_floatx
    tqdm.tqdm.pandas tqdm.auto.tqdm.pandas tqdm.notebook.tqdm.pandas mlflow.set_tracking_uri mlflow.set_experiment
    mlflow.autolog mlflow.sklearn.autolog shap.initjs IPython.display.set_matplotlib_close skimage.io.use_plugin
    pandas.api.extensions.register_dataframe_accessor pandas.api.extensions.register_series_accessor
    pandas.api.extensions.register_index_accessor
    polars.Config.set_tbl_rows polars.Config.set_tbl_cols polars.Config.set_fmt_str_lengths dotenv.load_dotenv
"""
_METHODS = """
    append extend insert remove pop clear update setdefault sort reverse __setitem__ setLevel addHandler addFilter
    removeHandler popitem
"""
_CALLS = frozenset(_SETTERS.split())
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


def is_object(path: str) -> bool:
    """Returns whether the path leads to a module or to an object with state that belongs to no name."""
    return bool(path) and ("." not in path or path in _OBJECTS or path.startswith("pandas.options"))
