"""scikit-learn's own tests of mutual information pass unchanged against the drop-ins."""

import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import sklearn

TESTS = "sklearn.feature_selection.tests."
# 24 in scikit-learn 1.9, with those in float32; fewer would mean that some were not found
N_TESTS = 24 if tuple(map(int, sklearn.__version__.split(".")[:2])) >= (1, 9) else 20

NOT_PASSED = {"failure", "error", "skipped"}


# Those of selectors by p-values. That of the realised FDR is of 100 repeats, where one false column more
# or less decides; benchmarks/error_rates.py holds it.
OF_PVALUES = "(test_select or invalid_k or dataframe) and not fdr_regression and not mutual"
N_OF_PVALUES = 15


def run(report, *arguments, which="mutual"):
    here = Path(__file__).parent
    # without the settings of this run
    environment = {key: v for key, v in os.environ.items() if not key.startswith("PYTEST_")}
    path = os.pathsep.join([str(here), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment |= {"PYTHONPATH": path, "SKLEARN_RUN_FLOAT32_TESTS": "1"}
    options = ["-q", "-p", "no:cacheprovider", f"--rootdir={report.parent}", f"--junitxml={report}"]
    modules = [TESTS + "test_mutual_info", TESTS + "test_feature_select"]
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            *options,
            *arguments,
            "-k",
            which,
            "--pyargs",
            *modules,
        ],
        env=environment,
        cwd=report.parent,
        capture_output=True,
        text=True,
        timeout=300,
    )


def outcomes(report):
    cases = list(ET.parse(report).iter("testcase"))
    bad = [case.get("name") for case in cases if {child.tag for child in case} & NOT_PASSED]
    return len(cases), bad


def test_scikit_learns_own_tests__pass_against_the_drop_ins(tmp_path):
    done = run(tmp_path / "report.xml", "-p", "sklearn_drop_ins")
    assert done.returncode == 0, done.stdout + done.stderr
    n_run, not_passed = outcomes(tmp_path / "report.xml")
    assert not_passed == []
    assert n_run >= N_TESTS


def test_plugin__is_what_scikit_learns_tests_call(tmp_path):
    # the same run, with drop-ins that are wrong: it must fail, or the plugin is not in their way
    wrong = tmp_path / "wrong_drop_ins.py"
    wrong.write_text(
        "import numpy, skpar_select, skpar_select.kernels as kernels\n"
        "nothing = lambda X, *args, **options: numpy.zeros(numpy.shape(X)[1])\n"
        "skpar_select.mutual_info_regression = skpar_select.mutual_info_classif = nothing\n"
        "kernels.mutual_information = nothing\n"
        "import sklearn_drop_ins\n"
    )
    done = run(tmp_path / "report.xml", "-p", "wrong_drop_ins")
    assert done.returncode == 1, done.stdout + done.stderr
    n_run, not_passed = outcomes(tmp_path / "report.xml")
    assert n_run >= N_TESTS
    assert len(not_passed) > N_TESTS // 2


def test_scikit_learns_own_tests__of_selectors_pass_with_the_tests_of_independence(tmp_path):
    done = run(tmp_path / "report.xml", "-p", "sklearn_test_drop_ins", which=OF_PVALUES)
    assert done.returncode == 0, done.stdout + done.stderr
    n_run, not_passed = outcomes(tmp_path / "report.xml")
    assert not_passed == []
    assert n_run >= N_OF_PVALUES
