"""Pictures: what is drawn is what the table says, hostile titles stay plain, and each picture has its finding as words."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import matplotlib
import polars as pl
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text

import mailforensics as mf
from mailforensics.show import plots
from mailforensics.show.plots.canvas import thinned
from tests.show.hostile import PAYLOADS

T0 = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _no_screen() -> Iterator[None]:
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    yield
    plt.close("all")


def words_in(axes: Axes) -> str:
    return "\n".join(text.get_text() for text in axes.findobj(Text))


def bars(axes: Axes) -> list[float]:
    return [patch.get_width() for patch in axes.patches]  # type: ignore[attr-defined]


def row_names(axes: Axes) -> list[str]:
    return [label.get_text() for label in axes.get_yticklabels()]


def deliveries(**columns: Any) -> pl.DataFrame:
    return pl.DataFrame(columns)


HOPS = {
    "hop": [1, 2, 3],
    "by_name": ["a.example.com", "gw.example.com", "mx.example.org"],
    "from_name": [None, "a.example.com", "gw.example.com"],
    "from_helo": ["[192.0.2.9]", "a", "gw"],
    "from_ip": ["192.0.2.9", "192.0.2.1", "192.0.2.2"],
    "delay_s": [None, 37.0, -12.0],
    "trust": ["claimed", "claimed", "ours"],
    "tls_version": ["TLSv1.3", None, "TLSv1.2"],
    "with_protocol": ["ESMTPSA", "ESMTP", "ESMTPS"],
}


def test_the_wait_at_each_hop_keeps_its_sign() -> None:
    axes = plots.hop_delays(HOPS)
    assert bars(axes) == [0, 37.0, -12.0]
    assert axes.patches[2].get_hatch()
    assert "-12 s" in words_in(axes)
    assert "1 hop run backwards" in plots.alt_text(axes)


def test_the_path_shows_who_vouches_tls_and_the_border() -> None:
    axes = plots.hop_path(HOPS)
    assert len(axes.collections[0].get_offsets()) == 4
    said = words_in(axes)
    assert "TLSv1.2" in said
    assert "our border" in said
    assert "2 of them only claimed" in plots.alt_text(axes)


def test_the_hops_of_several_messages_are_refused() -> None:
    with pytest.raises(mf.OptionError, match="several messages"):
        plots.hop_path({**HOPS, "document_id": [1, 1, 2]})


def test_the_four_parts_of_a_delay_are_means_per_destination() -> None:
    axes = plots.delay_parts(
        deliveries(
            recipient_domain=["a.test", "a.test", "b.test"],
            delay_before_queue_s=[1.0, 3.0, 0.0],
            delay_in_queue_s=[0.0, 0.0, 0.5],
            delay_connect_s=[0.0, 2.0, 0.0],
            delay_transmit_s=[1.0, 1.0, 0.0],
        )
    )
    assert row_names(axes) == ["a.test", "b.test"]
    assert bars(axes) == [2.0, 0.0, 0.0, 0.5, 1.0, 0.0, 1.0, 0.0]
    assert "a.test: 4 s in the mean, 50 % of it before this try" in plots.alt_text(axes)


def test_the_queue_grows_and_shrinks_with_its_entries() -> None:
    times = [T0, T0 + timedelta(minutes=1), T0 + timedelta(minutes=2)]
    rows = {
        "queued_time": times,
        "received_time": times,
        "removed_time": [T0 + timedelta(minutes=3), T0 + timedelta(minutes=2), None],
    }
    axes = plots.queue_length(rows)
    assert [float(it) for it in axes.lines[0].get_ydata()] == [1, 2, 3, 2, 1]
    assert "At most 3 messages" in plots.alt_text(axes)
    assert "1 entry had not left" in plots.alt_text(axes)


def test_deferrals_are_counted_per_destination() -> None:
    axes = plots.deferrals(
        deliveries(
            time=[T0, T0 + timedelta(hours=1), T0 + timedelta(hours=2), T0],
            status=["deferred", "deferred", "deferred", "sent"],
            recipient_domain=["a.test", "a.test", None, "b.test"],
        )
    )
    assert row_names(axes) == ["a.test  2", "(no domain)  1"]
    assert [len(it.get_offsets()) for it in axes.collections] == [2, 1]


def test_hours_and_weekdays_are_local() -> None:
    axes = plots.rhythm({"time": [T0, T0, T0 + timedelta(hours=15)]}, zone="Europe/Berlin")
    grid = axes.images[0].get_array()
    assert grid is not None
    assert grid[0][10] == 2
    assert grid[1][1] == 1
    assert "Mon 10:00 with 2 of 3" in plots.alt_text(axes)


def test_causes_are_sorted_and_say_who_acts() -> None:
    axes = plots.causes(
        {
            "cause": ["mailbox_full", "user_unknown", "mailbox_full", None],
            "who_acts": ["recipient", "sender", "recipient", None],
            "permanence": ["hard", "hard", "soft", None],
        }
    )
    assert row_names(axes) == ["mailbox full", "user unknown"]
    assert bars(axes) == [1, 1, 1, 0]
    assert "2  the recipient acts" in words_in(axes)
    assert plots.alt_text(axes) == "2 of 3 failures are mailbox full."


def test_scores_are_counted_against_their_threshold() -> None:
    axes = plots.scores(
        {"score": [1.0, 16.0, None, float("nan")], "required_score": [15.0, 15.0, None, None]}
    )
    assert sum(patch.get_height() for patch in axes.patches) == 2  # type: ignore[attr-defined]
    assert "threshold 15" in words_in(axes)
    assert "1 of 2 verdicts" in plots.alt_text(axes)
    assert "2 without a score" in axes.get_title("left")


def test_the_waterfall_of_symbols_ends_at_their_sum() -> None:
    told = [("A", 7.0), ("B", -2.0), ("C", 0.0), ("D", 1.0)]
    verdict = {"score": 6.0, "required_score": 15.0, "symbols": [{"name": n, "score": s} for n, s in told]}
    axes = plots.symbols(verdict)
    assert row_names(axes) == ["A", "B", "D", "sum"]
    assert bars(axes) == [7.0, -2.0, 1.0, 6.0]
    assert "largest share is A with +7" in plots.alt_text(axes)


def test_tries_stand_in_time_with_a_mark_per_status() -> None:
    rows = deliveries(
        time=[T0, T0 + timedelta(minutes=5)], recipient=["bob@example.org"] * 2, status=["deferred", "sent"]
    )
    axes = plots.retries(rows)
    assert [len(it.get_offsets()) for it in axes.collections] == [1, 1, 0, 0]
    assert "1 of 2 tries were deferred" in plots.alt_text(axes)


def test_logins_are_counted_by_network() -> None:
    axes = plots.logins(
        {
            "client_ip": ["192.0.2.1", "192.0.2.9", "2001:db8::1", None],
            "username": ["a", "b", "c", None],
            "auth_outcome": ["ok", "failed", "ok", None],
        }
    )
    assert row_names(axes) == ["192.0.2.0/24", "2001:db8::/48"]
    assert bars(axes) == [1, 1, 1, 0]
    assert plots.alt_text(axes) == "3 logins from 2 networks, 1 failed."


def test_the_evidence_is_drawn_with_its_gaps() -> None:
    source = {"path": "/var/log/mail.log", "host": "mx", "time_min": T0, "time_max": T0 + timedelta(hours=4)}
    gap = {"host": "mx", "from": T0 + timedelta(hours=1), "to": T0 + timedelta(hours=2)}
    axes = plots.coverage({"sources": [source], "gaps": [gap], "zone": "UTC"})
    assert [round(width * 24, 6) for width in bars(axes)] == [4, 1]
    assert row_names(axes) == ["log/mail.log"]
    assert "1 gap" in plots.alt_text(axes)


def test_thousands_of_points_are_thinned_without_losing_a_peak() -> None:
    values = [0.0] * 100_000
    values[70_001] = 9.0
    times, kept = thinned(range(100_000), values)
    assert len(kept) <= 2000
    assert times[kept.index(9.0)] == 70_001


@pytest.mark.parametrize("name", sorted(plots.OFFERS))
def test_each_picture_of_a_case_is_drawn_and_told(name: str) -> None:
    case = mf.samples.load("rejected" if name in ("causes", "logins") else "slow")
    axes = case.plot(name, *(["rejects"] if name == "causes" else []), ax=Figure().subplots())
    assert axes.has_data()
    assert plots.alt_text(axes)
    assert axes.get_title("left")


def test_a_picture_that_there_is_not_is_refused() -> None:
    with pytest.raises(mf.OptionError, match="queue_length"):
        mf.samples.load("slow").plot("pie")


def test_a_table_without_the_column_is_refused() -> None:
    with pytest.raises(mf.OptionError, match="who_acts"):
        plots.causes({"cause": ["x"]})


def test_an_empty_table_gives_a_sentence_and_no_error() -> None:
    case = mf.samples.load("slow")
    empty = {name: case.polars(table).clear() for name, (_, table, _) in plots.OFFERS.items()}
    for name, (function, _, _) in plots.OFFERS.items():
        axes = function(empty[name])
        assert not axes.has_data()
        assert plots.alt_text(axes).startswith("No ")


def test_a_trace_and_a_message_draw_themselves() -> None:
    slow = mf.samples.load("slow").trace(**mf.samples.question("slow"))
    axes = slow.plot()
    assert len(axes.collections[0].get_offsets()) == len(slow.journeys[0]["timeline"])
    with pytest.raises(mf.OptionError, match="count from 0"):
        slow.plot(99)


# Tables hold no halves of surrogate pairs: they come in spelt out.
STORED = [
    it.encode("utf-8", "backslashreplace").decode() for it in (*PAYLOADS, "$x_1^2$", "$\\frac{", "a" * 5000)
]


def shown_plainly(axes: Axes) -> None:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from font", UserWarning)
        axes.figure.canvas.draw()  # type: ignore[union-attr]
    shown = words_in(axes)
    assert not any(ord(it) < 32 and it != "\n" for it in shown)
    assert "\u202e" not in shown + plots.alt_text(axes)
    assert max(map(len, shown.split("\n"))) <= 100


@pytest.mark.parametrize("start", range(0, len(STORED), 28))
def test_hostile_names_are_drawn_as_plain_text(start: int) -> None:
    some = STORED[start : start + 28]
    rows = {name: [values[0]] * len(some) for name, values in HOPS.items()}
    rows |= {"hop": list(range(len(some))), "by_name": some, "from_name": some, "with_protocol": some}
    shown_plainly(plots.hop_path(rows))
    shown_plainly(plots.hop_delays(rows))
    shown_plainly(plots.symbols({"symbols": [{"name": it, "score": 1.0} for it in some]}))
    shown_plainly(
        plots.retries(deliveries(time=[T0] * len(some), recipient=some, status=["sent"] * len(some)))
    )
    steps = [{"time": T0.isoformat(), "host": it, "program": it} for it in some]
    shown_plainly(plots.timeline({"subject": some[0], "timeline": steps}))


@pytest.mark.parametrize("payload", [it for it in STORED if "$" in it])
def test_a_hostile_title_is_no_formula(payload: str) -> None:
    axes = plots.timeline({"subject": payload, "timeline": [{"time": T0.isoformat()}]})
    shown_plainly(axes)
    assert payload[:20] in axes.get_title("left")
