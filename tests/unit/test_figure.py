"""A published figure: its text, its HTML, its repr, its number."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rainier_fast.catalog import Alternative, Catalog, Entry, Figure, Figures, assumptions, catalog
from rainier_fast.errors import InvalidType
from raising import raises


def test_text_of_a_figure() -> None:
    link = catalog()["trn2-ultraserver"]["link_bandwidth_z"]
    first, *rest = str(link).splitlines()
    assert first == (
        "64 GB/s [inferred here] "
        "AWS Neuron SDK docs, about-neuron/arch/neuron-hardware/trn2-arch.rst (2026-08)"
    )
    assert "256 GB/s per chip / 2 links / 2 directions" in rest[0]
    assert rest[1].strip().startswith("or 128 GB/s (AWS Neuron SDK docs")


def test_published_digits_are_all_shown() -> None:
    assert catalog()["trainium2"]["peak_flops_fp8"].text == "1.299 PFLOP/s"
    assert catalog()["trn2.48xlarge"]["price_per_hour"].text == "35.7608 USD/h"
    assert catalog()["trn2-ultraserver"]["published_hbm_bytes"].text == "6 TiB"
    assert assumptions()["wan_latency_indiana_mississippi"].text == "6.25 ms"


def test_html_is_escaped() -> None:
    figure = Figure(1, "1", "<i>&", "V", note="<b>", alternatives=(Alternative(2, "<script>"),))
    entry = Entry("<n>", "<t>", "chip", Figures({"<f>": figure}))
    for html in (entry._repr_html_(), Catalog({"<n>": entry})._repr_html_()):
        for raw in ("<n>", "<t>", "<f>", "<i>", "<script>", "<td><b>"):
            assert raw not in html
    assert "&lt;script&gt;" in entry._repr_html_()
    assert "1.264 PFLOP/s" in catalog()["trainium2"]._repr_html_()


@given(st.floats(allow_nan=False, allow_infinity=False), st.sampled_from(["B", "B/s", "s", "1"]))
def test_repr_of_a_figure_evaluates(value: float, unit: str) -> None:
    figure = Figure(value, unit, "source", "V", alternatives=(Alternative(1.0, "other"),))
    assert eval(repr(figure)) == figure
    assert figure.text


def test_a_figure_of_text_is_no_number() -> None:
    with raises(InvalidType, "value"):
        _ = catalog()["rainier-indiana"]["state"].number
