"""Outside, a test of `inside/` is replayed from its report; inside, reports are written down for that."""

from __future__ import annotations

import os

import pytest

from . import machine

RUN = pytest.StashKey[machine.Run]()


class Replayed(pytest.Item):
    """A test that ran, or now will run, inside the machine, together with all others that were selected."""

    place: tuple[str, int | None, str]
    """Where the test stands."""

    @classmethod
    def of(cls, item: pytest.Item) -> Replayed:
        """The replay of a test."""
        assert item.parent is not None
        replayed: Replayed = cls.from_parent(item.parent, name=item.name)
        replayed.place = item.location
        replayed.own_markers += item.own_markers
        replayed.add_marker("slow")  # as booting is
        return replayed

    def runtest(self) -> None:
        """Do as the test did."""
        reason = machine.missing()
        if reason:
            machine.refuse(reason)
        wanted = [item.nodeid for item in self.session.items if isinstance(item, Replayed)]
        run = once(self.config, wanted)
        reports = run.reports.get(self.nodeid, [])
        for report in reports:
            if report["outcome"] == "failed":
                pytest.fail(f"{report['when']}: {report['text']}", pytrace=False)
            if report["outcome"] == "skipped":
                machine.refuse(report["text"])
        if not reports or reports[-1]["when"] != "teardown":
            pytest.fail(f"the machine ended before this test did, and said last\n{run.console}", pytrace=False)
        self.user_properties += [(name, value) for name, value in reports[-1]["figures"]]

    def reportinfo(self) -> tuple[os.PathLike[str] | str, int | None, str]:
        """What pytest calls it, and where."""
        return self.path, self.place[1], self.place[2]


def once(config: pytest.Config, tests: list[str]) -> machine.Run:
    """What the machine did in this run of pytest; it is booted for these tests if it was not yet."""
    if RUN not in config.stash:
        factory: pytest.TempPathFactory = config._tmp_path_factory  # type: ignore[attr-defined]
        config.stash[RUN] = machine.boot(tests, factory.mktemp("machine"))
    return config.stash[RUN]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Replay what cannot run here."""
    if not machine.IS_INSIDE:
        items[:] = [Replayed.of(item) if machine.FOLDER in item.path.parents else item for item in items]


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Tell the host."""
    if machine.IS_INSIDE:
        machine.write(report)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say how many tests ran inside, and what they measured."""
    run = config.stash.get(RUN, None)
    if run is not None:
        terminalreporter.section("real kernel")
        terminalreporter.line(f"{run.ran} tests ran inside user-mode Linux, in {run.seconds:.0f} s with its boot")
        for name, value in run.figures:
            terminalreporter.line(f"{name}: {value}")
