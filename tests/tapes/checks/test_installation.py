"""The doctor's look at the installation: packages, models, weights and room; each fault with its remedy."""

from __future__ import annotations

import importlib
import shutil
from types import SimpleNamespace

import pytest

from pipeline import model_catalog, settings
from pipeline.errors import SettingsError
from pipeline.tapes.checks import installation
from pipeline.tapes.checks.installation import Finding

DEFAULT = settings.load().settings


@pytest.fixture
def checked(monkeypatch: pytest.MonkeyPatch):
    """The checks of an installation whose engines are said to be there, or not: loading them takes seconds."""
    state = SimpleNamespace(broken=set(), models=True, free=5_000_000_000)

    def load(name: str) -> object:
        if name in state.broken:
            raise ImportError(f"no module {name}")
        return SimpleNamespace(__version__="1.2")

    monkeypatch.setattr(installation.importlib, "import_module", load)
    monkeypatch.setattr(model_catalog, "installed", lambda entry, chosen: state.models)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=state.free))
    state.findings = lambda: {finding.what: finding for finding in installation.check(DEFAULT)}
    yield state
    assert importlib.import_module is load


def test_a_whole_installation_has_nothing_to_mend(checked) -> None:
    findings = checked.findings()
    assert all(finding.fine for finding in findings.values())
    assert findings["package torch"].state == "1.2"
    assert {f"model {entry.name}" for entry in model_catalog.catalog(DEFAULT.models) if entry.use == "run"} <= set(
        findings
    )


def test_a_package_that_does_not_load_a_model_that_is_missing_and_a_full_disk_say_what_to_do(checked) -> None:
    checked.broken, checked.models, checked.free = {"spacy"}, False, 1_000_000_000
    wrong = {name: finding for name, finding in checked.findings().items() if not finding.fine}
    assert wrong["package spacy"].state == "ImportError: no module spacy"
    assert wrong["package spacy"].remedy == "run `make install`"
    assert wrong["disk"].state == "1.0 GB free here"
    remedies = {finding.remedy for name, finding in wrong.items() if name.startswith("model ")}
    assert all(remedy.startswith("run `tape-review models --fetch`") for remedy in remedies)
    assert remedies


def test_weights_that_are_missing_are_named(checked, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise SettingsError("S03", f"model {name}", "is missing", "reinstall")

    monkeypatch.setattr(model_catalog, "trained", missing)
    assert not checked.findings()[f"weights {DEFAULT.coding.tagger}"].fine


def test_of_many_faults_three_are_named_and_the_rest_counted() -> None:
    assert Finding.of("files", [], "mend") == Finding("files", True, "nothing wrong")
    assert Finding.of("files", "abcde", "mend") == Finding("files", False, "a, b, c and 2 more", "mend")
