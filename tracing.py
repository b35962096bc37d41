"""Traces from the request to the message, by OpenTelemetry; on where its own variables name a receiver.

Each span says only what is written at its place: routes, kinds, numbers and ids, never what people wrote or are called,
nor an exception's words. So no instrumentation of libraries is used, and the provider is ours alone: what Prefect or a
library would record of itself goes nowhere. While it is off nothing is imported and nothing happens.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

Attributes = Mapping[str, str | int | None]
Kind = Literal["internal", "server", "client"]

TICKET, EVENT = "aftercare.ticket", "aftercare.event"
_FLUSH_MS = 5_000


@cache
def is_on() -> bool:
    """Whether OpenTelemetry's variables, which its SDK reads too, ask for traces."""
    says = os.environ.get
    receiver = says("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") or says("OTEL_EXPORTER_OTLP_ENDPOINT")
    is_refused = says("OTEL_SDK_DISABLED", "").lower() == "true" or says("OTEL_TRACES_EXPORTER") == "none"
    return bool(receiver) and not is_refused


@contextmanager
def span(name: str, says: Attributes, *, kind: Kind = "internal", caused_by: str | None = None) -> Iterator[None]:
    """Record the block as a span of the present trace, or of the trace that caused it, linked to the present one.

    ``caused_by``: a ``traceparent`` that was stored or sent.
    """
    if not is_on():
        yield
        return
    from opentelemetry import trace
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    here = trace.get_current_span().get_span_context()
    cause = TraceContextTextMapPropagator().extract({"traceparent": caused_by}) if caused_by else None
    started = (
        _provider()
        .get_tracer("aftercare")
        .start_as_current_span(
            name,
            context=cause,
            kind=trace.SpanKind[kind.upper()],
            attributes=_known(says),
            links=[trace.Link(here)] if cause is not None and here.is_valid else [],
            record_exception=False,  # its words may be a customer's
            set_status_on_exception=False,
        )
    )
    with started as current:
        try:
            yield
        except Exception as error:
            current.set_attribute("error.type", type(error).__name__)
            current.set_status(trace.StatusCode.ERROR)
            raise


def describe(says: Attributes, *, name: str | None = None) -> None:
    """Say more of the present span; ``name``: call it anew."""
    if is_on():
        from opentelemetry import trace

        current = trace.get_current_span()
        current.set_attributes(_known(says))
        if name is not None:
            current.update_name(name)


def traceparent() -> str | None:
    """The present span in W3C's form, to be stored with what it causes; None outside of one."""
    if not is_on():
        return None
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    carrier: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(carrier)
    return carrier.get("traceparent")


def flush() -> None:
    """Hand over what was recorded: a run's process may end without further notice."""
    if is_on():
        _provider().force_flush(_FLUSH_MS)


@cache
def _provider() -> TracerProvider:
    """Made with the first span, so never before a fork: it has a thread of its own."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import SERVICE_NAME, Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    resource = Resource.create()
    if str(resource.attributes[SERVICE_NAME]).startswith("unknown_service"):
        resource = resource.merge(Resource({SERVICE_NAME: "aftercare"}))
    provider = TracerProvider(resource=resource)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider


def _known(says: Attributes) -> dict[str, str | int]:
    return {name: value for name, value in says.items() if value is not None}
