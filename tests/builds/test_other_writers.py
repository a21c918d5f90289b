"""docs/your-log.md: the statements on the page, run on rows of each writer's form."""

import json
import os
import re
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from factory import ENGINES, NewWarehouse
from logs import sound_row
from project import ROOT
from warehouses import SCHEMA

_FACT = (
    "select cast(generation_id as text), job_id, style, is_success, error_category, duration_ms, total_cost_usd, "
    f"unattributed_cost_usd, input_tokens, output_tokens, total_tokens, model, created_at::text "
    f"from {SCHEMA}_marts.fct_generations order by created_at"
)


def _statement(heading: str) -> str:
    """The SQL under a heading of the page."""
    page = (ROOT / "docs" / "your-log.md").read_text()
    section = page.partition(f"\n## {heading}")[2]
    assert section, heading
    return re.search(r"```sql\n(.*?)```", section, re.DOTALL)[1]


def _issues(warehouse: object) -> dict[str, int]:
    return dict(warehouse.query(f"select issue, count(*) from {SCHEMA}_marts.generation_log_issues group by issue"))


def test_the_spend_logs_of_litellm_are_a_log(new_warehouse: NewWarehouse) -> None:
    warehouse = new_warehouse("postgres")
    error = json.dumps({"error_information": {"error_message": "429 You exceeded your current quota"}})
    warehouse.execute(f"""
        create table "LiteLLM_SpendLogs" (
            request_id text primary key, call_type text not null, api_key text not null default '',
            spend double precision not null default 0, total_tokens integer not null default 0,
            prompt_tokens integer not null default 0, completion_tokens integer not null default 0,
            "startTime" timestamp(3) not null, "endTime" timestamp(3) not null, model text not null default '',
            "user" text default '', metadata jsonb default '{{}}', request_tags jsonb default '[]', end_user text,
            status text
        );
        insert into "LiteLLM_SpendLogs" (
            request_id, call_type, spend, total_tokens, prompt_tokens, completion_tokens, "startTime", "endTime", model,
            "user", metadata, request_tags, end_user, status
        ) values
            ('img-1', 'aimage_generation', 0.04212345, 1496, 440, 1056, '2026-03-02 09:00:00', '2026-03-02 09:00:12.5',
                'gpt-image-1', 'team', '{{}}', '["Pop Art", "web"]', 'ann', 'success'),
            ('img-2', 'image_generation', 0, 0, 0, 0, '2026-03-02 09:01:00', '2026-03-02 09:01:01', 'gpt-image-1',
                'team', '{error}', '[]', '', 'failure'),
            ('chat-1', 'acompletion', 1, 9, 4, 5, '2026-03-02 09:02:00', '2026-03-02 09:02:01', 'gpt-4o', 'team',
                '{{}}', '[]', 'ann', 'success');
        {_statement("LiteLLM")}
    """)
    warehouse.settings |= {"GENERATION_LOGS_SCHEMA": "warehouse_log"}
    warehouse.run()
    first, second = warehouse.query(_FACT)
    assert first[1:] == (
        *("img-1", "pop art", True, None, 12_500, Decimal("0.042123"), Decimal("0.042123"), 440, 1056, 1496),
        *("gpt-image-1", "2026-03-02 09:00:00"),
    )
    assert second[1:] == (
        *("img-2", "unknown", False, "quota", 1_000, None, None, None, None, None, "gpt-image-1"),
        "2026-03-02 09:01:00",
    )
    assert warehouse.query(f"select count(*) from {SCHEMA}_marts.dim_users") == [(2,)]
    assert _issues(warehouse) == {"invalid_difficulty": 2, "unrecorded_cost": 1}


def test_observations_of_langfuse_are_a_log(
    new_warehouse: NewWarehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    observation = {
        "id": "obs-1",
        "trace_id": "trace-1",
        "trace_name": "Pop Art",
        "user_id": "ann",
        "type": "GENERATION",
        "level": "DEFAULT",
        "status_message": None,
        "provided_model_name": "gpt-image-1",
        "usage_details": {"input": 440, "input_cached_tokens": 40, "output": 1056, "total": 1496},
        "cost_details": {"input": 0.0022, "output": 0.04224, "total": 0.04444},
        "start_time": "2026-03-02 09:00:00.000000",
        "end_time": "2026-03-02 09:00:12.500000",
        "metadata": {"anything": "else"},
    }
    failed = observation | {
        "id": "obs-2",
        "level": "ERROR",
        "status_message": "Request timed out.",
        "usage_details": {},
        "cost_details": {},
        "start_time": "2026-03-02 09:01:00.000000",
        "end_time": None,
    }
    span = observation | {"id": "obs-3", "type": "SPAN"}
    (tmp_path / "langfuse" / "observations_v2").mkdir(parents=True)
    (tmp_path / "exports").mkdir()
    lines = "".join(json.dumps(row) + "\n" for row in (observation, failed, span))
    (tmp_path / "langfuse" / "observations_v2" / "2026.jsonl").write_text(lines)
    monkeypatch.chdir(tmp_path)
    with duckdb.connect() as connection:
        connection.execute(_statement("Langfuse"))
    monkeypatch.chdir(ROOT)
    warehouse = new_warehouse("duckdb")
    warehouse.log = os.fspath(tmp_path / "exports" / "langfuse.parquet")
    warehouse.run()
    first, second = warehouse.query(_FACT)
    assert first[1:] == (
        *("trace-1", "pop art", True, None, 12_500, Decimal("0.04444"), Decimal("0.04444"), 440, 1056, 1496),
        *("gpt-image-1", "2026-03-02 09:00:00"),
    )
    assert second[1:8] == ("trace-1", "pop art", False, "timeout", None, None, None)
    assert _issues(warehouse) == {
        "invalid_difficulty": 2,
        "invalid_duration": 1,
        "malformed_costs": 1,
        "malformed_tokens": 1,
    }


def test_a_plain_table_of_generations_is_a_log(new_warehouse: NewWarehouse) -> None:
    warehouse = new_warehouse("postgres")
    warehouse.execute(f"""
        create table ai_generation_logs (
            id uuid primary key, user_id bigint, status text, cost_usd numeric, tokens_input integer,
            tokens_output integer, latency_ms integer, error text, template text, created_at timestamptz
        );
        insert into ai_generation_logs values
            ('6f1c3f0e-0000-4000-8000-000000000001', 7, 'completed', 0.05, 440, 1056, 12500, null, 'Pop Art',
                '2026-03-02 10:00:00+01'),
            ('6f1c3f0e-0000-4000-8000-000000000002', 7, 'timeout', 0.01, 440, 0, 60000, 'Request timed out.', 'Pop Art',
                '2026-03-02 09:01:00+00'),
            ('6f1c3f0e-0000-4000-8000-000000000003', 8, 'processing', null, null, null, null, null, 'Pop Art',
                '2026-03-02 09:02:00+00');
        {_statement("A plain table")}
    """)
    warehouse.settings |= {"GENERATION_LOGS_SCHEMA": "warehouse_log"}
    warehouse.run()
    assert [row[2:11] for row in warehouse.query(_FACT)] == [
        ("pop art", True, None, 12_500, Decimal("0.05"), Decimal("0.05"), 440, 1056, 1496),
        ("pop art", False, "timeout", 60_000, Decimal("0.01"), Decimal("0.01"), 440, 0, 440),
    ]
    assert warehouse.query(f"select count(*) from {SCHEMA}_marts.dim_users") == [(1,)]
    assert _issues(warehouse) == {"invalid_difficulty": 2}


@pytest.mark.parametrize("engine", ENGINES)
def test_what_no_key_is_listed_for_is_unknown_and_the_rest_is_read(new_warehouse: NewWarehouse, engine: str) -> None:
    warehouse = new_warehouse(engine)
    costs = {"vision": 0.01, "storage": 0.02, "total": 0.05}
    tokens = {"vision": {"input": 100, "output": 20, "total": 999}, "refine": {"input": 5, "total": 50}, "foo": 9}
    warehouse.load([sound_row(1, costs=json.dumps(costs), tokens=json.dumps(tokens))])
    counted = (
        "select vision_cost_usd, storage_cost_usd, unattributed_cost_usd, total_cost_usd, input_tokens, output_tokens, "
        f"total_tokens from {SCHEMA}_marts.fct_generations"
    )
    amounts = [Decimal(amount) for amount in ("0.01", "0.02", "0.02", "0.05")]
    warehouse.run()
    assert warehouse.query(counted) == [(*amounts, 105, 20, 1_049)]
    warehouse.execute(f"delete from {SCHEMA}_seeds.document_keys where step = 'storage' or counts = 'total'")
    warehouse.run(select="path:models", exclude="tag:alerts", variables={"backfill_from": "2026-01-01"})
    assert warehouse.query(counted) == [(amounts[0], None, Decimal("0.04"), amounts[3], 105, 20, 125)]
