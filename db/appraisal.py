"""What happened in a span, measure by measure, for each person, each team and the whole house (S-57).

Who counts, when a ticket changed hands: for a promise, who had the ticket when it was kept or broken; for everything
else, who had it at the completion. A team is the one that the person is in today.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, text

from db.rows import Row, fetch

# The holder is whom the last assignment before that place in the ticket's history names. The words of erased tickets,
# and with them the name, are gone: there the ticket's own row must do.
_HOLDER = """LEFT JOIN LATERAL (
  SELECT (e.payload->>'assignee_id')::bigint AS staff_id FROM ticket_events e
  WHERE e.ticket_id = {row}.ticket_id AND e.kind IN ('assign', 'escalate_tier') AND {before}
  ORDER BY e.seq DESC LIMIT 1
) held ON true"""
_BY = "CASE WHEN t.erased_at IS NULL THEN held.staff_id ELSE t.assignee_id END AS staff_id"

_MEASURED = f"""
WITH done AS (
  SELECT c.ticket_id, c.seq, c.at, {_BY}
  FROM ticket_events c JOIN tickets t ON t.id = c.ticket_id {_HOLDER.format(row="c", before="e.seq < c.seq")}
  WHERE c.kind = 'complete' AND c.at >= :since AND c.at < :until
), judged AS (
  SELECT c.ticket_id, c.kind, c.stopped_at AS at, 1 AS kept
  FROM sla_clocks c JOIN tickets t ON t.id = c.ticket_id
  WHERE c.stopped_at >= :since AND c.stopped_at < :until AND c.breached_at IS NULL AND t.state <> 'cancelled'
  UNION ALL
  SELECT c.ticket_id, c.kind, c.breached_at, 0 FROM sla_clocks c
  WHERE c.breached_at >= :since AND c.breached_at < :until
), measured AS (
  SELECT j.kind AS measure, {_BY}, j.kept::float8 AS value
  FROM judged j JOIN tickets t ON t.id = j.ticket_id
  {_HOLDER.format(row="j", before="(e.at < j.at OR e.at = j.at AND j.kept = 1)")}
  WHERE j.kind IN ('response', 'resolution')
  UNION ALL
  SELECT 'hours', d.staff_id, extract(epoch FROM d.at - r.started_at - r.paused)::float8 / 3600
  FROM done d JOIN LATERAL (
    SELECT c.started_at, (
      SELECT coalesce(sum(greatest(least(coalesce((p->>1)::timestamptz, d.at), d.at) - (p->>0)::timestamptz, '0')), '0')
      FROM jsonb_array_elements(c.pauses) p
    ) AS paused
    FROM sla_clocks c
    WHERE c.ticket_id = d.ticket_id AND c.kind = 'resolution' AND c.started_at <= d.at ORDER BY c.round DESC LIMIT 1
  ) r ON true
  UNION ALL
  SELECT 'first_time', d.staff_id, (NOT EXISTS (
    SELECT FROM ticket_events e
    WHERE e.ticket_id = d.ticket_id AND e.seq > d.seq AND e.kind IN ('reopen', 'report_not_fixed')
  ))::int FROM done d
  UNION ALL
  SELECT 'satisfaction', {_BY}, a.overall
  FROM survey_answers a JOIN surveys s ON s.id = a.survey_id JOIN tickets t ON t.id = s.ticket_id
  JOIN ticket_events c ON c.ticket_id = s.ticket_id AND c.kind = 'complete'
    AND (c.facts->>'completion_no')::int = s.completion_no
  {_HOLDER.format(row="c", before="e.seq < c.seq")}
  WHERE a.answered_at >= :since AND a.answered_at < :until AND s.action_id IS NULL
  UNION ALL
  SELECT 'quality', c.assessed_id, avg(s.percent) / 100 FROM quality_scores s JOIN quality_cases c ON c.id = s.case_id
  WHERE s.scored_at >= :since AND s.scored_at < :until GROUP BY c.id
)
SELECT measured.measure, staff.id AS staff_id, staff.name, team.id AS team_id, team.name AS team,
  count(*) AS count, avg(value) AS mean, stddev_samp(value) AS deviation,
  array_agg(value ORDER BY value) FILTER (WHERE measure = 'hours') AS hours
FROM measured JOIN staff ON staff.id = measured.staff_id JOIN teams team ON team.id = staff.team_id
GROUP BY measured.measure, GROUPING SETS ((staff.id, staff.name, team.id, team.name), (team.id, team.name), ())
"""  # noqa: S608  nothing of it comes from outside


def measured(connection: Connection, *, since: datetime, until: datetime) -> list[Row]:
    """One row per measure and person, per measure and team (without ``staff_id``), and per measure (without both).

    ``mean`` and ``deviation`` (None for one value); ``hours`` are all values of that measure, in order. Shares and
    quality are 0 to 1, satisfaction 1 to 5. Costs what happened in the span, not the history.
    """
    return fetch(connection, text(_MEASURED), since=since, until=until)


# Each mark of an inspector, and each score of a customer but the overall one, which names no topic.
_WEAKNESSES = f"""
WITH found AS (
  SELECT c.assessed_id AS staff_id, 'criterion' AS section, m.key AS topic, m.value::int AS mark
  FROM quality_scores s JOIN quality_cases c ON c.id = s.case_id CROSS JOIN LATERAL jsonb_each_text(s.marks) m
  WHERE s.scored_at >= :since AND s.scored_at < :until
  UNION ALL
  SELECT {_BY}, 'dimension', d.topic, d.mark
  FROM survey_answers a JOIN surveys s ON s.id = a.survey_id JOIN tickets t ON t.id = s.ticket_id
  JOIN ticket_events c ON c.ticket_id = s.ticket_id AND c.kind = 'complete'
    AND (c.facts->>'completion_no')::int = s.completion_no
  {_HOLDER.format(row="c", before="e.seq < c.seq")}
  CROSS JOIN LATERAL (VALUES ('efficiency', a.efficiency), ('attitude', a.attitude), ('solution', a.solution))
    d(topic, mark)
  WHERE a.answered_at >= :since AND a.answered_at < :until AND s.action_id IS NULL AND d.mark IS NOT NULL
)
SELECT staff.name, staff.team_id, found.section, found.topic, count(*) AS count,
  count(*) FILTER (WHERE mark <= :low_score) AS low
FROM found JOIN staff ON staff.id = found.staff_id
GROUP BY staff.id, found.section, found.topic
HAVING count(*) FILTER (WHERE mark <= :low_score) >= 2
ORDER BY low DESC, count, staff.name, found.topic
"""  # noqa: S608  nothing of it comes from outside


def weaknesses(connection: Connection, *, since: datetime, until: datetime, low_score: int) -> list[Row]:
    """What to train whom in (S-59): topics with at least two low marks or scores, the most first.

    ``section``: the labels of the topic, an inspector's criterion or a customer's dimension.
    """
    return fetch(connection, text(_WEAKNESSES), since=since, until=until, low_score=low_score)


def team_of(connection: Connection, staff_id: int) -> int:
    """The team that somebody is in."""
    return int(connection.execute(text("SELECT team_id FROM staff WHERE id = :id"), {"id": staff_id}).scalar_one())
