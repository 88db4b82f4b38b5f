"""The quick look for secrets misses none that the finders find."""

from __future__ import annotations

import pytest

from nbmlops.core.secret_hints import may_name_secrets, may_show_secrets
from nbmlops.tracking.secret_formats import find_secrets
from nbmlops.tracking.secret_sources import assigned_secrets

RANDOM = "kJ8dh3Ks02mSlq9vXyB7tR1z"
NAMED = (
    "db_password = 'k-12'", "apiKey = 'k-12'", "connect(passwd='k-12')", "os.environ['DB_PASS'] = 'k-12'",
    "pwd = b'k-12'", f"token = '{RANDOM}'", f"x = '{RANDOM}'", f'auth = "{RANDOM[:16]}"',
    "credentials = {'client_secret': 'k-12'}",
    "%env DB_PASSWORD=k-12", "%env TOKEN=a1b2-c3d4-e5f6-g7h8",
    "!x --passphrase k-12", "signing_key = 'k-12'", "connection_string = 'k-12'",
)  # fmt: skip
SHOWN = (
    "AKIAIOSFODNN7EXAMPLE", "ghp_" + "a1B2" * 9, "hf_" + "aB3" * 11, "hf_" + "xVbVZLcJ" * 4,
    "xoxb-123456-a1b2c3d4e5", "https://bob:k-12@host/x",
    f"https://{RANDOM}@host/x", "https://x.org/?access_token=k-12", "https://x.org/a?X-Amz-Signature=0123abcd",
    "-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----", "Authorization: Basic k-123456",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl", "sk-ant-" + "api03-" * 5, "glpat-" + "a1B2c3D4" * 3,
    "SG." + "aB1" * 7 + "c." + "aB1" * 14 + "c", "https://hooks.slack.com/services/T0A/B0B/" + "aB1" * 8,
)  # fmt: skip


@pytest.mark.parametrize("source", NAMED)
def test_what_is_assigned_passes_the_quick_look(source: str) -> None:
    assert (bool(assigned_secrets(source)), may_name_secrets(source)) == (True, True)


@pytest.mark.parametrize("text", SHOWN)
def test_what_has_a_form_passes_the_quick_look(text: str) -> None:
    assert (bool(list(find_secrets(text))), may_show_secrets(text)) == (True, True)


@pytest.mark.parametrize(
    "source",
    [
        "import pandas as pd\nflights = pd.read_csv('data/2013/flights.csv', index_col='key')",
        "fig.savefig('figures/03.08-split-apply-combine.png')",
        "model = RandomForestClassifier(n_estimators=200, random_state=42)\nscores.sort_values(by='auc', key=abs)",
        "# see https://github.com/nicolargo/glances and https://scikit-learn.org/stable/?highlight=forest",
    ],
)
def test_everyday_code_costs_no_closer_look(source: str) -> None:
    assert (may_name_secrets(source), may_show_secrets(source)) == (False, False)
